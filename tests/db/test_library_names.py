"""What documents and collections were called: kept by triggers, and shown to who may read now what they are called."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from app.acl.rules import OwnRule
from app.db.session import Database
from app.identity.subject import FOR_PEOPLE, Capability, Label
from ingest.write import NewVersion, write_version
from tests.support.library_db import LibraryDb, allow, check_refused, deny

NAMED = {"path_history": "document", "title_history": "document", "collection_name_history": "collection_id"}
NOBODY = (0, 0, 0)


@dataclass(frozen=True)
class Named:
    """A confidential document that a role reads and that was called two things, as its collection was."""

    library: LibraryDb
    database: Database
    collection: uuid.UUID
    role: uuid.UUID
    document: int
    public: uuid.UUID

    def auditor(
        self,
        *may: Capability,
        reads: bool = False,
        clearance: Label = Label.CONFIDENTIAL,
        curates: Sequence[uuid.UUID] = (),
    ) -> uuid.UUID:
        roles = [self.role] if reads else []
        more = [*may, Capability.AUDIT]
        return self.library.person(uuid.uuid4().hex, may=more, roles=roles, clearance=clearance, curates=curates)

    def seen(self, who: uuid.UUID) -> tuple[int, ...]:
        """How many paths and titles of the document, and names of its collection, somebody sees."""
        with self.database.reading(who) as session:
            return tuple(
                int(session.scalar(text(f"select count(*) from {table} where {column} = :of"), {"of": self.of(table)}))
                for table, column in NAMED.items()
            )

    def of(self, table: str) -> uuid.UUID:
        return self.collection if table == "collection_name_history" else self.public

    def write(self, path: str, title: str) -> None:
        """Another version, as the worker writes it."""
        scope = self.library.value("owner", "select scope_id from document where id = :d", d=self.document)
        with self.library.uploading(self.collection, {path: (scope, title.encode())}) as (session, [job]):
            write_version(session, job, NewVersion(title, "text/plain", title.encode()), [])

    def called(self, table: str, column: str) -> list[str]:
        with self.library.session("owner") as session:
            query = text(f"select {column} from {table} where {NAMED[table]} = :of order by id")
            return list(session.scalars(query, {"of": self.of(table)}))

    def change(self, statement: str, **values: object) -> None:
        assert self.library.run("owner", statement, **values) == 1


@pytest.fixture
def named(library: LibraryDb, database: Database) -> Named:
    role = library.role("board")
    collection = library.collection("mergers", allow("role", role), label=Label.CONFIDENTIAL)
    document = library.document(collection, "a.md", "the alder note")
    public = uuid.UUID(library.text("select public_id::text from document where id = :d", d=document))
    made = Named(library, database, collection, role, document, public)
    made.write("a.md", "Alder")
    made.change("update document set path = 'b.md' where id = :d", d=document)
    made.change("update collection set name = 'deals' where id = :c", c=collection)
    return made


def test_every_name_is_kept_once(named: Named) -> None:
    """Not again with a version of the same title, nor with another change of the row."""
    named.write("b.md", "Alder")
    named.change("update document set updated_at = now(), path = path where id = :d", d=named.document)
    named.change("update original set title = title where document_id = :d", d=named.document)
    named.change("update collection set description = 'x', name = name where id = :c", c=named.collection)
    assert named.called("path_history", "path") == ["a.md", "b.md"]
    assert named.called("title_history", "title") == ["a.md", "Alder"]
    assert named.called("collection_name_history", "name") == ["mergers", "deals"]


def test_readers_see_them_and_auditors_as_such_do_not(named: Named) -> None:
    assert named.seen(named.auditor(reads=True)) == (2, 2, 2)
    assert named.seen(named.auditor()) == NOBODY
    assert named.seen(named.auditor(clearance=Label.RESTRICTED)) == NOBODY
    assert named.seen(named.auditor(reads=True, clearance=Label.INTERNAL)) == NOBODY


def test_curators_see_paths_and_administrators_collections(named: Named) -> None:
    assert named.seen(named.auditor(Capability.CURATE, curates=[named.collection])) == (2, 0, 2)
    assert named.seen(named.auditor(curates=[named.collection])) == NOBODY
    assert named.seen(named.auditor(Capability.ADMINISTER)) == (0, 0, 2)


LOSSES = {
    "the role": "delete from membership where user_id = :u",
    "the time in it": "update membership set ends_at = now() where user_id = :u",
    "the clearance": "update app_user set clearance = 1 where id = :u",
}


@pytest.mark.parametrize("loss", LOSSES)
def test_who_loses_the_document_loses_its_names(named: Named, loss: str) -> None:
    who = named.auditor(reads=True)
    named.change(LOSSES[loss], u=who)
    assert named.seen(who) == NOBODY


RULES: dict[str, Callable[[uuid.UUID], OwnRule]] = {
    "a label above": lambda _: OwnRule(label=Label.RESTRICTED),
    "nobody": lambda _: OwnRule(inherits=False),
    "a deny": lambda who: OwnRule(frozenset({deny("user", who)})),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_document_under_another_rule_takes_its_names_along(named: Named, rule: str) -> None:
    """Also the older ones; who reads others of the collection is told that one's name on."""
    who = named.auditor(reads=True)
    scope = named.library.scope(named.collection, RULES[rule](who))
    named.change("update document set scope_id = :s where id = :d", s=scope, d=named.document)
    assert named.seen(who) == (0, 0, 2)


def test_names_go_with_what_they_are_of(named: Named) -> None:
    """What is uploaded to the place of a document that is gone is another."""
    named.change("delete from document where id = :d", d=named.document)
    named.library.document(named.collection, "b.md", "another note")
    assert named.called("path_history", "path") == named.called("title_history", "title") == []
    named.change("delete from collection where id = :c", c=named.collection)
    assert named.called("collection_name_history", "name") == []


@pytest.mark.parametrize("table", ["path_history", "title_history"])
def test_to_ask_for_many_is_not_to_read_all_documents(named: Named, table: str) -> None:
    """Each row by itself, by an index, however many are asked for."""
    columns = "collection_id, scope_id, path, media_type, size, sha256, version"
    filled = (
        f"insert into document ({columns}) select collection_id, scope_id, 'd' || n, '', 1, '', 1"
        " from document, generate_series(1, 3000) n where path = 'b.md'",
        "insert into original select id, scope_id, path, '' from document where path like 'd%'",
    )
    for statement in filled:
        assert named.library.run("admin", statement) == 3000
    named.library.run("admin", "analyze")
    with named.library.session("admin") as session:
        asked = session.scalars(text("select public_id::text from document order by path limit 1000")).all()
    with named.database.reading(named.auditor()) as session:
        query = text(f"explain (costs off) select * from {table} where document = any(cast(:asked as uuid[]))")
        plan = "\n".join(line.partition("'{")[0] for line in session.scalars(query, {"asked": list(asked)}))
    assert "SubPlan" in plan
    assert "hashed" not in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("table", NAMED)
def test_no_other_role_reads_them_and_none_writes_them(named: Named, table: str) -> None:
    writes = (
        f"insert into {table} ({NAMED[table]}, valid_from) values ('{uuid.uuid4()}', now())",
        f"update {table} set valid_from = now()",
        f"delete from {table}",
        f"truncate {table}",
    )
    for role in ("ingest", "sequencer", "delivery", "search"):
        for statement in (f"select 1 from {table}", *writes):
            named.library.check_refused("permission denied", role, statement)
    everybody = named.auditor(*sorted(FOR_PEOPLE), reads=True, curates=[named.collection])
    for statement in writes:
        check_refused(named.database, everybody, "permission denied", statement)
    assert named.library.value("backup", f"select count(*) from {table}") > 1
