"""Fetches a directory and makes its source's people and roles like it, as the service that keeps the source.

What was read is kept in memory, so that what changed can be asked for alone; only a whole read sees what is gone, and
only after one do the source's roles count on. Whatever goes wrong is shown with the source (`directory_state`), and its
roles end at their bound by themselves.
"""

import datetime as dt
import time
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.acl.change_guard import guard_change
from app.admin.people_sync import DirectorySynced, sync_directory
from app.audit.encryption import Sealer
from app.db.session import Database, WriteSession
from app.db.tables.sign_in import DirectoryState
from app.directories.snapshot import DirectorySnapshot
from app.errors import AppError
from app.identity.authenticate import provisioner_of
from app.identity.subject import Subject

MAX_ERROR = 500


class ReadableDirectory(Protocol):
    """Where people and groups are fetched. `kind` is what it is, in a word."""

    kind: ClassVar[str]

    def read(self, since: str | None = None) -> DirectorySnapshot:
        """All, or what changed since then."""


class NobodyKeepsSource(Exception):
    """No service keeps the directory's source, so that nobody may write its people."""


@dataclass(frozen=True)
class SyncBounds:
    """How long the source's roles count, and how long after a whole read the next one comes."""

    fresh: dt.timedelta
    full: dt.timedelta


class DirectorySync:
    """One directory and its source."""

    def __init__(
        self, database: Database, sealer: Sealer, directory: ReadableDirectory, *, source: str, bounds: SyncBounds
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._directory = directory
        self._source = source
        self._bounds = bounds
        self._known: DirectorySnapshot | None = None
        self._next_full = 0.0

    def run(self, *, allow_large_removal: bool = False) -> DirectorySynced:
        """Fetch and write. Raises what reading raises, Conflict for too large a loss, NobodyKeepsSource; each is shown
        with the source first, and the next read is a whole one.
        """
        subject = self._subject()
        try:
            whole = self._known is None or self._known.changed is None or time.monotonic() >= self._next_full
            begun = time.monotonic()
            snapshot = self._read(whole=whole)
            with self._database.writing(subject.user_id) as session:
                synced = self._write(session, subject, snapshot, whole=whole, large=allow_large_removal)
        except Exception as error:
            self._known = None
            self._note_error(subject, error)
            raise
        self._known = snapshot
        if whole:
            self._next_full = begun + self._bounds.full.total_seconds()
        return synced

    def foresee(self) -> DirectorySynced:
        """What `run` would write, however much it takes away; rolled back."""
        subject = self._subject()
        snapshot = self._read(whole=True)
        with self._database.dry_run(subject.user_id) as trial:
            return self._write(trial, subject, snapshot, whole=True, large=True)

    def _subject(self) -> Subject:
        with self._database.anonymous() as session:
            subject = provisioner_of(session, self._source)
        if subject is None:
            raise NobodyKeepsSource(
                f"no service keeps the people of '{self._source}': an administrator makes one that may provision it"
            )
        return subject

    def _read(self, *, whole: bool) -> DirectorySnapshot:
        if whole or self._known is None:
            return self._directory.read()
        return self._known.updated(self._directory.read(self._known.changed))

    def _write(
        self, session: WriteSession, subject: Subject, snapshot: DirectorySnapshot, *, whole: bool, large: bool
    ) -> DirectorySynced:
        guard_change(session, subject)
        state = session.scalar(select(DirectoryState).where(DirectoryState.source == self._source))
        synced = sync_directory(
            session,
            subject,
            self._sealer,
            snapshot.wanted(self._source),
            bound=self._bounds.fresh,
            held_until=None if state is None else state.fresh_until,
            confirms=whole,
            allow_large_removal=large,
        )
        values: dict[str, object] = {
            "kind": self._directory.kind,
            "cursor": snapshot.changed,
            "synced_at": func.now(),
            "fresh_until": synced.until,
            "last_error": None,
            "error_at": None,
            "people": sum(person.active for person in snapshot.people.values()),
            "groups": len(snapshot.groups or ()),
        }
        self._save(session, values)
        return synced

    def _note_error(self, subject: Subject, error: Exception) -> None:
        """Show what went wrong with the source. What is no error of ours to word is named by its kind alone."""
        worded = isinstance(error, AppError) or type(error).__module__.startswith("app.")
        said = (error.detail if isinstance(error, AppError) else str(error)) if worded else type(error).__name__
        values: dict[str, object] = {
            "kind": self._directory.kind,
            "last_error": said[:MAX_ERROR],
            "error_at": func.now(),
        }
        try:
            with self._database.writing(subject.user_id) as session:
                self._save(session, values)
        except AppError:
            return  # the database does not answer either; the log has both

    def _save(self, session: WriteSession, values: dict[str, object]) -> None:
        row = insert(DirectoryState).values(source=self._source, **values)
        session.execute(row.on_conflict_do_update(index_elements=[DirectoryState.source], set_=values))
