"""Scopes on which nothing stands are collected, beside everything else that goes on."""

import datetime as dt
import threading

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.placement import Upload, submit
from app.acl.rules import Grant, OwnRule
from app.acl.scopes import scope_for
from app.db.session import Database
from app.db.tables.access import Collection
from app.db.tables.library import IngestJob
from app.identity.subject import EVERYONE, Capability, Label
from tests.support.library_db import LibraryDb


def test_idle_scopes_go_and_used_ones_stay(library: LibraryDb, database: Database) -> None:
    """Deleted: what nothing stands on. Kept: the collection's plain scope and those of documents or waiting uploads."""
    collection = library.collection("collection", Grant("allow", EVERYONE))
    own = [OwnRule(label=label) for label in Label]
    library.document(collection, "a.md", "text", own=own[0])
    for rule in own[1:]:
        library.scope(collection, rule)
    curator = library.person("cora", may=list(Capability), curates=[collection])
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


def test_a_scope_about_to_be_used_is_not_collected(library: LibraryDb, database: Database) -> None:
    """An upload that has found its scope and not yet committed keeps it, and the collector does not wait for it."""
    collection = library.collection("collection", Grant("allow", EVERYONE))
    idle = OwnRule(label=Label.PUBLIC)
    scope = library.scope(collection, idle)
    curator = library.person("cora", may=list(Capability), curates=[collection])
    with database.writing(curator) as session:
        submit(session, library.subject(curator), session.get_one(Collection, collection), Upload("a.md", b"# A", idle))
        assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 0
    with library.session("owner") as reading:
        assert reading.scalars(select(IngestJob.scope_id).where(IngestJob.path == "a.md")).one() == scope


def test_a_scope_found_is_held_before_anything_stands_on_it(library: LibraryDb, database: Database) -> None:
    """Between finding a scope and putting a document on it nobody collects it."""
    collection = library.collection("collection", Grant("allow", EVERYONE))
    idle = OwnRule(label=Label.PUBLIC)
    library.scope(collection, idle)
    curator = library.person("cora", may=list(Capability), curates=[collection])
    with database.writing(curator) as session:
        scope_for(session, session.get_one(Collection, collection), idle)
        assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 0
    assert library.value("ingest", "select clearance.collect_scopes('1 day')") == 1


def test_many_uploads_beside_the_collector(library: LibraryDb, database: Database) -> None:
    """Uploads under ever new rules, and a collector that never rests: each upload is taken, each has its scope."""
    collection = library.collection("collection", Grant("allow", EVERYONE))
    curator = library.person("cora", may=list(Capability), curates=[collection])
    subject = library.subject(curator)
    stop = threading.Event()
    moment = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)

    def collect() -> None:
        while not stop.is_set():
            library.run("ingest", "select clearance.collect_scopes('1 day')")

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for n in range(60):
            own = OwnRule(frozenset({Grant("allow", EVERYONE, moment + dt.timedelta(n % 7))}), inherits=False)
            with database.writing(curator) as session:
                submit(session, subject, session.get_one(Collection, collection), Upload(f"{n}.md", b"# A", own))
            if n % 3 == 0:
                library.run("owner", "delete from ingest_job")
    finally:
        stop.set()
        collector.join()
    with Session(library.engine("owner")) as reading:
        assert len(reading.scalars(select(IngestJob.id).where(IngestJob.path != "canary")).all()) == 2
