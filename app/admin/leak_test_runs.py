"""Leak tests that an administrator starts from the service: in a thread, against the service's own address.

A run acts with a key of the administrator's, made for it and revoked with its end, so the log names them for all that
it does. It is one of the installation; what runs it stands in no module's state but with the application.
"""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import log
from app.admin.api_keys import KeyView, NewKeyOptions, create_own_key, revoke_key
from app.admin.background import BackgroundWork
from app.audit.actor import actor
from app.audit.events.leak_tests import LeakTestEnded, LeakTestStarted
from app.audit.log import record
from app.client.errors import UserError
from app.db.paging import Page
from app.db.session import Database, WriteSession
from app.db.tables.leak_tests import LeakTestRow, LeakTestState
from app.db.tables.people import User
from app.errors import AppError, Conflict, NotFound
from app.identity.api_keys import NewKey
from app.identity.subject import Capability, Subject, require_capability, require_in_person

# Longest that a run may take: its key is over then.
KEY_LIFE = dt.timedelta(hours=2)
# A run that was not heard of for so long is over, whatever it says: its process is gone.
SILENCE = dt.timedelta(minutes=10)
BEAT_SECONDS = 1.0
GONE = "The process that ran it is gone. The next run begins by removing what it has left."

_SILENT = (LeakTestRow.state == "running") & (LeakTestRow.beat_at < func.now() - SILENCE)
_RUNS = select(LeakTestRow, User.shown, _SILENT).join(User, User.id == LeakTestRow.started_by)


class LeakTestStopped(UserError):
    """The service is being stopped, and its leak test with it."""


@dataclass(frozen=True)
class LeakTestRun:
    """A run as administrators see it. `failures` and `report` once it has ended, `error` where it could not be made."""

    id: uuid.UUID
    started_by: str
    started_at: dt.datetime
    state: LeakTestState
    step: str
    done: int
    total: int
    ended_at: dt.datetime | None
    failures: int | None
    report: Mapping[str, Any] | None
    error: str | None


def list_leak_tests(session: Session, subject: Subject, page: Page) -> list[LeakTestRun]:
    """All runs, newest first (administer)."""
    require_capability(subject, Capability.ADMINISTER)
    order = [LeakTestRow.started_at, LeakTestRow.id]
    return [_view(row, name, silent=silent) for row, name, silent in page.rows(session, _RUNS, order, descending=True)]


def get_leak_test(session: Session, subject: Subject, run: uuid.UUID) -> LeakTestRun:
    """One of them (administer); raises NotFound."""
    require_capability(subject, Capability.ADMINISTER)
    row = session.execute(_RUNS.where(LeakTestRow.id == run)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row[0], row[1], silent=row[2])


class LeakTestSteps:
    """Writes down how far a run is, now and then. Called by many threads."""

    def __init__(self, write: Callable[[Mapping[str, Any]], None], stopping: threading.Event) -> None:
        self._write, self._stopping, self._lock = write, stopping, threading.Lock()
        self._next = 0.0

    def begin_step(self, what: str) -> None:
        """Another step begins."""
        self._write({"step": what, "done": 0, "total": 0})

    def advanced(self, done: int, total: int) -> None:
        """`done` of all parts have been asked. Raises LeakTestStopped."""
        if self._stopping.is_set():
            raise LeakTestStopped("the service is being stopped")
        with self._lock:
            if (now := time.monotonic()) < self._next and done < total:
                return
            self._next = now + BEAT_SECONDS
        self._write({"done": done, "total": total})


# Makes one, against this address with this administrator's key; gives the report. Raises UserError.
RunLeakTest = Callable[[str, str, LeakTestSteps], Mapping[str, Any]]


class LeakTestRuns:
    """Starts runs in this process. `url` is the service's own address."""

    def __init__(self, run: RunLeakTest, url: str, background: BackgroundWork) -> None:
        self._run, self._url, self._background = run, url, background

    def start(self, database: Database, subject: Subject) -> uuid.UUID:
        """Start a run in the administrator's name. Raises Conflict while there is one."""
        require_in_person(subject)
        require_capability(subject, Capability.ADMINISTER)
        with database.writing(subject.user_id) as session:
            run, key, new = _begin(session, subject)
        self._background.start(lambda: self._perform(database, subject, run, key, new))
        return run

    def _perform(self, database: Database, subject: Subject, run: uuid.UUID, key: KeyView, new: NewKey) -> None:
        def write(values: Mapping[str, Any]) -> None:
            with database.writing(subject.user_id) as session:
                session.execute(_running(run).values(**values, beat_at=func.now()))

        values: dict[str, Any]
        try:
            report = self._run(self._url, new.secret, LeakTestSteps(write, self._background.stopping))
            values = {"state": "ended", "failures": len(report["failures"]), "report": dict(report)}
        except (UserError, AppError) as error:
            values = {"state": "failed", "error": str(error)}
        except Exception as error:  # noqa: BLE001  # the thread's edge: whatever it is, the run must end
            log.get().error("leak_test.failed", error=type(error).__name__, where=log.where(error))
            values = {"state": "failed", "error": "The test itself failed. It is our fault and has been logged."}
        try:
            with database.writing(subject.user_id) as session:
                _end(session, subject, run, key, values)
        except Exception as error:  # noqa: BLE001  # the row is taken for over when it was silent for long
            log.get().error("leak_test.not_ended", error=type(error).__name__, where=log.where(error))


def _begin(session: WriteSession, subject: Subject) -> tuple[uuid.UUID, KeyView, NewKey]:
    over = update(LeakTestRow).where(_SILENT)
    session.execute(over.values(state="failed", ended_at=func.now(), error=GONE))
    made = insert(LeakTestRow).values(started_by=subject.user_id)
    made = made.on_conflict_do_nothing(index_elements=["state"], index_where=text("state = 'running'"))
    run = session.scalar(made.returning(LeakTestRow.id))
    if run is None:
        raise Conflict("A leak test is running. Two at once would take each other's people for leftovers.")
    ends = session.scalars(select(func.now())).one() + KEY_LIFE
    options = NewKeyOptions("leak test", [Capability.ADMINISTER], ends)
    key, new = create_own_key(session, subject, options, max_days=1)
    record(session, LeakTestStarted(actor=actor(subject), run=run, prefix=key.prefix))
    return run, key, new


def _end(session: WriteSession, subject: Subject, run: uuid.UUID, key: KeyView, values: Mapping[str, Any]) -> None:
    revoke_key(session, subject, key.id)
    session.execute(_running(run).values(**values, ended_at=func.now()))
    record(session, LeakTestEnded(actor=actor(subject), run=run, failures=values.get("failures")))


def _running(run: uuid.UUID) -> Any:
    return update(LeakTestRow).where(LeakTestRow.id == run, LeakTestRow.state == "running")


def _view(row: LeakTestRow, started_by: str, *, silent: bool) -> LeakTestRun:
    return LeakTestRun(
        id=row.id,
        started_by=started_by,
        started_at=row.started_at,
        state="failed" if silent else row.state,
        step=row.step,
        done=row.done,
        total=row.total,
        ended_at=row.ended_at,
        failures=row.failures,
        report=row.report,
        error=GONE if silent else row.error,
    )
