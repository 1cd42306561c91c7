"""What searching sends over the wire."""

import datetime as dt
import uuid
from typing import Annotated

from pydantic import Field, StringConstraints

from app.settings import LabelName
from app.web.api.schemas import ApiModel, CollectionName, Question

# What is no path is refused by `app.paths`, as everywhere.
Folder = Annotated[str, StringConstraints(max_length=4000)]


class SearchBody(ApiModel):
    """A search. In the query, "these words" must stand so, -this must not; everything else may.

    The filters only leave out: nothing becomes visible by them.
    """

    query: Question
    limit: int = Field(10, ge=1, le=50)
    collections: list[CollectionName] = Field(
        default_factory=list, max_length=50, description="none: all that you may read"
    )
    folder: Folder = Field("", description="documents in this folder or below it")
    since: dt.datetime | None = Field(None, description="documents changed at this time or later, with a time zone")
    until: dt.datetime | None = Field(None, description="documents changed before this time")
    neighbours: int = Field(0, ge=0, le=3, description="passages before and after each hit to send along")
    explain: bool = Field(False, description="say how each hit was found")


class ExplainedOut(ApiModel):
    """How a hit was found. All of it is computed from what you may read alone.

    `similarity`: cosine of the meaning, -1 to 1. `word_share`: BM25 by the most these words could give, 0 to 1.
    `coverage`: the share of the words' weight that stands in the passage. Ranks are 1 for the best; null: not among the
    best of that kind. `reranked`: what the cross-encoder gave, without bounds, the higher the better; null: it did not
    look at this one, or there is none.
    """

    similarity: float
    word_share: float
    coverage: float
    similarity_rank: int | None
    word_rank: int | None
    reranked: float | None


class CopyOut(ApiModel):
    """Another passage that you may read and that says the same."""

    document: uuid.UUID
    chunk: uuid.UUID
    collection: str
    path: str


class HitOut(ApiModel):
    """A passage that you may read. `score` orders the hits of this search; it compares with no other search's.

    `highlights` are [start, end] in characters of `snippet`.
    """

    document: uuid.UUID
    chunk: uuid.UUID
    collection: str
    path: str
    title: str
    heading: tuple[str, ...]
    page: int | None
    label: LabelName
    snippet: str
    highlights: list[tuple[int, int]]
    score: float
    before: list[str]
    after: list[str]
    copies: list[CopyOut]
    explained: ExplainedOut | None = None


class SearchOut(ApiModel):
    """Hits, best first. `unmatched` are quoted phrases that nothing has: their words were searched for as plain
    words."""

    hits: list[HitOut]
    unmatched: list[str]
