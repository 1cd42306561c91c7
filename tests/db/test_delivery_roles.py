"""What the database role of delivery may: read records as they lie in the log, and move positions forward."""

import contextlib
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.identity.subject import Capability
from tests.db.audit_db import LEAF, AuditDb, forged, leaf
from tests.db.delivered import Delivering, delivering
from tests.support.cluster import Db

MOVES = {
    "plan": "select clearance.plan_delivery('siem', 0, 1)",
    "keep": "select clearance.keep_delivery('siem', 0, 1)",
    "put aside": "select clearance.put_aside('siem', 0, 'why')",
    "end of a retry": "select clearance.end_retry('siem', 0, null)",
    "failure": "select clearance.note_delivery_failure('siem', 'why')",
    "head": "select clearance.keep_delivered_head('siem', 1)",
    "targets": "select * from clearance.configure_deliveries('{}', '{}', '{}')",
}
READABLE = {
    "audit_leaf": {"id", "body"},
    "audit_entry": {"seq", "leaf_id", "leaf_hash", "at", "kind"},
    "audit_head": {"size", "root", "at"},
    "audit_pruned": {"seq", "leaf_hash", "at"},
    "audit_checkpoint": {"size", "note", "at"},
    "audit_cosignature": {"size", "signer", "line", "at"},
    "audit_delivery": None,
    "audit_dead_letter": None,
}


@pytest.fixture
def made(db: Db) -> Iterator[Delivering]:
    with contextlib.closing(AuditDb(db)) as world, delivering(world, "siem http http://127.0.0.1:9 jsonl") as found:
        found.log.add(3)
        yield found


def test_it_reads_what_the_forms_need_and_no_other_column(made: Delivering) -> None:
    """From the catalog, so that what comes later is seen too."""
    granted = (
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relkind in ('r', 'v', 'm', 'p', 'f') and a.attnum > 0 and not a.attisdropped"
        " and c.relnamespace in ('public'::regnamespace, 'clearance'::regnamespace)"
        " and has_column_privilege('clearance_delivery', c.oid, a.attnum, 'select')"
    )
    found: dict[str, set[str]] = {}
    with made.world.session("admin") as session:
        for table, column in session.execute(text(granted)):
            found.setdefault(table, set()).add(column)
    writers = found.pop("audit_writer")
    assert "kind" in writers
    assert set(found) == set(READABLE)
    for table, columns in READABLE.items():
        assert columns is None or found[table] == columns, table
    assert made.world.run("delivery", "select body from audit_leaf") == len(made.bodies())


def test_it_writes_nothing_but_its_own_kind_of_record(made: Delivering) -> None:
    for table in READABLE:
        for statement in ("delete from {}", "truncate {} cascade", "insert into {} default values"):
            if not (table == "audit_leaf" and "insert" in statement):
                made.world.check_refused("permission denied", "delivery", statement.format(table))
    made.world.check_refused("permission denied", "delivery", "update audit_delivery set delivered = 4")
    record = forged("delivery")
    assert record["kind"] == "delivery.configured"
    assert made.world.run("delivery", LEAF, **leaf(record)) == 1
    for wrong in ({"kind": "document.deleted"}, {"actor": {**record["actor"], "name": "worker"}}):
        with pytest.raises(DBAPIError, match="row-level security"):
            made.world.run("delivery", LEAF, **leaf(forged("delivery", **wrong)))
    person = {**record["actor"], "user": str(uuid.uuid4())}
    with pytest.raises(DBAPIError, match="row-level security"):
        made.world.run("delivery", LEAF, **leaf(forged("delivery", actor=person)))


@pytest.mark.parametrize("what", MOVES)
def test_no_other_role_moves_a_position(made: Delivering, what: str) -> None:
    for role in ("app", "ingest", "sequencer", "search", "backup"):
        made.world.check_refused("permission denied", role, MOVES[what])


def test_a_position_moves_forward_over_what_was_under_way_alone(made: Delivering) -> None:
    size = len(made.bodies())

    def did(statement: str) -> int:
        return made.world.value("delivery", f"select ({statement})::int")

    assert not did("select clearance.keep_delivery('siem', 0, 2)"), "nothing is under way"
    assert not did("select clearance.put_aside('siem', 0, 'why')")
    assert not did(f"select clearance.plan_delivery('siem', 0, {size + 1})"), "there is no such record"
    assert not did("select clearance.plan_delivery('siem', 1, 2)"), "it would leave one out"
    assert not did("select clearance.plan_delivery('siem', 0, 0)")
    assert did("select clearance.plan_delivery('siem', 0, 2)")
    assert not did("select clearance.keep_delivery('siem', 0, 3)"), "more than was sent"
    assert did("select clearance.keep_delivery('siem', 0, 2)")
    assert not did("select clearance.keep_delivery('siem', 0, 2)"), "once"
    assert made.state().delivered == 2


def test_dead_letters_are_retried_by_auditors_alone(made: Delivering) -> None:
    made.world.run("owner", "insert into audit_dead_letter (target, seq, reason) values ('siem', 0, 'HTTP 400')")
    retry = text("select clearance.retry_dead_letters('siem')")
    auditor, admin = (made.world.person(m.value, may=[m]) for m in (Capability.AUDIT, Capability.ADMINISTER))
    for person, marked in ((admin, 0), (auditor, 1)):
        with made.world.acting(person) as session:
            assert session.scalar(retry) == marked
    made.world.check_refused("permission denied", "delivery", retry.text)
    with made.world.session("app") as session:
        assert session.execute(text("select * from clearance.delivery_states()")).all() == [], "to nobody"
    for person in (auditor, admin):
        with made.world.as_user(person) as session:
            assert len(session.execute(text("select * from clearance.delivery_states()")).all()) == 1
    with made.world.as_user(made.world.person("ada")) as session:
        assert session.execute(text("select * from clearance.delivery_states()")).all() == []
