"""What a search would have found, without a database: passages with their vectors, in the order given."""

import dataclasses
import math
from collections.abc import Sequence

from app.answer.quotes.material import Material
from app.embedding.hashed import HashedEmbedder
from app.indexing.block_vectors import PassageBlock, encode_vectors
from app.indexing.blocks import block_spans
from app.indexing.terms import query_terms, words_in
from app.retrieval.highlight import words_of
from app.retrieval.passage import Hit, Passage, RankInfo


def with_blocks(passage: Passage) -> Passage:
    """The passage as the worker writes it."""
    spans = block_spans(passage.text)
    [made] = HashedEmbedder().embed_with_spans([passage.text], [[(s.start, s.end) for s in spans]])
    codes = encode_vectors(made.spans)
    blocks = tuple(PassageBlock(s.start, s.end, code) for s, code in zip(spans, codes, strict=True))
    return dataclasses.replace(passage, blocks=blocks)


def material(question: str, passages: Sequence[Passage], around: Sequence[Passage] = ()) -> Material:
    """All of them found, better ones first; words weigh by the passages they stand in."""
    embedder, words = HashedEmbedder(), query_terms(question)
    vector = embedder.embed_query(question)
    standing = [frozenset().union(*words_in(words_of(p.text), words).values()) for p in passages]
    weights = []
    for number, word in enumerate(words):
        count = sum(number in found for found in standing)
        weights.append((word, math.log(1 + (len(passages) - count + 0.5) / (count + 0.5))))
    total = sum(weight for _, weight in weights) or 1.0
    hits = []
    for rank, (passage, found) in enumerate(zip(passages, standing, strict=True)):
        share = sum(weights[number][1] for number in found) / total
        similarity = float(embedder.embed_query(passage.text) @ vector)
        hits.append(Hit(with_blocks(passage), 1 / (rank + 1), similarity, share, RankInfo(share=share)))
    return Material(question, vector, hits, tuple(map(with_blocks, around)), tuple(weights))
