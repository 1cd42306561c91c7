"""The process that orders the audit log: `python -m app.sequencer_process`. Run one, or several: one works at a time.

It reads CLEARANCE_DATABASE__SEQUENCER_URL and, of CLEARANCE_AUDIT__…, what is about closing and signing; no other
setting. It alone has the key that signs the log's heads: no API process and no database role can sign in its name.
"""

import datetime as dt
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from psycopg.errors import SerializationFailure
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app import log
from app.audit import pruning, sequencing, signing
from app.audit.checkpoint_folder import keep_in
from app.audit.timestamping import AuthorityAddress, timestamp_until
from app.audit.witnessing import WitnessAddress, cosign_until
from app.db.engine import connect
from app.evidence.checkpoint import Checkpoint
from app.evidence.signed_note import SigningKey
from app.hardening import forbid_inspection, forget_settings
from app.settings import AuditSettings

POLL_SECONDS = 0.5
CLOSE_EVERY_SECONDS = 5.0
MAX_BACK_OFF_SECONDS = 10.0
# The horizon is only a short cut: now and then every leaf is looked at, whatever befell the database meanwhile.
SWEEP_EVERY_SECONDS = 3_600.0
PRUNE_EVERY_SECONDS = 3_600.0


class _Database(BaseModel):
    sequencer_url: SecretStr


class _Audit(BaseModel):
    close_after_seconds: int = AuditSettings.model_fields["close_after_seconds"].default
    signing_key: SecretStr | None = None
    previous_signing_key: SecretStr | None = None
    checkpoint_entries: int = AuditSettings.model_fields["checkpoint_entries"].default
    checkpoint_seconds: int = AuditSettings.model_fields["checkpoint_seconds"].default
    witnesses: str = ""
    timestamps: str = ""
    checkpoint_folder: str = ""

    def signer(self) -> signing.LogSigner | None:
        """Who signs heads; None without a key. Raises BadKey, which does not quote it."""
        if self.signing_key is None:
            return None
        before = self.previous_signing_key
        key = SigningKey.parse(self.signing_key.get_secret_value())
        previous = SigningKey.parse(before.get_secret_value()) if before else None
        return signing.LogSigner(key, previous, entries=self.checkpoint_entries, seconds=self.checkpoint_seconds)


class SequencerSettings(BaseSettings):
    """The part of the settings that this process may know: its own key, no other one, no other database role's URL."""

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
    announced: bool = False  # whether the key in use is the one of the newest checkpoint
    next_prune: float = 0.0
    prune_from: int = 0  # where rules of retention go on


class Sequencer:
    """Polls for committed leaves; outlives the database, reconnecting with a growing pause."""

    def __init__(
        self,
        engine: Engine,
        *,
        close_after: dt.timedelta,
        signer: signing.LogSigner | None = None,
        keep: Callable[[Checkpoint], None] = lambda _: None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._engine = engine
        self._signer, self._keep = signer, keep
        self._signed: list[Checkpoint] = []  # in the pass under way
        self._last: Checkpoint | None = None  # outlives the database: it may have been rewritten meanwhile
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
            known = _Known(next_prune=known.next_prune, prune_from=known.prune_from)
        self._signed.clear()
        with Session(self._engine) as session, session.begin():
            if not sequencing.lock(session):
                return False
            if now >= known.next_close:
                known = replace(known, open_since=self._close(session, known), next_close=now + CLOSE_EVERY_SECONDS)
            placed = sequencing.append_batch(session, horizon=known.horizon)
            if self._signer is not None:
                known = self._sign(session, self._signer, known, behind=placed.more)
        # Only now: a pass that did not commit has found nothing out.
        self._known = replace(known, horizon=placed.horizon)
        for checkpoint in self._signed:
            self._last = checkpoint
            self._keep(checkpoint)
        if placed.head is not None:
            self._log.debug("audit.ordered", count=placed.count, size=placed.head.size)
        return placed.more or (now >= known.next_prune and self._prune(now))

    def _prune(self, now: float) -> bool:
        """Remove some records that are kept no longer, in a transaction of its own; says whether there may be more."""
        try:
            with Session(self._engine) as session, session.begin():
                if not sequencing.lock(session):
                    return False
                batch = pruning.prune_batch(session, first=self._known.prune_from)
        except OperationalError as error:
            if not isinstance(error.orig, SerializationFailure):
                raise
            self._log.info("audit.pruning_put_off")  # what may go changed meanwhile: the next pass looks again
            return False
        if batch is None:
            self._known = replace(self._known, next_prune=now + PRUNE_EVERY_SECONDS, prune_from=0)
            return False
        self._known = replace(self._known, prune_from=batch.last + 1)
        self._log.info("audit.pruned", count=batch.count)
        return True

    def _sign(self, session: Session, signer: signing.LogSigner, known: _Known, *, behind: bool) -> _Known:
        """Sign the newest head if it is time; a new key is first recorded. `behind`: more leaves wait already."""
        if not known.announced:
            if behind:
                return known
            if changed := signing.announce_key(session, signer):
                sequencing.append_batch(session)
                self._log.info("audit.signing_key_changed", key=str(signer.key.verifier))
        else:
            changed = False
        if signed := signing.sign_if_due(session, signer, now=changed, last=self._last):
            self._signed.append(signed)
        return replace(known, announced=True)

    def _close(self, session: Session, known: _Known) -> dt.datetime:
        trails, since = sequencing.close_abandoned(session, older_than=self._close_after, since=known.open_since)
        if trails:
            self._log.info("audit.trails_abandoned", count=len(trails))
        return since


def _keeping(folder: str) -> Callable[[Checkpoint], None]:
    """What keeps a checkpoint that was committed: in this folder, or nowhere else."""
    return partial(keep_in, Path(folder)) if folder else lambda _: None


def main() -> None:
    """Run until SIGTERM or SIGINT, which take effect between two passes."""
    forbid_inspection()
    stop = {signal.SIGTERM, signal.SIGINT}
    # Blocked and waited for, not handled: a handler could interrupt a pass anywhere.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    log.configure(json=True)
    settings = SequencerSettings()
    forget_settings()
    try:
        signer = settings.audit.signer()
        witnesses = WitnessAddress.parse_all(settings.audit.witnesses)
        authorities = AuthorityAddress.parse_all(settings.audit.timestamps)
    except ValueError as error:
        sys.exit(f"clearance sequencer: CLEARANCE_AUDIT__…SIGNING_KEY, …__WITNESSES or …__TIMESTAMPS: {error}")
    if signer is None:
        log.get().warning("audit.heads_unsigned", set="CLEARANCE_AUDIT__SIGNING_KEY")
    url = settings.database.sequencer_url.get_secret_value()
    engine, stopping = connect(url, pool_size=1), threading.Event()
    cosign_until(stopping, url, witnesses)
    timestamp_until(stopping, url, authorities)
    log.get().info("audit.sequencer_started")
    close_after = dt.timedelta(seconds=settings.audit.close_after_seconds)
    Sequencer(engine, close_after=close_after, signer=signer, keep=_keeping(settings.audit.checkpoint_folder)).run(
        lambda seconds: signal.sigtimedwait(stop, seconds) is not None
    )
    stopping.set()
    engine.dispose()
    log.get().info("audit.sequencer_stopped")


if __name__ == "__main__":
    main()
