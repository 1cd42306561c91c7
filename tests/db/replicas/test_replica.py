"""Searches on a standby: never a document that was revoked before they began; in doubt the primary answers."""

import datetime as dt
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db import replicas
from app.db.replicas import position_of
from app.db.session import Database
from app.errors import DatabaseUnavailable
from tests.db.replicas.replicated_db import DOCUMENTS, LONG, PATIENCE, RECOVERING, Pair, Standby, outcomes
from tests.support.cluster import TEMPLATE
from tests.support.identities import SIGN, signed_for
from tests.support.waiting import wait_for

pytestmark = pytest.mark.alone


def test_a_standby_that_is_behind_does_not_answer(pair: Pair) -> None:
    """What is written is found by the next search, what is revoked by none: the standby would show it. Later it answers
    again.
    """
    assert pair.looks_there() == 1
    pair.standby.pause()
    pair.library.document(pair.collection, "b.md", "the birch note")
    assert pair.looks() == (False, 2)
    pair.standby.resume()
    assert pair.looks_there() == 2
    pair.standby.pause()
    pair.revoke()
    assert pair.shows_carelessly() == 2
    assert pair.looks() == (False, 0)
    assert outcomes(pair.database)["behind"] >= 1
    pair.standby.resume()
    assert pair.looks_there() == 0


def test_a_search_that_waits_takes_its_snapshot_after_the_wait(pair: Pair) -> None:
    """Replay goes on while it waits: what it waited for is in its snapshot."""
    with pair.also(pair.url(), wait_ms=LONG) as patient:
        assert pair.looks_there(patient) == 1
        pair.standby.pause()
        pair.revoke()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(pair.looks, patient)
            # The look is there before replay goes on: nothing else connects to that database there.
            pair.standby.until(
                f"select exists (select 1 from pg_stat_activity where datname = '{pair.library.db.name}'"
                " and query ~ 'pg_last_wal_replay_lsn')"
            )
            pair.standby.resume()
            pair.standby.catch_up()
            assert waiting.result(PATIENCE) == (True, 0)


def test_a_commit_that_nobody_waited_for_counts_too(pair: Pair) -> None:
    """Acknowledged before it is written, let alone sent: the position is that of the inserts."""
    assert pair.looks_there() == 1
    with pair.library.session("admin") as session:
        session.execute(text("set local synchronous_commit = off"))
        session.execute(text("delete from rule_grant"))
    there, seen = pair.looks()
    assert seen == 0, f"seen on the {'standby' if there else 'primary'}"


@pytest.mark.parametrize("how", ["stopped", "promoted"])
def test_a_standby_that_is_none_any_more_is_left(pair: Pair, how: str) -> None:
    """Its pooled connections were good a moment ago; the primary answers, and it is not asked each time."""
    assert pair.looks_there() == 1
    if how == "stopped":
        pair.standby.server.stop()
    else:
        pair.standby.promote()
    pair.revoke()
    for _ in range(3):
        assert pair.looks() == (False, 0)
    assert outcomes(pair.database)["unreachable" if how == "stopped" else "unfit"] == 1


def test_a_standby_is_asked_again_after_a_while(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "UNREACHABLE_BACKOFF", 0.0)
    assert pair.looks_there() == 1
    pair.standby.server.stop()
    assert pair.looks() == (False, 1)
    pair.standby.server.start()
    assert pair.looks_there() == 1


def test_without_the_primary_no_standby_is_read(pair: Pair) -> None:
    """Nobody says how far it must be: no answer, rather than an old one."""
    assert pair.looks_there() == 1
    with (
        pair.also(pair.url(), primary="postgresql+psycopg://clearance_app:x@127.0.0.1:1/x") as alone,
        pytest.raises(DatabaseUnavailable),
    ):
        pair.looks(alone)
    with pair.also(pair.url(), primary=pair.url()) as misled, pytest.raises(DatabaseUnavailable):
        pair.looks(misled)


def test_another_role_or_database_is_not_read(pair: Pair) -> None:
    """A superuser on the standby would pass the locks that the start-up probe has looked at on the primary."""
    superuser = pair.standby.server.url("postgres", "test-superuser", pair.library.db.name)
    for url in (superuser, pair.url("search"), pair.standby.url("app", TEMPLATE)):
        with pair.also(url, wait_ms=LONG) as wrong:
            assert pair.looks(wrong) == (False, 1)
            assert outcomes(wrong) == {"unfit": 1}


def test_a_standby_of_a_lost_history_is_not_read(pair: Pair, tmp_path: Path) -> None:
    """After a failover its numbers are ahead of the new primary's, and mean nothing: it never saw the revocation."""
    with Standby(pair.library.db.cluster, tmp_path / "heir") as heir:
        heir.catch_up()
        heir.follow(None)
        # Committed on the old primary, replayed by the standby, never by the heir.
        for n in range(3):
            pair.library.document(pair.collection, f"{n}.md", "lost")
        pair.standby.catch_up()
        heir.promote()
        with pair.also(pair.url(), primary=heir.url("app", pair.library.db.name), wait_ms=200) as after:
            heir.value("delete from rule_grant", pair.library.db.name)
            position = position_of(after.engine)
            assert pair.standby.value(f"select pg_last_wal_replay_lsn() > '{position.lsn}'"), "it seems to be ahead"
            assert pair.shows_carelessly() == 4
            assert pair.looks(after) == (False, 0)
            assert outcomes(after) == {"unfit": 1}


def test_after_a_failover_a_standby_that_follows_is_read_again(pair: Pair, tmp_path: Path) -> None:
    """From its next restart point on: until then its control file does not say which history it has reached."""
    with Standby(pair.library.db.cluster, tmp_path / "heir") as heir:
        # The old primary writes by itself now and then: what the heir never had would be a lost history.
        pair.standby.follow(None)
        heir.catch_up()
        heir.promote()
        pair.standby.follow(heir)
        with pair.also(pair.url(), primary=heir.url("app", pair.library.db.name), wait_ms=200) as after:
            heir.value("checkpoint")
            position = position_of(after.engine)
            assert position.timeline == 2
            pair.standby.until(f"select pg_last_wal_replay_lsn() >= '{position.lsn}'")
            pair.standby.value("checkpoint")

            def read() -> bool:
                heir.value("select pg_current_xact_id()")
                return pair.looks(after) == (True, 1)

            wait_for(read, seconds=PATIENCE)


def test_a_standby_that_is_behind_is_waited_for_now_and_then(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each search would wait in vain, for as long as it is; but one that is always a little behind is worth a wait."""
    slept: list[float] = []
    with pair.also(pair.url(), wait_ms=200) as patient:
        pair.standby.pause()
        pair.revoke()
        monkeypatch.setattr(time, "sleep", slept.append)
        monkeypatch.setattr(replicas, "BEHIND_BACKOFF", PATIENCE)
        for waits in (True, False, False):
            slept.clear()
            assert pair.looks(patient) == (False, 0)
            assert bool(slept) == waits
        # A search that does not wait does not put that off.
        monkeypatch.setattr(replicas, "BEHIND_BACKOFF", 0.5)
        patient.replicas._standbys[0]._retry_at = time.monotonic() + 0.5
        deadline = time.monotonic() + 5
        while not slept and time.monotonic() < deadline:
            assert pair.looks(patient) == (False, 0)
        assert slept


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"clock": dt.datetime(2100, 1, 1, tzinfo=dt.UTC)}, "skewed"),
        ({"clock": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "skewed"),
        ({"system": 1}, "unfit"),
    ],
)
def test_another_clock_or_another_cluster_is_not_read(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], outcome: str
) -> None:
    """By a slow clock a grant would end too late, by a fast one it would start too early."""
    assert pair.looks_there() == 1
    told = position_of
    monkeypatch.setattr(replicas, "position_of", lambda primary: told(primary)._replace(**change))
    before = outcomes(pair.database)[outcome]
    assert pair.looks() == (False, 1)
    assert outcomes(pair.database)[outcome] == before + 1


def test_a_clock_that_is_a_little_ahead_is_waited_for(database: Database) -> None:
    """Until the primary has come to the moment of the snapshot, by which its grants start. An answer that was long on
    its way makes no clock wrong: the search waits as if the primary had read its clock at the end.
    """
    there = position_of(database.engine)
    assert there.asked <= there.told
    now = time.monotonic()
    position = there._replace(asked=now, told=now)
    assert replicas._wait_for_moment(position.clock + dt.timedelta(milliseconds=15), position)
    assert time.monotonic() - now >= 0.015
    late = time.monotonic() - now + replicas.MAX_CLOCK_SKEW + 60
    assert not replicas._wait_for_moment(position.clock + dt.timedelta(seconds=late), position)
    assert replicas._wait_for_moment(position.clock, position)
    now = time.monotonic()
    position = position_of(database.engine)._replace(asked=now - 60, told=now)
    assert replicas._wait_for_moment(position.clock + dt.timedelta(milliseconds=50), position)
    assert time.monotonic() - now >= 0.05


def test_behind_a_balancer_the_server_that_was_asked_must_be_the_one_that_answers(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replicas.SNAPSHOT.text.replace("inet_server_port()", "inet_server_port() + 1")
    assert pair.looks_there() == 1
    monkeypatch.setattr(replicas, "SNAPSHOT", text(other))
    assert pair.looks() == (False, 1)
    assert outcomes(pair.database)["unfit"] == 1


def test_several_standbys_take_turns_and_stand_in_for_each_other(pair: Pair, tmp_path: Path) -> None:
    with Standby(pair.library.db.cluster, tmp_path / "second") as second:
        second.catch_up()
        with pair.also(pair.url(), second.url("app", pair.library.db.name), wait_ms=LONG) as both:
            for _ in range(6):
                assert pair.looks(both) == (True, 1)
            assert {(c.replica, c.outcome) for c in both.replicas.counts()} == {(1, "used"), (2, "used")}
        with pair.also(pair.url(), second.url("app", pair.library.db.name)) as both:
            pair.standby.pause()
            pair.revoke()

            def stands_in() -> bool:
                second.catch_up()
                return pair.looks(both) == (True, 0)

            wait_for(stands_in, seconds=PATIENCE)
            assert {c.replica for c in both.replicas.counts() if c.outcome == "used"} == {2}


def test_nobody_sees_anything_on_the_standby_without_a_good_identity(pair: Pair) -> None:
    """No identity, somebody's forged, expired or cut one; and what was remembered is not believed under another."""
    assert pair.looks_there() == 1
    identity = text(SIGN)
    with pair.database.on_replica_or_primary(pair.ada) as session:
        assert session.scalar(RECOVERING)
        assert session.scalar(text("select current_setting('clearance.scopes') <> ''")), "remembered there too"
        signed, expired = (signed_for(session, pair.ada, seconds=seconds) for seconds in (60, -1))
        forged = signed_for(session, pair.ada, key="ab" * 32)
        for bad in ("", forged, expired, signed[:-1], signed.replace(str(pair.ada), str(uuid.uuid4()))):
            session.execute(identity, {"identity": bad})
            for table in ("document", "chunk", "vector_row", "posting", "scope_volume"):
                assert session.scalar(text(f"select count(*) from {table}")) == 0, (bad, table)
        session.execute(identity, {"identity": signed})
        assert session.scalar(DOCUMENTS) == 1


def test_only_searches_go_to_the_standby(pair: Pair) -> None:
    assert pair.looks_there() == 1
    for door in (pair.database.reading, pair.database.writing):
        with door(pair.ada) as session:
            assert not session.scalar(RECOVERING)
    with pair.database.anonymous() as session:
        assert not session.scalar(RECOVERING)
