"""Scopes: what a change of rules writes and what it leaves alone, what raises the policy epoch, who may change what."""

import datetime as dt
import itertools
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.placement import Upload, submit
from app.acl.rule_changes import rule_collection
from app.acl.rules import Grant, OwnRule
from app.acl.scopes import scope_for
from app.acl.visible import visible_scopes
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection, Curator, PolicyEpoch, Scope
from app.db.tables.library import IngestJob
from app.db.tables.people import Membership, Role, RoleInside, User
from app.errors import Conflict
from app.identity.subject import EVERYONE, FOR_PEOPLE, Label, Principal
from tests.support.library_db import TEXT_TABLES, LibraryDb, allow, counts

ALL = sorted(FOR_PEOPLE)


def rule(*grants: Grant, label: Label | None = Label.INTERNAL, inherits: bool = False) -> OwnRule:
    return OwnRule(frozenset(grants), inherits=inherits, label=label)


def places(library: LibraryDb, table: str) -> list[str]:
    """Where each row lies and who wrote it last: any write of a row changes it."""
    with library.session("owner") as session:
        return list(session.scalars(text(f"select ctid::text || ' ' || xmin::text from {table} order by 1")))


def epoch(library: LibraryDb) -> int:
    return library.value("owner", "select number from policy_epoch")


def test_regranting_a_collection_writes_no_content(library: LibraryDb, database: Database) -> None:
    """Documents change hands; of their rows, not one is written."""
    readers, admin = library.role("readers"), library.person("root", may=ALL)
    ada = library.person("ada", roles=[readers])
    collection = library.collection("big")
    for n in range(12):
        own = rule(allow("user", ada), label=None, inherits=True) if n % 4 == 0 else None
        library.document(collection, f"{n}.md", f"text {n}", own=own)
    before = {table: places(library, table) for table in TEXT_TABLES}
    with database.reading(ada) as session:
        assert counts(session)["document"] == 3
    with database.writing(admin) as session:
        found = session.get_one(Collection, collection)
        change = rule_collection(session, library.subject(admin), found, rule(allow("role", readers)))
    assert len({move.scope_id for move in change.moves}) == 2
    assert {table: places(library, table) for table in TEXT_TABLES} == before
    with database.reading(ada) as session:
        assert counts(session)["chunk"] == 12


def test_scopes_are_resolved_once_in_a_snapshot_and_anew_in_each(library: LibraryDb, database: Database) -> None:
    """Each subject's own; where something may be written, as often as they are asked for."""
    ada, ben = library.person("ada"), library.person("ben")
    adas = library.scope(library.collection("ada's", allow("user", ada)))
    bens = library.scope(library.collection("ben's", allow("user", ben)))
    one, other = library.subject(ada), library.subject(ben)
    with database.reading(ada) as session:
        first = visible_scopes(session, one)
        assert visible_scopes(session, one) is first
        assert first.scope_ids == (adas,)
        assert visible_scopes(session, other).scope_ids == (bens,)
        assert visible_scopes(session, replace(one, clearance=Label.PUBLIC)).scope_ids == ()
        adas_too = library.scope(library.collection("ada's too", allow("user", ada)))
        assert visible_scopes(session, one) is first
    with database.reading(ada) as session:
        assert visible_scopes(session, one).scope_ids == (adas, adas_too)
    with library.session("owner") as session:
        assert visible_scopes(session, one) is not visible_scopes(session, one)


def test_equal_rules_on_two_collections_are_two_scopes(library: LibraryDb) -> None:
    ada = library.person("ada")
    one, two = library.collection("one", allow("user", ada)), library.collection("two", allow("user", ada))
    assert library.scope(one) != library.scope(two)
    assert library.scope(one) == library.scope(one)
    rules = "select count(distinct rule_id) from scope where id = any (:ids)"
    assert library.value("owner", rules, ids=[library.scope(one), library.scope(two)]) == 1


def test_derived_rows_cannot_stand_elsewhere(library: LibraryDb) -> None:
    """Not even the worker, while the document is being uploaded, or the owner puts a row under another scope."""
    ada, shut = library.person("ada"), library.collection("shut")
    document = library.document(shut, "a.md", "text")
    open_scope = library.scope(library.collection("open", allow("user", ada)))
    chunk = library.value("owner", "select id from chunk where document_id = :d", d=document)
    wrong = {
        "chunk": "(document_id, scope_id, ordinal, heading_path, text, tokens)"
        f" values ({document}, :s, 9, '{{}}', 'x', 1)",
        "vector_row": f"(chunk_id, scope_id, terms, embedding) values ({chunk}, :s, 1, '[0]')",
        "posting": f"(document_id, scope_id, term, entries) values ({document}, :s, 1, sha256(''))",
        "original": f"(document_id, scope_id, title, content) values ({document}, :s, '', '')",
    }
    library.run("owner", "delete from vector_row")
    library.run("owner", "delete from original")
    with library.uploading(shut, {"a.md": (library.scope(shut), b"text")}):
        for (table, row), role in itertools.product(wrong.items(), ("ingest", "owner")):
            library.check_refused(f"{table}_\\w+_fkey", role, f"insert into {table} {row}", s=open_scope)
    library.check_refused(
        "document_scope_id_fkey",
        "owner",
        "update document set scope_id = :scope where id = :id",
        scope=open_scope,
        id=document,
    )


def test_a_collection_goes_with_all_that_stands_on_it(library: LibraryDb, database: Database) -> None:
    collection = library.collection("collection")
    library.document(collection, "a.md", "text", own=rule(Grant("allow", EVERYONE)))
    admin = library.person("root", may=ALL)
    with library.changing(database, admin) as session:
        session.execute(delete(Collection).where(Collection.id == collection))
    with library.session("owner") as session:
        assert counts(session) == dict.fromkeys(TEXT_TABLES, 1), "the canary's"


def test_what_raises_the_epoch(library: LibraryDb) -> None:
    """Each change of users, roles, grants or labels; in the transaction that makes it."""
    ada, one, two = library.person("ada"), library.role("one"), library.role("two")
    collection = library.collection("collection")
    changes: dict[str, Callable[[WriteSession], object]] = {
        "user made": lambda s: s.add(User(name="x", display_name="")),
        "clearance": lambda s: s.execute(update(User).where(User.id == ada).values(clearance=3)),
        "capabilities": lambda s: s.execute(update(User).where(User.id == ada).values(capabilities=[])),
        "switched off": lambda s: s.execute(update(User).where(User.id == ada).values(active=False)),
        "role made": lambda s: s.add(Role(name="x")),
        "member": lambda s: s.execute(insert(Membership).values(user_id=ada, role_id=one)),
        "member gone": lambda s: s.execute(delete(Membership)),
        "nested": lambda s: s.execute(insert(RoleInside).values(role_id=one, inside_id=two)),
        "unnested": lambda s: s.execute(delete(RoleInside)),
        "role gone": lambda s: s.execute(delete(Role).where(Role.id == two)),
        "collection re-granted": lambda s: rule_collection(
            s, library.subject(ada), s.get_one(Collection, collection), rule(Grant("allow", EVERYONE))
        ),
        "a new kind of rule on the collection": lambda s: scope_for(s, s.get_one(Collection, collection), rule()),
        "user gone": lambda s: s.execute(delete(User).where(User.id == ada)),
        "collection gone": lambda s: s.execute(delete(Collection).where(Collection.id == collection)),
    }
    for what, change in changes.items():
        before = epoch(library)
        with library.session("owner") as session:
            session.author = ada
            change(session)
            session.flush()
            assert session.scalars(select(PolicyEpoch.number)).one() > before, what
            assert epoch(library) == before, "seen by others with the commit only"
        assert epoch(library) > before, what


def test_what_leaves_the_epoch_alone(library: LibraryDb) -> None:
    """Documents under scopes that stand, their new versions and their going; descriptions; keys and curators."""
    collection, ada = library.collection("collection"), library.person("ada")
    before = epoch(library)
    library.document(collection, "a.md", "text")
    library.document(collection, "a.md", "new text")
    library.run("owner", "update collection set description = 'x'")
    library.run("owner", "delete from document where path = 'a.md'")
    with library.session("owner") as session:
        session.add(Curator(user_id=ada, collection_id=collection))
    assert epoch(library) == before


def test_valid_until_is_the_next_turn(library: LibraryDb, database: Database) -> None:
    """The next start or end among the grants about the subject: his own, his roles', everyone's; never another's."""
    role = library.role("role")
    ada, ben = library.person("ada", roles=[role]), library.person("ben")
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    hours = [now + dt.timedelta(hours=n) for n in range(8)]

    def until() -> dt.datetime | None:
        with database.reading(ada) as session:
            return visible_scopes(session, library.subject(ada)).valid_until

    assert until() is None
    library.collection("ben", Grant("allow", Principal("user", ben), hours[1], hours[2]))
    library.collection("past", Grant("allow", EVERYONE, None, now - dt.timedelta(hours=1)))
    assert until() is None
    for n, principal in ((6, EVERYONE), (5, Principal("role", role)), (4, Principal("user", ada))):
        library.collection(f"s{n}", Grant("deny", principal, None, hours[n]))
        assert until() == hours[n]
    library.collection("starts", Grant("allow", EVERYONE, hours[3], None))
    assert until() == hours[3]


@pytest.mark.parametrize("first", ["re-grant", "scope"])
def test_a_scope_made_beside_a_re_grant_follows(library: LibraryDb, database: Database, first: str) -> None:
    """Whoever comes second waits and sees what the first one did: no scope keeps the rule of before."""
    ada, admin = library.person("ada"), library.person("root", may=ALL)
    collection = library.collection("collection", allow("user", ada))
    curator = library.person("cora", may=ALL, curates=[collection])
    own = rule(label=Label.PUBLIC, inherits=True)

    def re_grant() -> None:
        with database.writing(admin) as session:
            rule_collection(session, library.subject(admin), session.get_one(Collection, collection), rule())
            meet(session)

    def make_scope() -> None:
        with database.writing(curator) as session:
            guard_change(session, library.subject(curator))
            found = session.get_one(Collection, collection)
            found.own_rule  # noqa: B018  # read before the re-grant commits
            scope_for(session, found, own)
            meet(session)

    def meet(session: WriteSession) -> None:
        """Whoever gets here first holds his transaction open until the other one has come as far as he can."""
        session.flush()
        if not held.is_set():
            held.set()
            other.start()
            other.join(timeout=1.0)

    held = threading.Event()
    acts = (re_grant, make_scope) if first == "re-grant" else (make_scope, re_grant)
    other = threading.Thread(target=acts[1])
    acts[0]()
    other.join()
    with library.session("owner") as session:
        rules = session.scalars(select(Scope.rule_id).where(Scope.collection_id == collection)).all()
    assert len(rules) == 2, "both acts were done"
    with database.reading(ada) as reading:
        assert visible_scopes(reading, library.subject(ada)).scope_ids == (), "the collection is shut, all of it"


# --- Scopes on which nothing stands are collected, beside everything else that goes on.


def test_idle_scopes_go_and_used_ones_stay(library: LibraryDb, database: Database) -> None:
    """Deleted: what nothing stands on. Kept: the collection's plain scope and those of documents or waiting uploads."""
    collection = library.collection("collection", Grant("allow", EVERYONE))
    own = [OwnRule(label=label) for label in Label]
    library.document(collection, "a.md", "text", own=own[0])
    for each in own[1:]:
        library.scope(collection, each)
    curator = library.person("cora", may=ALL, curates=[collection])
    with database.writing(curator) as session:
        upload = Upload("late.md", b"# Late", own[1])
        submit(session, library.subject(curator), session.get_one(Collection, collection), upload)
    assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 2
    assert library.value("owner", "select count(*) from scope where collection_id = :s", s=collection) == 3
    assert library.value("owner", "select count(*) from document") == 2
    library.run(
        "owner",
        "update ingest_job set state = 'failed', finished_at = now() - interval '2 days' where path = 'late.md'",
    )
    assert library.value("ingest", "select clearance.collect_scopes('3 days')") == 0
    assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 1
    past = "select count(*) from scope_history where valid_to is not null"
    assert library.value("owner", past) == 3, "history names them still"


def test_a_scope_found_is_held_before_anything_stands_on_it(library: LibraryDb, database: Database) -> None:
    """Between finding a scope and putting a document on it nobody collects it."""
    collection = library.collection("collection", Grant("allow", EVERYONE))
    idle = OwnRule(label=Label.PUBLIC)
    library.scope(collection, idle)
    curator = library.person("cora", may=ALL, curates=[collection])
    with database.writing(curator) as session:
        scope_for(session, session.get_one(Collection, collection), idle)
        assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 0
    assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 1


def test_many_uploads_beside_the_collector(library: LibraryDb, database: Database) -> None:
    """Uploads under ever new rules, and a collector that never rests: each upload is taken, at its second
    try at the latest, and has its scope.
    """
    collection = library.collection("collection", Grant("allow", EVERYONE))
    curator = library.person("cora", may=ALL, curates=[collection])
    subject = library.subject(curator)
    stop = threading.Event()
    moment = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)

    def collect() -> None:
        while not stop.is_set():
            library.run("ingest", "select clearance.collect_scopes('1 day')")

    def send(upload: Upload) -> None:
        with database.writing(curator) as session:
            submit(session, subject, session.get_one(Collection, collection), upload)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for n in range(30):
            own = OwnRule(frozenset({Grant("allow", EVERYONE, moment + dt.timedelta(n % 7))}), inherits=False)
            upload = Upload(f"{n}.md", b"# A", own)
            try:
                send(upload)
            except Conflict:  # its scope stood empty and was collected between two looks
                send(upload)
            if n % 3 == 0:
                library.run("owner", "delete from ingest_job")
    finally:
        stop.set()
        collector.join()
    with Session(library.engine("owner")) as reading:
        assert len(reading.scalars(select(IngestJob.id).where(IngestJob.path != "canary")).all()) == 2
