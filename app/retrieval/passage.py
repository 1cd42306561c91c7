"""What search finds: pure values, so that prompts and answers need no database to be tested."""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.identity.subject import Label
from app.indexing.block_vectors import PassageBlock


@dataclass(frozen=True)
class Passage:
    """A piece of a document, with what a citation of it shows. All ids are public ones."""

    chunk: uuid.UUID
    document: uuid.UUID
    version: uuid.UUID
    collection: str
    path: str
    title: str
    heading_path: tuple[str, ...]
    page: int | None
    text: str
    tokens: int
    label: Label
    # Its place in the document, from 0.
    ordinal: int = 0
    # Its blocks with their vectors; none for a passage that was written without them.
    blocks: tuple[PassageBlock, ...] = ()
    # The day on which the document was last changed, in UTC.
    date: dt.date | None = None


@dataclass(frozen=True)
class RankInfo:
    """A passage's rank among the nearest and among the best by words, from 1; None where that leg did not find it."""

    dense_rank: int | None = None
    lexical_rank: int | None = None
    share: float = 0.0
    """BM25 divided by the highest score that the query's words could give, from 0 to 1."""
    reranked: float | None = None
    """The cross-encoder's score, unbounded, higher is better; None if it did not read the passage."""


@dataclass(frozen=True)
class Hit:
    """A visible passage and how well it fits.

    `score` is the fused score, from 0 to 1, or that of the place where a cross-encoder has put the passage: it orders
    the hits of one search and compares with no other's. `similarity` is the cosine; `coverage` the share of the
    query's term weight that stands in the passage, from 0 to 1. `copies` are visible passages that say the same.
    """

    passage: Passage
    score: float
    similarity: float
    coverage: float
    ranks: RankInfo = RankInfo()
    copies: tuple[Passage, ...] = ()
