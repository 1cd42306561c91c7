"""Records of erasures, and of legal holds."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from app.audit.events.base import Event, SealedText


@dataclass(frozen=True, kw_only=True)
class _Erasure(Event):
    erasure: uuid.UUID
    person: uuid.UUID | None
    document: uuid.UUID | None


@dataclass(frozen=True, kw_only=True)
class ErasureRequested(_Erasure):
    """Somebody asked to erase a person, or what kept answers hold of a document that is gone."""

    kind = "erasure.requested"
    reason: SealedText


@dataclass(frozen=True, kw_only=True)
class ErasureDecided(_Erasure):
    """A second person approved, by which it was done, or refused. `counts`: how many rows of what went."""

    kind = "erasure.decided"
    requested_by: uuid.UUID
    approved: bool
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class _Hold(Event):
    hold: uuid.UUID
    person: uuid.UUID | None
    document: uuid.UUID | None


@dataclass(frozen=True, kw_only=True)
class HoldPlaced(_Hold):
    """From now on nothing of this person, or of this document, may go."""

    kind = "hold.placed"
    reason: SealedText


@dataclass(frozen=True, kw_only=True)
class HoldLifted(_Hold):
    """It may go again."""

    kind = "hold.lifted"
