"""Records of leak tests that were started from the service; what they do by its routes stands beside, as always."""

import uuid
from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class LeakTestStarted(Event):
    """A leak test was started; `prefix` names the key that it acts with in the actor's name."""

    kind = "leaktest.started"
    run: uuid.UUID
    prefix: str


@dataclass(frozen=True, kw_only=True)
class LeakTestEnded(Event):
    """It ended: `failures` is how much is wrong, null where it could not be made or finished."""

    kind = "leaktest.ended"
    run: uuid.UUID
    failures: int | None
