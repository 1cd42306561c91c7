"""A standby that gives a search up half-way: the primary answers it, and nobody gets an error for it."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.db import standby_engine
from app.db.replicas import SnapshotLost
from app.db.session import Database, ReadSession
from app.errors import DatabaseUnavailable
from tests.db.replicas.replicated_db import DOCUMENTS, PATIENCE, Pair, end_at_once, lock, outcomes, vacuum

pytestmark = pytest.mark.alone

ASLEEP = text("select count(*) from document, pg_sleep(:seconds)")
WHO = text("select pg_backend_pid()")


@pytest.fixture
def strict(pair: Pair) -> Pair:
    """Replay ends there whatever is in its way."""
    end_at_once(pair)
    assert pair.looks_there() == 1
    return pair


class Search:
    """A search that something happens to when it has begun on the standby."""

    def __init__(self, pair: Pair, happens: Callable[[ReadSession], None]) -> None:
        self._pair, self._happens = pair, happens
        self.there: list[bool] = []

    def read(self, session: ReadSession) -> int:
        self.there.append(session.on_standby)
        assert session.scalar(DOCUMENTS) == 1
        if session.on_standby:
            self._happens(session)
        return int(session.scalar(DOCUMENTS) or 0)

    def run(self, database: Database | None = None) -> int:
        """How many documents it has found, if it began on the standby."""
        for _ in self._pair.tries():
            self.there.clear()
            found = (database or self._pair.database).retrieve(self._pair.ada, self.read)
            if self.there[0]:
                break
        return found


@pytest.mark.parametrize("act", [vacuum, lock])
def test_a_session_that_replay_ends_is_begun_anew_on_the_primary(strict: Pair, act: Callable[[Pair], None]) -> None:
    """And the standby is used again."""
    search = Search(strict, lambda _: act(strict))
    assert search.run() == 1
    assert search.there == [True, False]
    assert outcomes(strict.database)["lost"] == 1
    assert strict.looks_there() == 1


def test_a_statement_that_replay_cancels_is_run_on_the_primary(strict: Pair) -> None:
    def locked(session: ReadSession) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_lock_under_it, strict)
            session.execute(ASLEEP, {"seconds": PATIENCE})

    search = Search(strict, locked)
    assert search.run() == 1
    assert search.there == [True, False]
    assert outcomes(strict.database)["lost"] == 1


def _lock_under_it(pair: Pair) -> None:
    pair.standby.until("select exists (select 1 from pg_stat_activity where wait_event = 'PgSleep')")
    lock(pair)


def test_who_does_not_ask_again_is_told_that_the_database_does_not_answer(strict: Pair) -> None:
    for _ in strict.tries():
        with pytest.raises(DatabaseUnavailable) as raised, strict.database.on_replica_or_primary(strict.ada) as session:
            if not session.on_standby:
                raise DatabaseUnavailable("not there yet")
            assert session.scalar(DOCUMENTS) == 1
            lock(strict)
            session.scalar(DOCUMENTS)
        if isinstance(raised.value, SnapshotLost):
            break


def test_a_statement_that_takes_too_long_is_not_run_twice(pair: Pair) -> None:
    """It would take as long on the primary."""

    def slow(session: ReadSession) -> None:
        session.execute(text("select set_config('statement_timeout', '50', true)"))
        session.execute(ASLEEP, {"seconds": PATIENCE})

    search = Search(pair, slow)
    with pytest.raises(DatabaseUnavailable):
        search.run()
    assert search.there == [True]
    assert outcomes(pair.database)["lost"] == 0


def test_a_standby_that_hangs_is_given_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a search and before one: TCP is well, and nothing comes."""
    monkeypatch.setattr(standby_engine, "PROBE_TIMEOUT", 1)
    monkeypatch.setattr(standby_engine, "GRACE_PERIOD", 0.5)
    stopped: list[int] = []

    def hang(session: ReadSession) -> None:
        assert pair.standby.server.pid is not None
        stopped.extend([int(session.scalar(WHO) or 0), pair.standby.server.pid])
        for process in stopped:
            os.kill(process, signal.SIGSTOP)

    with pair.also(pair.url(), statement_timeout_ms=500) as database:
        search = Search(pair, hang)
        began = time.monotonic()
        try:
            assert search.run(database) == 1
            assert search.there == [True, False]
            assert outcomes(database)["lost"] == 1
            assert pair.looks(database) == (False, 1)
            assert outcomes(database)["unreachable"] == 1
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)
        assert time.monotonic() - began < PATIENCE / 2


def test_a_pooled_connection_to_a_standby_that_hangs_is_given_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby_engine, "PROBE_TIMEOUT", 1)
    assert pair.looks_there() == 1
    query = "select coalesce((select pid from pg_stat_activity where usename = 'clearance_app' limit 1), 0)"
    backend = int(str(pair.standby.value(query)))
    assert pair.standby.server.pid is not None
    stopped, began = [backend, pair.standby.server.pid], time.monotonic()
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        assert pair.looks() == (False, 1)
        assert time.monotonic() - began < PATIENCE / 2
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)
    assert outcomes(pair.database)["unreachable"] == 1
