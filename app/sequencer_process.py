"""The process that orders the audit log: `python -m app.sequencer_process`. Run one, or several: one works at a time.

It reads two settings and needs no others: CLEARANCE_DATABASE__SEQUENCER_URL, CLEARANCE_AUDIT__CLOSE_AFTER_SECONDS.
"""

import datetime as dt
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app import log
from app.audit import sequencing
from app.db.engine import connect
from app.hardening import forbid_inspection, forget_settings
from app.settings import AuditSettings

POLL_SECONDS = 0.5
CLOSE_EVERY_SECONDS = 5.0
MAX_BACK_OFF_SECONDS = 10.0
# The horizon is only a short cut: now and then every leaf is looked at, whatever befell the database meanwhile.
SWEEP_EVERY_SECONDS = 3_600.0


class _Database(BaseModel):
    sequencer_url: SecretStr


class _Audit(BaseModel):
    close_after_seconds: int = AuditSettings.model_fields["close_after_seconds"].default


class SequencerSettings(BaseSettings):
    """The part of the settings that this process may know: no key, no other database role's URL."""

    model_config = SettingsConfigDict(env_prefix="CLEARANCE_", env_nested_delimiter="__", extra="ignore")

    database: _Database
    audit: _Audit = _Audit()


@dataclass
class _Known:
    """What earlier passes found out: short cuts, all of them safe to forget."""

    horizon: int = 0
    open_since: dt.datetime = sequencing.BEGINNING
    next_close: float = 0.0
    next_sweep: float = field(default_factory=lambda: time.monotonic() + SWEEP_EVERY_SECONDS)


class Sequencer:
    """Polls for committed leaves; outlives the database, reconnecting with a growing pause."""

    def __init__(self, engine: Engine, *, close_after: dt.timedelta, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._close_after = close_after
        self._poll_seconds = poll_seconds
        self._log = log.get()
        self._known = _Known()

    def run(self, wait: Callable[[float], bool]) -> None:
        """Work until `wait(seconds)` says True. Raises whatever is not a lost connection: better dead than idle."""
        pause = self._poll_seconds
        while True:
            try:
                delay = 0.0 if self.step() else self._poll_seconds
                pause = self._poll_seconds
            except DBAPIError as error:
                if not (error.connection_invalidated or isinstance(error, OperationalError)):
                    raise
                self._log.warning("audit.database_lost", error=type(error.orig).__name__, retry_seconds=pause)
                self._engine.dispose()
                self._known = _Known()  # it may be another database by the time it answers
                delay, pause = pause, min(pause * 2, MAX_BACK_OFF_SECONDS)
            if wait(delay):
                return

    def step(self) -> bool:
        """One pass in one transaction; says whether more leaves are waiting already."""
        now, known = time.monotonic(), self._known
        if now >= known.next_sweep:
            known = _Known()
        with Session(self._engine) as session, session.begin():
            if not sequencing.lock(session):
                return False
            if now >= known.next_close:
                known = replace(known, open_since=self._close(session, known), next_close=now + CLOSE_EVERY_SECONDS)
            placed = sequencing.append_batch(session, horizon=known.horizon)
        # Only now: a pass that did not commit has found nothing out.
        self._known = replace(known, horizon=placed.horizon)
        if placed.head is not None:
            self._log.debug("audit.ordered", count=placed.count, size=placed.head.size)
        return placed.more

    def _close(self, session: Session, known: _Known) -> dt.datetime:
        trails, since = sequencing.close_abandoned(session, older_than=self._close_after, since=known.open_since)
        if trails:
            self._log.info("audit.trails_abandoned", count=len(trails))
        return since


def main() -> None:
    """Run until SIGTERM or SIGINT, which take effect between two passes."""
    forbid_inspection()
    stop = {signal.SIGTERM, signal.SIGINT}
    # Blocked and waited for, not handled: a handler could interrupt a pass anywhere.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    log.configure(json=True)
    settings = SequencerSettings()
    forget_settings()
    engine = connect(settings.database.sequencer_url.get_secret_value(), pool_size=1)
    log.get().info("audit.sequencer_started")
    Sequencer(engine, close_after=dt.timedelta(seconds=settings.audit.close_after_seconds)).run(
        lambda seconds: signal.sigtimedwait(stop, seconds) is not None
    )
    engine.dispose()
    log.get().info("audit.sequencer_stopped")


if __name__ == "__main__":
    main()
