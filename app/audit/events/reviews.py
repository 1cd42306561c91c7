"""Records of access reviews; the rules that a review changes have records of their own beside these."""

import uuid
from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class _Review(Event):
    review: uuid.UUID
    collection: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class ReviewOpened(_Review):
    """Somebody in charge of a collection began to go through so many grants."""

    kind = "review.opened"
    items: int


@dataclass(frozen=True, kw_only=True)
class ReviewDecided(_Review):
    """One grant stays, or goes when the review is closed; null: that is open again."""

    kind = "review.decided"
    item: uuid.UUID
    decision: str | None


@dataclass(frozen=True, kw_only=True)
class ReviewClosed(_Review):
    """All were decided, and what was to go is gone. `digest` is the SHA-256 of the manifest, in hex."""

    kind = "review.closed"
    kept: int
    withdrawn: int
    digest: str
