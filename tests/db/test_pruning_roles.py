"""Nothing but a rule of retention removes a record of the log, whoever tries, and in whatever way."""

import contextlib
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit.events.retention import LogPruned
from app.audit.log import record
from app.audit.sequencing import PLACE, SEQUENCER
from tests.db.aged_log import GONE, AgedLog
from tests.db.audit_db import LEAF, forged, leaf
from tests.support.cluster import Db

OLD, NEW = 100, 10
DOCUMENT = uuid.UUID(int=77)


@pytest.fixture
def log(db: Db) -> Iterator[AgedLog]:
    with contextlib.closing(AgedLog(db)) as made:
        yield made


def claim(log: AgedLog, *numbers: int) -> None:
    """As the sequencer's role: a record that says that these went, and what it takes to have them go."""
    with log.world.session("sequencer") as session:
        ranges = tuple((number, number) for number in numbers)
        event = LogPruned(actor=SEQUENCER, entries=ranges, rules=(), counts={})
        record(session, event)
        session.execute(PLACE, {"ids": [event.id]})
        session.execute(text("select clearance.prune(:id)"), {"id": event.id})


def test_the_sequencer_alone_removes_nothing_that_no_rule_does(log: AgedLog) -> None:
    log.search("ada", OLD)
    log.search("ada", NEW)
    log.place()
    unruled: tuple[tuple[int, ...], ...] = ((0,), (1,), (), (7,))
    for numbers in unruled:
        with pytest.raises(DBAPIError, match="no rule of retention"):
            claim(log, *numbers)
    log.rule("search", 90)
    wrong: tuple[tuple[int, ...], ...] = ((1,), (0, 1))
    for numbers in wrong:
        with pytest.raises(DBAPIError, match="no rule of retention"):
            claim(log, *numbers)
    claim(log, 0)
    assert log.numbers(GONE) == [0]


def test_a_record_of_another_transaction_removes_nothing(log: AgedLog) -> None:
    """Else a head could cover the hole and not what is said of it; and records could go that were never said to."""
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    event = LogPruned(actor=SEQUENCER, entries=((0, 0),), rules=(), counts={})
    with log.world.session("sequencer") as session:
        record(session, event)
        session.execute(PLACE, {"ids": [event.id]})
    with (
        log.world.session("sequencer") as session,
        pytest.raises(DBAPIError, match="no rule of retention"),
        session.begin_nested(),
    ):
        session.execute(text("select clearance.prune(:id)"), {"id": event.id})


def test_a_record_of_another_kind_removes_nothing(log: AgedLog) -> None:
    """Else a hole would be under a head of which no verifier knows the reason."""
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    record = forged("sequencer", entries=[[0, 0]])
    assert record["kind"] != "log.pruned"
    with log.world.session("sequencer") as session:
        session.execute(text(LEAF), leaf(record))
        session.execute(PLACE, {"ids": [record["id"]]})
        with pytest.raises(DBAPIError, match="no rule of retention"), session.begin_nested():
            session.execute(text("select clearance.prune(:id)"), {"id": record["id"]})


def test_what_is_left_of_a_record_has_its_hash(log: AgedLog) -> None:
    """The owner too removes nothing under another one."""
    log.search("ada", OLD)
    log.place()
    log.world.run("owner", "insert into audit_pruned (seq, leaf_hash, record) values (0, sha256('x'), 1)")
    for table in ("audit_leaf", "audit_entry"):
        log.world.check_refused("append-only", "owner", f"delete from {table}")


def test_an_unplaced_record_removes_nothing(log: AgedLog) -> None:
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    event = LogPruned(actor=SEQUENCER, entries=((0, 0),), rules=(), counts={})
    with log.world.session("sequencer") as session:
        record(session, event)
        with pytest.raises(DBAPIError, match="no rule of retention"), session.begin_nested():
            session.execute(text("select clearance.prune(:id)"), {"id": event.id})


ROLES = ("app", "ingest", "sequencer", "delivery", "owner")


@pytest.mark.parametrize("role", ROLES)
def test_nobody_removes_a_record_otherwise(log: AgedLog, role: str) -> None:
    log.answer("ada", OLD, DOCUMENT)
    log.place()
    log.rule("search", 90)
    refused = "permission denied|append-only"
    for table in ("audit_document", "audit_tag", "audit_entry", "audit_leaf"):
        with pytest.raises(DBAPIError, match=refused):
            log.world.run(role, f"delete from {table}")
    log.world.run("owner", "insert into audit_pruned (seq, leaf_hash, record) values (99, sha256('x'), 100)")
    for statement in ("update audit_pruned set record = 200", "delete from audit_pruned", "truncate audit_pruned"):
        log.world.check_refused(refused, role, statement)
    if role != "owner":
        insert = "insert into audit_pruned (seq, leaf_hash, record) values (0, sha256('x'), 100)"
        log.world.check_refused(refused, role, insert)
        log.world.check_refused("permission denied", role, "update retention_rule set days = 30")
    if role not in {"owner", "sequencer"}:
        log.world.check_refused("permission denied", role, "select clearance.prunable(0)")
        log.world.check_refused("permission denied", role, "select clearance.prune(gen_random_uuid())")
