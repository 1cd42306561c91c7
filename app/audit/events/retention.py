"""Records of how long records are kept, and of those that were removed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from app.audit.events.base import Event, SealedText


@dataclass(frozen=True, kw_only=True)
class _Rule(Event):
    rule: uuid.UUID
    of_kind: str
    label: str | None
    days: int | None


@dataclass(frozen=True, kw_only=True)
class RetentionRequested(_Rule):
    """Somebody asked to keep records of a kind, or answers of a label, for so many days; null: for ever."""

    kind = "retention.requested"
    reason: SealedText


@dataclass(frozen=True, kw_only=True)
class RetentionDecided(_Rule):
    """A second person approved, by which the rule is in force, or refused."""

    kind = "retention.decided"
    requested_by: uuid.UUID
    approved: bool


@dataclass(frozen=True, kw_only=True)
class LogPruned(Event):
    """Records were removed by rules in force. `entries`: their numbers, from the first to the last of each run;
    `counts`: how many of each kind.
    """

    kind = "log.pruned"
    entries: tuple[tuple[int, int], ...]
    rules: tuple[uuid.UUID, ...]
    counts: Mapping[str, int]
