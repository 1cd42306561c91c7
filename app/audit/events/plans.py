"""Records of changes that were foreseen, agreed to by a second person, or refused; and of refused sign-ins."""

import uuid
from dataclasses import dataclass

from app.audit.events.base import Event
from app.evidence.merkle import Json


@dataclass(frozen=True, kw_only=True)
class _Plan(Event):
    plan: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class PlanCreated(_Plan):
    """A change was foreseen: its steps, and whether a second administrator has to agree, since its author gains."""

    kind = "plan.made"
    steps: Json
    needs_second: bool


@dataclass(frozen=True, kw_only=True)
class PlanApplied(_Plan):
    """It was made, by the actor; the records of its steps stand beside this one."""

    kind = "plan.applied"
    author: uuid.UUID
    needs_second: bool


@dataclass(frozen=True, kw_only=True)
class PlanWithdrawn(_Plan):
    """It will not be made."""

    kind = "plan.withdrawn"
    author: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class ChangeRefused(Event):
    """A change was refused: for a missing capability, beyond one's reach, or to one's own profit. Nothing was made."""

    kind = "change.refused"
    reason: str
    route: str


@dataclass(frozen=True, kw_only=True)
class SignInRefused(Event):
    """`count` sign-ins failed, from the actor's address in a minute. `prefix` names a key of ours, else null."""

    kind = "signin.refused"
    reason: str
    prefix: str | None
    count: int
