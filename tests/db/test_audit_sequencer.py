"""The sequencer gives every committed leaf one place, in whatever order they commit, and outlives what befalls it."""

import contextlib
import datetime as dt
import itertools
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.audit import sequencing
from app.audit.events.answers import AnswerClosed
from app.audit.events.base import Actor
from app.audit.log import record
from app.db.session import RECORD_SEALER
from app.evidence.merkle import Frontier
from app.sequencer_process import Sequencer
from tests.db.audit_db import PLACED, AuditDb, add_leaf, opened
from tests.support.cluster import Db
from tests.support.identities import act_as
from tests.support.processes import sequencer
from tests.support.sealing import SEALER
from tests.support.waiting import wait_for

NEVER = dt.timedelta(days=1)


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def append_batch(world: AuditDb, *, horizon: int = 0, batch: int = sequencing.BATCH) -> sequencing.AppendedBatch:
    with world.session("sequencer") as session:
        assert sequencing.lock(session)
        return sequencing.append_batch(session, horizon=horizon, batch=batch)


def test_leaves_are_placed_once_and_heads_published(world: AuditDb) -> None:
    for count in (3, 1, 0, 4):
        for _ in range(count):
            with world.session("app") as session:
                add_leaf(session)
        assert append_batch(world).count == count
    world.check_order(8)
    with world.session("owner") as session:
        hashes = session.scalars(text("select leaf_hash from audit_entry order by seq")).all()
        heads = session.execute(text("select size, frontier, root from audit_head order by size")).all()
    assert [head.size for head in heads] == [3, 4, 8]
    for head in heads:
        frontier = Frontier()
        for leaf in hashes[: head.size]:
            frontier.append(bytes(leaf))
        assert [bytes(n) for n in head.frontier] == frontier.nodes
        assert bytes(head.root) == frontier.root()


def test_the_horizon_spares_the_older_leaves_and_a_full_batch_leaves_it(world: AuditDb) -> None:
    with world.session("app") as session:
        for _ in range(5):
            add_leaf(session)
    placed = append_batch(world, batch=2)
    assert (placed.count, placed.more, placed.horizon) == (2, True, 0), "and asks for more"
    assert append_batch(world, batch=2).more
    placed = append_batch(world, batch=2)
    assert not placed.more
    world.check_order(5)
    below = "select count(*) from audit_leaf where xid < cast(cast(:h as text) as xid8)"
    assert world.value("owner", below, h=placed.horizon) == 5


def test_a_horizon_of_another_database_is_forgotten(world: AuditDb) -> None:
    with world.session("app") as session:
        add_leaf(session)
    assert append_batch(world, horizon=2**60).count == 1


@pytest.mark.parametrize("seed", range(3))
def test_random_commit_orders(world: AuditDb, seed: int) -> None:
    rng = random.Random(seed)
    open_sessions: list[Session] = []
    horizon, committed = 0, 0
    for _ in range(60):
        if open_sessions and (rng.random() < 0.5 or len(open_sessions) > 12):
            session = open_sessions.pop(rng.randrange(len(open_sessions)))
            if rng.random() < 0.8:
                session.commit()
                committed += 1
            session.close()
        else:
            session = Session(world.engine("app"))
            add_leaf(session)
            open_sessions.append(session)
        if rng.random() < 0.4:
            horizon = append_batch(world, horizon=horizon, batch=rng.choice([2, 100])).horizon
    for session in open_sessions:
        session.commit()
        committed += 1
        session.close()
    while append_batch(world, horizon=horizon).count:
        pass
    world.check_order(committed)


def test_askers_wait_for_nobody(world: AuditDb) -> None:
    """Sixteen open transactions hold a leaf each while the sequencer works: with any shared lock one would time out."""
    sessions = [Session(world.engine("app"), info={RECORD_SEALER: SEALER}) for _ in range(16)]
    people = [uuid.uuid4() for _ in sessions]
    with world.session("sequencer") as sequencer:
        assert sequencing.lock(sequencer)
        for session, person in zip(sessions, people, strict=True):
            act_as(session, person)
            session.execute(text("set local lock_timeout = '50ms'"))
            record(session, opened(person, uuid.uuid4()))
        assert world.value("owner", "select count(*) from pg_locks where not granted") == 0
        sequencing.append_batch(sequencer)
    for session in reversed(sessions):
        session.commit()
        session.close()
    assert append_batch(world).count == 16
    world.check_order(16)


def test_several_sequencers_beside_many_writers(world: AuditDb) -> None:
    done = threading.Event()

    def write() -> None:
        rng = random.Random()
        for _ in range(25):
            with world.session("app") as session:
                add_leaf(session)
                time.sleep(rng.random() / 100)

    def sequence() -> None:
        Sequencer(world.engine("sequencer"), close_after=NEVER, poll_seconds=0.001).run(done.wait)

    with ThreadPoolExecutor(11) as threads:
        sequencers = [threads.submit(sequence) for _ in range(3)]
        writers = [threads.submit(write) for _ in range(8)]
        wait(writers)
        done.set()
    for one in (*writers, *sequencers):
        one.result()
    append_batch(world)
    world.check_order(200)


def test_one_sequencer_works_at_a_time(world: AuditDb) -> None:
    with world.session("app") as session:
        add_leaf(session)
    with world.session("sequencer") as first:
        assert sequencing.lock(first)
        assert Sequencer(world.engine("sequencer"), close_after=NEVER).step() is False
        assert world.value("owner", "select count(*) from audit_entry") == 0
    Sequencer(world.engine("sequencer"), close_after=NEVER).step()
    world.check_order(1)


def test_trails_that_nobody_closed_are_closed_once(world: AuditDb) -> None:
    left, closed = uuid.uuid4(), uuid.uuid4()
    person = uuid.uuid4()
    with world.acting(person) as session:
        for trail in (left, closed):
            record(session, opened(person, trail))
        record(session, AnswerClosed(actor=Actor(person), trail=closed, outcome="quoted"))
    with world.session("sequencer") as session:
        assert sequencing.close_abandoned(session, older_than=NEVER)[0] == []
        trails, since = sequencing.close_abandoned(session, older_than=dt.timedelta(0))
        assert trails == [left]
    with world.session("sequencer") as session:
        assert sequencing.close_abandoned(session, older_than=dt.timedelta(0), since=since)[0] == []
    body = json.loads(world.text("select body from audit_leaf where trail = :t and kind = 'answer.closed'", t=left))
    assert (body["outcome"], body["actor"]["name"]) == ("abandoned", "clearance-sequencer")


def test_a_pass_that_fails_publishes_nothing_and_raises(world: AuditDb) -> None:
    """An entry that no head covers must stop the process: going on would hide it."""
    with world.session("app") as session:
        leaf = add_leaf(session)
        add_leaf(session)
    world.run("owner", f"{PLACED} where id = :id", id=leaf)
    with pytest.raises(Exception, match="audit_entry_pkey"):
        Sequencer(world.engine("sequencer"), close_after=NEVER).run(lambda _: True)
    assert world.value("owner", "select count(*) from audit_head") == 0


def test_a_lost_database_is_waited_for_with_growing_pauses(world: AuditDb) -> None:
    with world.session("app") as session:
        add_leaf(session)
    url = world.db.url("sequencer").replace("+psycopg", "")
    attempts = itertools.count()
    pauses: list[float] = []

    def dial() -> psycopg.Connection:
        if next(attempts) < 6:
            raise psycopg.OperationalError("nobody answers")
        return psycopg.connect(url)

    def paused(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) == 8

    engine = create_engine("postgresql+psycopg://", creator=dial, poolclass=NullPool)
    Sequencer(engine, close_after=NEVER).run(paused)
    assert pauses == [0.5, 1, 2, 4, 8, 10, 0.5, 0.5]
    world.check_order(1)


def test_the_process_survives_kill_and_lost_connections_and_stops_when_told(world: AuditDb, tmp_path: Path) -> None:
    def placed(count: int) -> None:
        wait_for(lambda: world.value("owner", "select count(*) from audit_entry") == count, seconds=30)

    person = uuid.uuid4()
    with world.acting(person) as session:
        record(session, opened(person, uuid.uuid4()))
    with sequencer(tmp_path, world.db, close_after=1) as first:
        placed(2)  # the answer and, after a second, its closing as abandoned
        first.kill()
    with world.session("app") as session:
        add_leaf(session)
    with sequencer(tmp_path, world.db, close_after=1) as second:
        placed(3)
        with world.session("sequencer") as session:
            others = "from pg_stat_activity where usename = current_user and datname = current_database()"
            others += " and pid <> pg_backend_pid()"
            assert session.scalar(text(f"select count(pg_terminate_backend(pid)) {others}")) == 1
        with world.session("app") as session:
            add_leaf(session)
        placed(4)
    assert second.child.returncode == 0
    assert "audit.sequencer_stopped" in second.said
    world.check_order(4)
