"""Search: by meaning and by words under the same visible scopes, fused. Nothing invisible is read, counted or ranked.

Every candidate has both scores, exact, whichever leg found it; each step is a function of the visible rows and the
query.
"""

from collections.abc import Collection as Group
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import any_, select

from app.acl.visible import Visible
from app.db.session import PREPARED, ReadSession
from app.db.tables.access import Collection
from app.db.tables.library import Chunk, Document, Original
from app.identity.subject import Label
from app.indexing.quantizer import codebook
from app.retrieval import phrases
from app.retrieval.corpus_size import volume
from app.retrieval.dense import DEPTH as BY_CODE
from app.retrieval.dense import Outcome, nearest
from app.retrieval.duplicates import collapse
from app.retrieval.filters import CHUNKS, VISIBLE, About, of_documents
from app.retrieval.fusion import Candidate, combine
from app.retrieval.lexical import Match
from app.retrieval.passage import Found, Hit, Passage
from app.retrieval.query_syntax import Parsed, parse
from app.retrieval.reader import Seen
from app.retrieval.rerank import Reranking
from app.scope_index.protocol import Lists

# Candidates of each kind that enter the fusion; of the best by words so many are looked at for those a search is about.
DEPTH, LOOKED = 60, 1_000
# Read beyond what was asked for: some are copies of others.
SPARE = 10
BATCH = phrases.MAX_READ


@dataclass(frozen=True)
class Query:
    """A question as search needs it: its text, and the unit vector, shape (dimensions,), of its plain words.

    With `operators`, "quotes" and -minus are read as such (see `query_syntax.parse`, whose errors come from here).
    """

    text: str
    vector: NDArray[np.float32]
    operators: bool = False

    @cached_property
    def parsed(self) -> Parsed:
        """The text, read."""
        return parse(self.text) if self.operators else Parsed(self.text)


@dataclass(frozen=True)
class Results:
    """The hits, best first; the phrases that bind nothing, since no visible passage has them.

    `codebook` is the digest of the codebook whose lists found the nearest; None if PostgreSQL alone did, and `outcome`
    says why. `reranker` is that of the cross-encoder that ordered the best anew; None if none did.
    """

    hits: list[Hit]
    codebook: str | None
    reranker: str | None = None
    unmatched: tuple[str, ...] = ()
    outcome: Outcome = "few"


@dataclass(frozen=True)
class Candidates:
    """What a search found before it is put in order: visible passages, best first by their fused scores.

    Nothing more of it is in the database, so that no connection is held while a cross-encoder reads.
    """

    query: Query
    hits: list[Hit]
    limit: int
    codebook: str | None = None
    unmatched: tuple[str, ...] = ()
    outcome: Outcome = "few"

    def best(self, reranking: Reranking | None = None) -> Results:
        """The `limit` best, each with its near-copies; the first of them ordered by the cross-encoder, if there is one.

        Ties go to the passage with the higher fused score, then to the one that was written first.
        """
        hits = reranking.order(self.query.parsed.plain, self.hits) if reranking else self.hits
        return Results(
            collapse(hits)[: self.limit],
            codebook=self.codebook,
            reranker=reranking.reranker.digest if reranking and hits else None,
            unmatched=self.unmatched,
            outcome=self.outcome,
        )


def search(  # noqa: PLR0913  # who asks, of what, and how far to look
    session: ReadSession,
    visible: Visible,
    lists: Lists,
    query: Query,
    *,
    limit: int,
    about: About = About(),  # noqa: B008  # frozen
    depth: int = BY_CODE,
) -> Results:
    """The `limit` best visible passages, best first, by their fused scores alone; see `candidates`."""
    return candidates(session, visible, lists, query, limit=limit, about=about, depth=depth).best()


def candidates(  # noqa: PLR0913  # who asks, of what, and how far to look
    session: ReadSession,
    visible: Visible,
    lists: Lists,
    query: Query,
    *,
    limit: int,
    about: About = About(),  # noqa: B008  # frozen
    depth: int = BY_CODE,
    least: int = 0,
) -> Candidates:
    """Visible passages from which `best` takes `limit`, at least `least` of them if there are so many.

    `depth`: the nearest by code that are compared exactly, as `dense.nearest` has it.
    """
    seen = Seen(session, visible, volume(session, visible))
    looked = DEPTH if about.everything else LOOKED
    words = phrases.find(session, visible, query.parsed, limit=looked, seen=seen.volume)
    by_words = _about(seen, about, words.matches)[:DEPTH]
    admit = _Admit(seen, words.conditions, about)
    near = nearest(seen, lists, query.vector, limit=DEPTH, admit=admit, depth=depth)
    similarity = {n.chunk_id: n.similarity for n in near.near}
    matches = {m.chunk_id: m for m in by_words}
    ranks = _ranks(list(similarity), list(matches))
    # Zero is no stand-in for a score that one leg did not give.
    if missing := [chunk for chunk in matches if chunk not in similarity]:
        similarity |= seen.among(HalfVector(query.vector).to_text(), missing)
    if missing := [chunk for chunk in similarity if chunk not in matches]:
        matches |= {m.chunk_id: m for m in words.lists.scored(words.words, missing)}
    most = words.lists.most(words.words)
    ordered = _fused(seen, similarity, matches, most)
    passages = _read(session, visible, [chunk for chunk, _ in ordered[: max(limit + SPARE, least)]])
    hits = [
        Hit(
            passages[chunk],
            score=score,
            similarity=similarity[chunk],
            coverage=matches[chunk].coverage,
            found=Found(*ranks.get(chunk, (None, None)), share=_share(matches[chunk], most)),
        )
        for chunk, score in ordered
        if chunk in passages
    ]
    book = codebook(len(query.vector)) if near.by == "lists" else None
    unmatched = tuple(" ".join(phrase) for phrase in words.unmatched)
    return Candidates(query, hits, limit, book.digest if book else None, unmatched, near.outcome)


@dataclass(frozen=True)
class _Admit:
    """What a search is about, for the nearest: the same phrases, exclusions and documents as for its words."""

    seen: Seen
    conditions: phrases.Conditions
    about: About

    def __call__(self, chunks: Sequence[int]) -> Group[int]:
        met: list[int] = []
        for at in range(0, len(chunks), BATCH):
            met += phrases.satisfying(self.seen.session, self.seen.visible, self.conditions, chunks[at : at + BATCH])
        return of_documents(self.seen.session, self.seen.visible, self.about, met)


def _about(seen: Seen, about: About, matches: list[Match]) -> list[Match]:
    meant = of_documents(seen.session, seen.visible, about, [m.chunk_id for m in matches])
    return [m for m in matches if m.chunk_id in meant]


def _ranks(nearest: list[int], matched: list[int]) -> dict[int, tuple[int | None, int | None]]:
    """The place of each candidate in both rankings, from 1."""
    dense = {chunk: n for n, chunk in enumerate(nearest, start=1)}
    lexical = {chunk: n for n, chunk in enumerate(matched, start=1)}
    return {chunk: (dense.get(chunk), lexical.get(chunk)) for chunk in {*nearest, *matched}}


def _share(match: Match, most: float) -> float:
    return min(match.score / most, 1.0) if most > 0 else 0.0


def _fused(seen: Seen, similarity: dict[int, float], matches: dict[int, Match], most: float) -> list[tuple[int, float]]:
    """All candidates with their fused scores, best first."""
    chunks = sorted(similarity.keys() & matches.keys())
    rows = seen.session.execute(
        select(Chunk.id, Chunk.document_id).where(Chunk.id == any_(CHUNKS), VISIBLE).execution_options(**PREPARED),
        {"chunks": chunks, "scopes": seen.visible.scope_array},
    )
    document = {row.id: row.document_id for row in rows}
    return combine(
        [
            Candidate(chunk, document[chunk], similarity[chunk], _share(matches[chunk], most))
            for chunk in chunks
            if chunk in document
        ]
    )


def _read(session: ReadSession, visible: Visible, chunk_ids: list[int]) -> dict[int, Passage]:
    rows = session.execute(
        select(Chunk, Document, Original.title, Collection.name)
        .join(Document, Document.id == Chunk.document_id)
        .join(Original, Original.document_id == Document.id)
        .join(Collection, Collection.id == Document.collection_id)
        .where(Chunk.id == any_(CHUNKS), VISIBLE)
        .execution_options(**PREPARED),
        {"chunks": chunk_ids, "scopes": visible.scope_array},
    )
    return {
        chunk.id: Passage(
            chunk=chunk.public_id,
            document=document.public_id,
            version=document.version_id,
            collection=collection,
            path=document.path,
            title=title,
            heading_path=tuple(chunk.heading_path),
            page=chunk.page,
            text=chunk.text,
            tokens=chunk.tokens,
            label=Label(visible.labels[chunk.scope_id]),
        )
        for chunk, document, title, collection in rows
    }
