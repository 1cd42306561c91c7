"""Passages to vectors and terms: what search needs of them. A function of the document's text alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.embedding.protocol import Embedder
from app.indexing.analysis.headings import distinct_headings
from app.indexing.block_vectors import PassageBlock, encode_vectors
from app.indexing.blocks import BlockSpan, block_spans
from app.indexing.quantizer import quantizer_for
from app.indexing.terms import PassageTerms, field_terms
from ingest.contextual_vectors import contextualize
from ingest.document import DocumentPassage


@dataclass(frozen=True)
class IndexedPassage:
    """A passage as it is written: its unit vector of shape (dimensions,), the code of it, its terms by field.

    `code` is None where vectors of this length have none. `blocks` are its lines, or parts of long ones, with vectors.
    """

    passage: DocumentPassage
    vector: NDArray[np.float32]
    code: bytes | None
    terms: PassageTerms
    blocks: tuple[PassageBlock, ...] = ()


def index_passages(passages: Sequence[DocumentPassage], embedder: Embedder) -> list[IndexedPassage]:
    """Embed each passage of a document under its headline and in its place, with its blocks; count its terms by field.

    A block keeps the vector that its own passage gives it: quotes of one document are told apart by it.
    """
    spans = [block_spans(p.text) for p in passages]
    before = [len(p.embedded) - len(p.text) for p in passages]
    shifted = [[(n + s.start, n + s.end) for s in inside] for n, inside in zip(before, spans, strict=True)]
    embedded = embedder.embed_with_spans([p.embedded for p in passages], shifted)
    own = np.array([e.vector for e in embedded], np.float32).reshape(len(passages), embedder.dimensions)
    vectors = contextualize(own)
    codes = codes_of(vectors, embedder.dimensions)
    return [
        IndexedPassage(p, v, c, terms_of(p), _blocks(inside, e.spans))
        for p, v, c, inside, e in zip(passages, vectors, codes, spans, embedded, strict=True)
    ]


def _blocks(spans: Sequence[BlockSpan], vectors: NDArray[np.float32]) -> tuple[PassageBlock, ...]:
    codes = encode_vectors(vectors)
    return tuple(PassageBlock(s.start, s.end, code) for s, code in zip(spans, codes, strict=True))


def terms_of(passage: DocumentPassage) -> PassageTerms:
    """The terms of a passage by field, those of a title that is the first heading too counted once."""
    return field_terms(passage.title, distinct_headings(passage.title, passage.heading_path), passage.text)


def codes_of(vectors: NDArray[np.float32], dimensions: int) -> list[bytes | None]:
    """The codes of vectors of shape (n, dimensions), as they are stored: in half precision."""
    book = quantizer_for(dimensions)
    if book is None:
        return [None] * len(vectors)
    return [code.tobytes() for code in book.encode(vectors.astype(np.float16).astype(np.float32))]
