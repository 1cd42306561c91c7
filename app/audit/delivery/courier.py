"""Brings the log to one target: in order, at least once, whatever becomes of target, database or process."""

import random
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import log
from app.audit.delivery import store
from app.audit.delivery.addresses import BatchLimits, DeliveryAddress
from app.audit.delivery.batch import Batch
from app.audit.delivery.folder import FolderTarget
from app.audit.delivery.http import HttpTarget
from app.audit.delivery.s3 import S3Target
from app.audit.delivery.syslog import SyslogTarget
from app.audit.delivery.target import ContentRefused, DeliveryTarget, FileTarget, TargetUnavailable
from app.db.engine import connect

POLL_SECONDS = 1.0
# Before an attempt that follows one that failed, doubled with each: after an hour it is still tried once a minute.
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 60.0


class Courier:
    """Delivers to one target. Of a pass that does not end nothing is lost: the next sends the same batch again."""

    def __init__(self, engine: Engine, address: DeliveryAddress, target: DeliveryTarget) -> None:
        self._engine, self._address, self._target = engine, address, target
        self._files: FileTarget | None = target if isinstance(target, FolderTarget | S3Target) else None
        self._most = address.limits.records  # of the next batch: fewer after one was refused

    def run(self, wait: Callable[[float], bool], jitter: Callable[[], float] = random.random) -> None:
        """Work until `wait(seconds)` says True. After a failure it tries again, each time later, for ever.

        `jitter` gives numbers from 0 to 1: a pause is shortened by up to a half, so that many do not come at once.
        Raises UnknownTarget.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                delay = 0.0 if self.step() else POLL_SECONDS
                pause = FIRST_PAUSE_SECONDS
            except store.UnknownTarget:
                raise
            # The edge of a target: what is wrong with one must not hold up another, and may be mended tomorrow.
            except Exception as error:  # noqa: BLE001
                delay, pause = pause * (1 - jitter() / 2), min(pause * 2, MAX_PAUSE_SECONDS)
                self._note(error, delay)
            if wait(delay):
                return

    def step(self) -> bool:
        """One batch, one dead letter or one signed head; says whether there may be more at once.

        Raises TargetUnavailable, and what the database raises.
        """
        with Session(self._engine) as session:
            at = store.position(session, self._address.name)
        if at.retry is not None:
            self._send_again(at.retry)
            return True
        batch = self._next_batch(at)
        if batch is None:
            return self._send_head(at)
        self._deliver(batch)
        return True

    def _next_batch(self, at: store.DeliveryPosition) -> Batch | None:
        """The batch that is under way, or a new one that is due; where it ends is noted before it is sent."""
        with Session(self._engine) as session, session.begin():
            until = at.pending
            if until is None:
                given = self._address.limits
                limits = BatchLimits(min(given.records, self._most), given.bytes, given.seconds)
                until = store.due_until(session, at.delivered, limits)
                if until is None:
                    return None
                store.plan(session, self._address.name, at.delivered, until)
            return store.read_batch(session, self._address, at.delivered, until)

    def _deliver(self, batch: Batch) -> None:
        """Send it. One that is refused is halved until the record is found for which it was."""
        try:
            self._target.send(batch)
        except ContentRefused as refused:
            self._narrow(batch, str(refused))
            return
        with Session(self._engine) as session, session.begin():
            store.keep(session, batch)
        self._most = min(self._most * 2, self._address.limits.records)
        log.get().debug("audit.delivered", target=batch.target, first=batch.first, last=batch.last)

    def _narrow(self, batch: Batch, why: str) -> None:
        count = len(batch.entries)
        with Session(self._engine) as session, session.begin():
            if count > 1:
                self._most = count // 2
                store.plan(session, batch.target, batch.first, batch.first + self._most)
                return
            if not store.put_aside(session, batch.target, batch.first, why):
                raise TargetUnavailable(f"refuses record after record: {why}")
        log.get().warning("audit.delivery_refused", target=batch.target, seq=batch.first, reason=why)

    def _send_again(self, number: int) -> None:
        """A dead letter that somebody wants to be sent again; refused once more it stays one."""
        with Session(self._engine) as session:
            batch = store.read_batch(session, self._address, number, number + 1)
        why = None
        try:
            self._target.send(batch)
        except ContentRefused as refused:
            why = str(refused)
        with Session(self._engine) as session, session.begin():
            store.end_retry(session, batch.target, number, why)

    def _send_head(self, at: store.DeliveryPosition) -> bool:
        """The newest signed head over what was delivered, to where files are kept."""
        if self._files is None:
            return False
        with Session(self._engine) as session:
            found = store.next_signed_head(session, at)
        if found is None:
            return False
        size, file = found
        self._files.put(file)
        with Session(self._engine) as session, session.begin():
            store.keep_head(session, self._address.name, size)
        return True

    def _note(self, error: Exception, retry_seconds: float) -> None:
        """Into the log and, where the database is there, to the target's state."""
        reason = str(error) if isinstance(error, TargetUnavailable) else type(error).__name__
        log.get().warning(
            "audit.not_delivered", target=self._address.name, reason=reason, where=log.where(error),
            retry_seconds=round(retry_seconds, 1),
        )  # fmt: skip
        try:
            with Session(self._engine) as session, session.begin():
                store.note_failure(session, self._address.name, reason[:200])
        except SQLAlchemyError:
            self._engine.dispose()


def target_of(address: DeliveryAddress) -> DeliveryTarget:
    """What delivers there."""
    match address.kind:
        case "folder":
            return FolderTarget(Path(address.where))
        case "s3":
            return S3Target(address)
        case "syslog":
            return SyslogTarget(address)
        case "http":
            return HttpTarget(address)


def deliver(url: str, address: DeliveryAddress, wait: Callable[[float], bool]) -> None:
    """Deliver to this target until `wait` says True. `url`: of the database, with the role of delivery."""
    engine = connect(url, pool_size=1)
    Courier(engine, address, target_of(address)).run(wait)
    engine.dispose()
