"""What search finds: pure values, so that context and answers need no database to be tested."""

import uuid
from dataclasses import dataclass

from app.acl.rules import Label


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
class Hit:
    """A visible passage and how well it fits.

    `score` is the fused rank score; `similarity` the cosine (0 if not among the nearest); `coverage` the share of the
    query's term weight that stands in the passage, from 0 to 1.
    """

    passage: Passage
    score: float
    similarity: float
    coverage: float
