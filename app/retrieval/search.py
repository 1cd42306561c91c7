"""Search by meaning and by words under the same visible scopes, fused. Nothing invisible is read, counted or ranked.

Every candidate gets both scores, exact, whichever leg found it; each step is a function of the visible rows and the
query.
"""

from collections.abc import Collection as AnyCollection
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.acl.visible import Visible
from app.db.session import ReadSession
from app.indexing.analysis.language import question_language
from app.indexing.quantizer import quantizer_for
from app.indexing.terms import Word
from app.retrieval import phrases
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import DEFAULT_DEPTH, Outcome, nearest, scan_ahead
from app.retrieval.duplicates import collapse
from app.retrieval.filters import SearchFilter, matching_chunks
from app.retrieval.fusion import Candidate, combine, lexical_weight
from app.retrieval.lexical import Match
from app.retrieval.neighbors import neighbor_ids
from app.retrieval.passage import Hit, Passage, RankInfo
from app.retrieval.passage_rows import document_ids, read_passages
from app.retrieval.query_syntax import Parsed, parse
from app.retrieval.reader import ReaderSnapshot, halfvec_text
from app.retrieval.rerank import Reranking
from app.scope_index.protocol import VectorIndex

# Candidates of each leg that enter the fusion; with a filter they are taken from this many of the best by words.
FUSION_DEPTH, FILTER_WINDOW = 60, 1_000
# Passages read beyond the limit, since near-copies collapse into one hit.
OVERFETCH = 10
BATCH = phrases.MAX_READ
ENGLISH = frozenset(("en",))


@dataclass(frozen=True)
class Query:
    """What to search for and how far to look.

    `vector` is the unit vector, shape (dimensions,), of the text's plain words. With `operators`, "quotes" and -minus
    bind (see `query_syntax.parse`, whose errors are raised from here). `limit` hits are wanted, and `min_candidates`
    passages are read at least, for a cross-encoder to choose from. `depth` is that of `dense.nearest`. `languages` are
    those that the model of the vector knows. So many of the best as `with_neighbors` bring the passages beside them.

    A question that leans on earlier ones comes with `words` of its own and theirs, weighted and ordered as
    `query_terms` orders them, which are looked for in place of those of the text; its vector is then a sum of theirs,
    and `before` the text that a cross-encoder reads before it.
    """

    text: str
    vector: NDArray[np.float32]
    limit: int
    filter: SearchFilter = field(default_factory=SearchFilter)
    operators: bool = False
    depth: int = DEFAULT_DEPTH
    min_candidates: int = 0
    words: tuple[Word, ...] | None = None
    before: str = ""
    languages: frozenset[str] = ENGLISH
    with_neighbors: int = 0

    @cached_property
    def parsed(self) -> Parsed:
        """The plain words, phrases and exclusions of the text."""
        return parse(self.text) if self.operators else Parsed(self.text)

    @cached_property
    def lexical_weight(self) -> float:
        """What the words weigh beside the meaning: more where the model does not know their language."""
        return lexical_weight(question_language(f"{self.before} {self.parsed.plain}"), self.languages)


@dataclass(frozen=True)
class Results:
    """The hits, best first; the phrases that bind nothing, since no visible passage has them.

    `codebook` is the digest of the codebook whose scope index found the nearest; None if PostgreSQL alone did, and
    `outcome` says why. `reranker` is the digest of the cross-encoder that reordered the best; None if none did.
    `around` are the passages beside the best ones; `weights` the query's words with their idf over the visible rows.
    """

    hits: list[Hit]
    codebook: str | None
    reranker: str | None = None
    unmatched: tuple[str, ...] = ()
    outcome: Outcome = "few"
    around: tuple[Passage, ...] = ()
    weights: tuple[tuple[Word, float], ...] = ()


@dataclass(frozen=True)
class Candidates:
    """Visible passages, best first by their fused scores, before near-copies collapse and a cross-encoder reorders.

    Nothing more has to be read, so no connection is held while a cross-encoder works.
    """

    query: Query
    hits: list[Hit]
    codebook: str | None = None
    unmatched: tuple[str, ...] = ()
    outcome: Outcome = "few"
    around: tuple[Passage, ...] = ()
    weights: tuple[tuple[Word, float], ...] = ()

    def best(self, reranking: Reranking | None = None) -> Results:
        """The best hits up to the query's limit, each with its near-copies, reordered by the cross-encoder if given.

        Ties go to the passage with the higher fused score, then to the one that was written first.
        """
        asked = f"{self.query.before}\n{self.query.parsed.plain}".strip()
        hits = reranking.order(asked, self.hits) if reranking else self.hits
        return Results(
            collapse(hits)[: self.query.limit],
            codebook=self.codebook,
            reranker=reranking.reranker.digest if reranking and hits else None,
            unmatched=self.unmatched,
            outcome=self.outcome,
            around=self.around,
            weights=self.weights,
        )


def search(session: ReadSession, visible: Visible, index: VectorIndex, query: Query) -> Candidates:
    """The visible passages that fit a query best, from which `Candidates.best` makes the results."""
    reader = ReaderSnapshot(session, visible, visible_corpus(session, visible))
    index = scan_ahead(reader, index, query.vector, limit=FUSION_DEPTH, depth=query.depth)
    window = FUSION_DEPTH if query.filter.is_empty else FILTER_WINDOW
    lexical = phrases.find(session, visible, query.parsed, limit=window, corpus=reader.corpus, words=query.words)
    passing = matching_chunks(session, visible, query.filter, [m.chunk_id for m in lexical.matches])
    by_words = [m for m in lexical.matches if m.chunk_id in passing][:FUSION_DEPTH]
    predicate = _Predicate(reader, lexical.conditions, query.filter)
    matches = {m.chunk_id: m for m in by_words}
    dense = nearest(
        reader, index, query.vector, limit=FUSION_DEPTH, predicate=predicate, depth=query.depth, also=list(matches)
    )
    similarity = {n.chunk_id: n.similarity for n in dense.near}
    ranks = _ranks(list(similarity), list(matches))
    similarity |= {chunk: dense.similarities[chunk] for chunk in matches if chunk in dense.similarities}
    # A score that one leg did not give is computed, never taken to be 0.
    if missing := [chunk for chunk in matches if chunk not in similarity]:
        similarity |= reader.similarities(halfvec_text(query.vector), missing)
    if missing := [chunk for chunk in similarity if chunk not in matches]:
        matches |= {m.chunk_id: m for m in lexical.lists.scored(lexical.words, missing)}
    max_score = lexical.lists.max_score(lexical.words)
    ordered = _fused(reader, similarity, matches, max_score, query.lexical_weight)
    count = max(query.limit + OVERFETCH, query.min_candidates)
    best = [chunk for chunk, _ in ordered[:count]]
    beside = neighbor_ids(session, visible, best[: query.with_neighbors])
    passages = read_passages(session, visible, list(dict.fromkeys([*best, *beside])), len(query.vector))
    hits = [
        Hit(
            passages[chunk],
            score=score,
            similarity=similarity[chunk],
            coverage=matches[chunk].coverage,
            ranks=RankInfo(*ranks.get(chunk, (None, None)), share=_share(matches[chunk], max_score)),
        )
        for chunk, score in ordered[:count]
        if chunk in passages
    ]
    quantizer = quantizer_for(len(query.vector)) if dense.outcome == "lists" else None
    unmatched = tuple(" ".join(phrase) for phrase in lexical.unmatched)
    return Candidates(
        query,
        hits,
        quantizer.digest if quantizer else None,
        unmatched,
        dense.outcome,
        tuple(passages[chunk] for chunk in beside if chunk in passages),
        tuple((word, lexical.lists.weight(word)) for word in lexical.words if lexical.lists.needs(word)),
    )


@dataclass(frozen=True)
class _Predicate:
    """Holds the dense leg to the same phrases, exclusions and filter as the lexical one."""

    reader: ReaderSnapshot
    conditions: phrases.Conditions
    filter: SearchFilter

    def __call__(self, chunks: Sequence[int]) -> AnyCollection[int]:
        session, visible = self.reader.session, self.reader.visible
        accepted: list[int] = []
        for start in range(0, len(chunks), BATCH):
            accepted += phrases.chunks_meeting(session, visible, self.conditions, chunks[start : start + BATCH])
        return matching_chunks(session, visible, self.filter, accepted)


def _ranks(nearest: list[int], matched: list[int]) -> dict[int, tuple[int | None, int | None]]:
    """The place of each candidate in both rankings, from 1."""
    dense = {chunk: n for n, chunk in enumerate(nearest, start=1)}
    lexical = {chunk: n for n, chunk in enumerate(matched, start=1)}
    return {chunk: (dense.get(chunk), lexical.get(chunk)) for chunk in {*nearest, *matched}}


def _share(match: Match, max_score: float) -> float:
    return min(match.score / max_score, 1.0) if max_score > 0 else 0.0


def _fused(
    reader: ReaderSnapshot,
    similarity: dict[int, float],
    matches: dict[int, Match],
    max_score: float,
    words: float,
) -> list[tuple[int, float]]:
    """All candidates with their fused scores, best first."""
    chunks = sorted(similarity.keys() & matches.keys())
    document = document_ids(reader, chunks)
    return combine(
        [
            Candidate(chunk, document[chunk], similarity[chunk], _share(matches[chunk], max_score))
            for chunk in chunks
            if chunk in document
        ],
        words,
    )
