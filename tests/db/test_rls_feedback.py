"""Row-level security on what askers say of answers, tried with raw SQL as the API's database role."""

import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from app.db.session import Database
from app.identity.subject import Capability
from tests.support.library_db import LibraryDb, allow, check_refused, touched

ADD = "insert into answer_feedback (id, user_id, trail, block, helpful) values (:id, :who, :id, 0, false)"
ADD_SOURCE = (
    "insert into answer_feedback_source (feedback_id, document_id, scope_id, user_id)"
    " select :id, id, scope_id, :who from document where path = :path"
)
LISTED = text("select id from answer_feedback")


@dataclass(frozen=True)
class Said:
    """Ada's word on an answer made from a document of each of two collections; Cleo curates the first alone, Ben
    reads both, and Kim curates neither.
    """

    library: LibraryDb
    ada: uuid.UUID
    ben: uuid.UUID
    cleo: uuid.UUID
    kim: uuid.UUID
    id: uuid.UUID


@pytest.fixture
def said(library: LibraryDb, database: Database) -> Said:
    ada, ben = library.person("ada"), library.person("ben")
    grants = (allow("user", ada), allow("user", ben))
    first, second = library.collection("first", *grants), library.collection("second", *grants)
    cleo = library.person("cleo", may=[Capability.ASK, Capability.CURATE], curates=[first])
    kim = library.person("kim", may=[Capability.ASK, Capability.CURATE, Capability.ADMINISTER])
    library.document(first, "alder.md", "the alder")
    library.document(second, "ash.md", "the ash")
    library.document(library.collection("hidden", allow("user", ben)), "birch.md", "the birch")
    made = Said(library, ada, ben, cleo, kim, uuid.uuid4())
    with database.writing(ada) as session:
        touched(session, ADD, id=made.id, who=ada)
        for path in ("alder.md", "ash.md"):
            assert touched(session, ADD_SOURCE, id=made.id, who=ada, path=path) == 1
    return made


def seen(database: Database, who: uuid.UUID) -> tuple[int, int]:
    with database.reading(who) as session:
        sources = session.execute(text("select document_id from answer_feedback_source")).all()
        return len(session.execute(LISTED).all()), len(sources)


def test_its_asker_and_the_curators_of_its_documents_see_it(said: Said, database: Database) -> None:
    """Who reads the documents does not, nor an administrator; a curator sees their own collections' documents alone."""
    assert {name: seen(database, getattr(said, name)) for name in ("ada", "cleo", "ben", "kim")} == {
        "ada": (1, 0), "cleo": (1, 1), "ben": (0, 0), "kim": (0, 0),
    }  # fmt: skip


def test_it_follows_the_documents(said: Said, database: Database) -> None:
    """A curator sees no more of it when the document is gone, or lies on a collection of others."""
    moved = (
        "update document set (scope_id, collection_id) = (select scope_id, collection_id from document"
        " where path = 'ash.md') where path = 'alder.md'"
    )
    with said.library.session("owner") as session:
        session.execute(text(moved))
        session.commit()
    assert seen(database, said.cleo) == (0, 0)
    said.library.run("owner", "delete from document where path in ('alder.md', 'ash.md')")
    assert seen(database, said.ada) == (1, 0)


def test_nobody_reads_who_said_it(said: Said, database: Database) -> None:
    for table in ("answer_feedback", "answer_feedback_source"):
        for who in (said.cleo, said.ada):
            check_refused(database, who, "permission denied", f"select user_id from {table}")


def test_nobody_speaks_for_another_or_of_what_they_may_not_read(said: Said, database: Database) -> None:
    new = uuid.uuid4()
    check_refused(database, said.ben, "row-level security", ADD, id=new, who=said.ada)
    spoofed = ADD_SOURCE.replace("select :id, id, scope_id, :who", "select :id, id, scope_id, cast(:who as uuid)")
    check_refused(database, said.ben, "row-level security", spoofed, id=said.id, who=said.ada, path="ash.md")
    check_refused(database, said.ben, "foreign key", ADD_SOURCE, id=said.id, who=said.ben, path="birch.md")
    birch = said.library.value("owner", "select id from document where path = 'birch.md'")
    scope = said.library.value("owner", "select scope_id from document where path = 'birch.md'")
    hidden = "insert into answer_feedback_source values (:id, :d, :s, :who)"
    check_refused(database, said.ada, "row-level security", hidden, id=said.id, d=birch, s=scope, who=said.ada)


def test_its_asker_alone_takes_it_back(said: Said, database: Database) -> None:
    """And nobody changes a word of it."""
    for who in (said.cleo, said.ben):
        with database.writing(who) as session:
            assert touched(session, "delete from answer_feedback") == 0
    for change in ("update answer_feedback set helpful = true", "update answer_feedback_source set scope_id = scope_id",
                   "delete from answer_feedback_source"):  # fmt: skip
        check_refused(database, said.ada, "permission denied", change)
    with database.writing(said.ada) as session:
        assert touched(session, "delete from answer_feedback") == 1
    assert said.library.value("owner", "select count(*) from answer_feedback_source") == 0


@pytest.mark.parametrize("role", ["ingest", "sequencer", "delivery"])
def test_other_services_get_nothing(said: Said, role: str) -> None:
    for table in ("answer_feedback", "answer_feedback_source"):
        said.library.check_refused("permission denied", role, f"select 1 from {table}")


def test_the_mutation_that_forgets_the_collection(said: Said, database: Database) -> None:
    """Every curator would see what was said of anything."""
    said.library.run("owner", "drop policy curators_read on answer_feedback_source")
    said.library.run(
        "owner", "create policy curators_read on answer_feedback_source for select to clearance_app using (true)"
    )
    assert seen(database, said.kim) == (1, 2)
