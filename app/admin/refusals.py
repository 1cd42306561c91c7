"""Records of what was refused: changes of access, and failed sign-ins. One place for both.

A refused change is one record. Failed sign-ins are counted by minute, address and key, so that a stranger cannot fill
the log: the first is recorded at once, those that follow in the same minute as one number. A key that is not ours
leaves no trace of itself, and one that is ours its public prefix alone.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.audit.actor import actor
from app.audit.events.base import Actor
from app.audit.events.plans import ChangeRefused, SignInRefused
from app.audit.log import record
from app.db.session import Database, WriteSession
from app.errors import AppError, ForeignMember, NotAllowed, NotOfSource
from app.identity.subject import Subject

WINDOW_SECONDS = 60
# Sources remembered at once. Beyond them all further ones are counted as one, without their address.
MAX_SOURCES = 1000
NOBODY = Actor.service("nobody")


@dataclass(frozen=True)
class FailedCredential:
    """Why somebody was not let in, and the public prefix of the key they came with, if it was one of ours."""

    reason: str
    prefix: str | None = None


@dataclass(frozen=True)
class SignInSource:
    """Where failed sign-ins come from: an address, and the public prefix of a key of ours, if it was one."""

    address: str | None
    prefix: str | None
    reason: str


class FailedSignIns:
    """Counts failed sign-ins and says when one is to be recorded, and with which number."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._counts: dict[SignInSource, int] = {}
        self._began = clock()

    def add(self, source: SignInSource) -> list[tuple[SignInSource, int]]:
        """Count one; what is to be recorded now."""
        with self._lock:
            due = self.due()
            if source not in self._counts and len(self._counts) >= MAX_SOURCES:
                source = SignInSource(None, None, "many sources")
            if source in self._counts:
                self._counts[source] += 1
                return due
            self._counts[source] = 0
            return [*due, (source, 1)]

    def due(self, *, closing: bool = False) -> list[tuple[SignInSource, int]]:
        """What a minute that is over has left to record; at the end of the process, that of the one that is not."""
        with self._lock:
            if not closing and self._clock() - self._began < WINDOW_SECONDS:
                return []
            left = [(source, count) for source, count in self._counts.items() if count]
            self._counts, self._began = {}, self._clock()
            return left


def record_failed_sign_in(
    database: Database, failed: FailedSignIns, address: str | None, credential: FailedCredential
) -> None:
    """Count a sign-in that failed, and record what is due."""
    record_due(database, failed.add(SignInSource(address, credential.prefix, credential.reason)))


def record_due(database: Database, due: list[tuple[SignInSource, int]]) -> None:
    """Record counted sign-ins, in one transaction."""
    if not due:
        return
    with database.anonymous() as session:
        for source, count in due:
            actor_there = replace(NOBODY, address=source.address)
            event = SignInRefused(actor=actor_there, reason=source.reason, prefix=source.prefix, count=count)
            record(session, event)


# Refusals of a change that are recorded: also of what a provisioning service may not know to be there.
RECORDED: tuple[type[AppError], ...] = (NotAllowed, NotOfSource, ForeignMember)


def record_refusal(database: Database, subject: Subject, route: str, error: AppError) -> None:
    """Record a change that was refused to somebody who is known: for a capability, their reach, or their own profit.

    `route`: method and template of the route.
    """
    with database.writing(subject.user_id) as session:
        record_refused(session, subject, route, [error])


def record_refused(session: WriteSession, subject: Subject, route: str, errors: Iterable[AppError]) -> None:
    """The same within a transaction that goes on: for the parts of a request that were refused."""
    for error in errors:
        record(session, ChangeRefused(actor=actor(subject), reason=error.code, route=route))
