"""The worker's upkeep, which needs none of what uploads need; and which revision a database is at, without Alembic."""

import asyncio

import pytest
from alembic.script import ScriptDirectory

from app.acl.rules import OwnRule
from app.db.bootstrap import alembic_config
from app.db.revisions import UnknownRevision, current_revision, newest_revision
from app.identity.subject import Label
from ingest.upkeep import UPKEEP_QUEUE, build_upkeep
from tests.support.library_db import LibraryDb


def test_it_tidies_as_the_workers_role_and_takes_no_upload(library: LibraryDb) -> None:
    collection = library.collection("collection")
    library.scope(collection, OwnRule(label=Label.RESTRICTED))
    of = {name: library.person(name) for name in ("old", "asked again", "held")}
    for person in of.values():
        library.run(
            "owner", "insert into conversation (user_id, created_at) values (:p, now() - interval '31 days')", p=person
        )
    library.run(
        "owner", "insert into turn (id, conversation_id, user_id, question, mode, outcome, policy_epoch)"
        " select gen_random_uuid(), id, user_id, '?', 'quote', 'quoted', 1 from conversation where user_id = :p",
        p=of["asked again"],
    )  # fmt: skip
    library.run(
        "owner", "insert into legal_hold (person, placed_by, reason) values (:p, :p, 'A case.....')", p=of["held"]
    )
    library.run(
        "owner", "insert into pseudonym (trail, kind, number, user_id, sealed, created_at, expires_at) values"
        " (:p, 'phone', 1, :p, '{}', now() - interval '2 hours', now() - interval '1 hour')",
        p=of["asked again"],
    )  # fmt: skip
    upkeep = build_upkeep(library.db.libpq("ingest"), stalled_after=30, keep_jobs_days=7, keep_conversations_days=30)
    tasks = {name: task for name, task in upkeep.tasks.items() if name.startswith("ingest.")}
    assert {task.queue for task in tasks.values()} == {UPKEEP_QUEUE}
    assert "ingest.upload" not in tasks

    async def all_of_them() -> None:
        async with upkeep.open_async():
            for task in tasks.values():
                await task.func(timestamp=0)

    scopes = "select count(*) from scope where collection_id = :collection"
    assert library.value("owner", scopes, collection=collection) == 2
    asyncio.run(all_of_them())
    assert library.value("owner", scopes, collection=collection) == 1, "the one on which nothing stands has gone"
    left = "select count(*) from conversation where user_id = :p"
    assert {name: library.value("owner", left, p=person) for name, person in of.items()} == {
        "old": 0, "asked again": 1, "held": 1,
    }  # fmt: skip
    assert library.value("owner", "select count(*) from pseudonym") == 0, "its time is over"


def test_revisions_are_those_that_alembic_sees(library: LibraryDb) -> None:
    newest = ScriptDirectory.from_config(alembic_config("")).get_current_head()
    assert newest_revision() == newest
    assert current_revision(library.db.libpq("owner")) == newest
    library.run("owner", "update alembic_version set version_num = 'of the future'")
    with pytest.raises(UnknownRevision, match="of the future"):
        current_revision(library.db.libpq("owner"))
    library.run("owner", "drop table alembic_version")
    assert current_revision(library.db.libpq("owner")) is None
