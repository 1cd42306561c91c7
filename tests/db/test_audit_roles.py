"""Who may do what to the audit tables: the database itself refuses the rest."""

import contextlib
import itertools
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit import sequencing
from app.evidence.merkle import encode, leaf_hash
from app.identity.subject import Capability
from tests.db.audit_db import LEAF, AuditDb, add_leaf, forged, leaf
from tests.support.cluster import Db


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        with made.session("app") as session:
            add_leaf(session)
        with made.session("sequencer") as session:
            sequencing.append_batch(session)
        # What a small log has none of.
        made.run("owner", "insert into audit_document (document, seq) values (:id, 0)", id=uuid.uuid4())
        made.run("owner", "insert into audit_tag (name, value, seq) values ('label', 'public', 0)")
        made.run("owner", "insert into audit_node (level, place, hash) values (8, 0, sha256(''))")
        made.run("owner", "insert into audit_pruned (seq, leaf_hash, record) values (7, sha256(''), 9)")
        made.run("owner", "insert into audit_checkpoint (size, note) values (1, '')")
        made.run("owner", "insert into audit_cosignature (size, signer, line) values (1, 'w', E'\u2014 w\\n')")
        made.run("owner", "insert into audit_timestamp (size, authority, token) values (1, 'a', '')")
        yield made


COLUMNS = {
    "audit_leaf": "body",
    "audit_entry": "leaf_hash",
    "audit_head": "root",
    "audit_document": "document",
    "audit_tag": "value",
    "audit_name": "name",
    "audit_node": "hash",
    "audit_pruned": "leaf_hash",
    "audit_checkpoint": "note",
    "audit_cosignature": "line",
    "audit_timestamp": "token",
}
CHANGES = ["update {0} set {1} = {1}", "delete from {0}", "truncate {0} cascade"]


@pytest.mark.parametrize("role", ["app", "ingest", "sequencer", "delivery", "search", "backup", "owner"])
def test_nobody_changes_or_removes(world: AuditDb, role: str) -> None:
    wanted = "append-only" if role == "owner" else "permission denied"
    for change, (table, column) in itertools.product(CHANGES, COLUMNS.items()):
        world.check_refused(wanted, role, change.format(table, column))


@pytest.mark.parametrize("role", ["app", "ingest", "sequencer", "delivery", "search", "backup"])
def test_services_add_no_entries_and_heads(world: AuditDb, role: str) -> None:
    for table in set(COLUMNS) - {"audit_leaf"}:
        world.check_refused("permission denied", role, f"insert into {table} default values")


def test_writers_choose_neither_transaction_nor_time(world: AuditDb) -> None:
    for column, value in (("xid", "'1'"), ("at", "now()")):
        with pytest.raises(DBAPIError, match="permission denied"):
            given = LEAF.replace("(id,", f"({column}, id,").replace("(:id,", f"({value}, :id,")
            world.run("app", given, **leaf(forged("app")))


@pytest.mark.parametrize(
    ("role", "changes", "constraint"),
    [
        ("app", {"hash": b"\0" * 32}, "leaf_hash"),
        ("ingest", {"kind": "document.failed"}, "body"),
        ("app", {"id": uuid.UUID(int=5)}, "body"),
        ("app", {"body": "{}", "hash": leaf_hash("{}")}, "body"),
    ],
)
def test_a_leaf_is_held_to_its_body(world: AuditDb, role: str, changes: dict[str, object], constraint: str) -> None:
    """Of the kinds that a role may write: another one is refused by row-level security before."""
    world.check_refused(f"audit_leaf_{constraint}_check", role, LEAF, **(leaf(forged(role)) | changes))


def test_writers_read_nothing_back(world: AuditDb) -> None:
    assert world.run("app", "select 1 from audit_leaf") == 0
    world.check_refused("row-level security", "app", LEAF + " returning body", **leaf(forged("app")))
    for statement in ("select 1 from audit_leaf", "select 1 from audit_entry", "select 1 from audit_head"):
        world.check_refused("permission denied", "ingest", statement)


def test_the_sequencer_reads_hashes_and_no_bodies(world: AuditDb) -> None:
    assert world.run("sequencer", "select id, leaf_hash from audit_leaf") == 1
    world.check_refused("permission denied", "sequencer", "select body from audit_leaf")


def test_auditors_alone_read_the_log(world: AuditDb) -> None:
    auditor, asker = (
        world.person(name, may=may)
        for name, may in (("auditor", [Capability.AUDIT]), ("asker", [Capability.ASK, Capability.ADMINISTER]))
    )
    for table in COLUMNS:
        with world.as_user(auditor) as session:
            assert len(session.execute(text(f"select 1 from {table}")).all()) == 1
        with world.as_user(asker) as session:
            assert session.execute(text(f"select 1 from {table}")).all() == []
        assert world.run("app", f"select 1 from {table}") == 0


def test_person_keys_are_made_once(world: AuditDb) -> None:
    person = world.person("ada")
    world.ask(person)
    for statement in ("update person_key set wrapped = ''", "delete from person_key", "truncate person_key"):
        world.check_refused("permission denied", "app", statement)
    for role in ("ingest", "sequencer", "delivery"):
        world.check_refused("permission denied", role, "select 1 from person_key")
    world.ask(person)
    assert world.run("owner", "select 1 from person_key") == 1


def test_document_keys_are_given_by_name_made_once_and_listed_to_nobody(world: AuditDb) -> None:
    """A list of them would tell of documents that the caller may not see."""
    one, other, person = uuid.uuid4(), uuid.uuid4(), world.person("ada")
    add = "select clearance.add_document_keys(array[cast(:id as uuid)], array[cast(:key as bytea)])"
    given = text("select wrapped from clearance.document_keys(array[cast(:id as uuid)])")
    assert world.run("app", add, id=one, key=b"nobody") == 1
    with world.acting(person) as session:
        assert session.execute(given, {"id": one}).all() == [], "without identity none is made"
        for key in (b"first", b"second"):
            session.execute(text(add), {"id": one, "key": key})
        assert session.scalar(given, {"id": one}) == b"first"
        assert session.execute(given, {"id": other}).all() == []
    verbs = ("select 1 from", "insert into", "update", "delete from", "truncate")
    rest = ("", " values (gen_random_uuid(), '')", " set wrapped = ''", "", "")
    for role in ("app", "ingest", "sequencer", "delivery", "search"):
        for verb, more in zip(verbs, rest, strict=True):
            world.check_refused("permission denied", role, f"{verb} document_key{more}")
    for role in ("ingest", "sequencer", "delivery", "search"):
        world.check_refused("permission denied", role, "select clearance.document_keys('{}')")


def test_hash_of_the_database_is_ours(world: AuditDb) -> None:
    body = "é\u2028𝄞"
    with world.session("owner") as session:
        theirs = session.scalar(text("select sha256('\\x00'::bytea || convert_to(:body, 'UTF8'))"), {"body": body})
    assert encode(bytes(theirs or b"")) == encode(leaf_hash(body))


@pytest.mark.parametrize("role", ["app", "ingest", "delivery"])
def test_no_other_role_holds_up_the_sequencer(world: AuditDb, role: str) -> None:
    """Neither by the number of a lock that it once took, nor by the row that it takes now."""
    with world.session(role) as session:
        session.execute(text("select pg_advisory_xact_lock(x'617564697400'::bigint)"))
        for statement in ("select 1 from clearance.turn for update", "select clearance.take_audit_turn()"):
            with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
                session.execute(text(statement))
        with world.session("sequencer") as sequencer:
            assert sequencing.lock(sequencer)
