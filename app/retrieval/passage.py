"""What search finds: pure values, so that context and answers need no database to be tested."""

import uuid
from dataclasses import dataclass, replace

from app.identity.subject import Label


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


@dataclass(frozen=True)
class Found:
    """How a passage was found: its place among the nearest and among the best by words, from 1; None if not there."""

    dense_rank: int | None = None
    lexical_rank: int | None = None
    share: float = 0.0
    """BM25 by the most that the question's words could give, from 0 to 1."""
    reranked: float | None = None
    """What the cross-encoder gave, without bounds, the higher the better; None if it did not look at the passage."""


@dataclass(frozen=True)
class Hit:
    """A visible passage and how well it fits.

    `score` is the fused score, from 0 to 1, or that of the place where a cross-encoder has put the passage: it orders
    the hits of one search and compares with no other's. `similarity` is the cosine; `coverage` the share of the
    question's term weight that stands in the passage, from 0 to 1. `copies` are visible passages that say the same.
    """

    passage: Passage
    score: float
    similarity: float
    coverage: float
    found: Found = Found()
    copies: tuple[Passage, ...] = ()

    def with_copy(self, passage: Passage) -> "Hit":
        """The same with one more passage that says so."""
        return replace(self, copies=(*self.copies, passage))
