"""What pseudonyms stand for: row-level security and the statements' own filters, each without the other."""

import datetime as dt
import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import Database
from app.identity.subject import Capability
from app.retrieval.pseudonym_rows import NamedPseudonym, SealedPseudonym, add_pseudonyms, find_pseudonym
from tests.support.library_db import LibraryDb, allow, check_refused, touched

ADD = (
    "insert into pseudonym (id, trail, kind, number, user_id, sealed, expires_at)"
    " values (:id, :id, :kind, 1, :who, '{}', now() + cast(:last as interval))"
)
ADD_PASSAGE = "insert into pseudonym_passage values (:id, :chunk, :scope, :who)"
SEEN = "select (select count(*) from pseudonym) * 10 + (select count(*) from pseudonym_passage)"
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Vault:
    """A pseudonym of Ada's, of the alder's passage. Ben and Rhea read it too; Rhea and Rolf may reveal."""

    library: LibraryDb
    ada: uuid.UUID
    ben: uuid.UUID
    rhea: uuid.UUID
    rolf: uuid.UUID
    trail: uuid.UUID

    def of(self, path: str) -> dict[str, int]:
        """The passage of this document, and its scope."""
        found = "select c.{} from chunk c join document d on d.id = c.document_id where d.path = :path"
        columns = {"chunk": "id", "scope": "scope_id"}
        return {key: self.library.value("owner", found.format(name), path=path) for key, name in columns.items()}

    @property
    def named(self) -> NamedPseudonym:
        return NamedPseudonym(self.trail, "phone", 1)


@pytest.fixture
def vault(library: LibraryDb, database: Database) -> Vault:
    ada, ben = library.person("ada"), library.person("ben")
    rhea, rolf = (library.person(name, may=[Capability.REVEAL]) for name in ("rhea", "rolf"))
    shelf = library.collection("shelf", *(allow("user", each) for each in (ada, ben, rhea)))
    library.document(shelf, "alder.md", "the alder")
    library.document(library.collection("hidden", allow("user", rolf)), "birch.md", "the birch")
    made = Vault(library, ada, ben, rhea, rolf, uuid.uuid4())
    chunks = [
        uuid.UUID(library.text("select c.public_id from chunk c join document d on d.id = c.document_id"
                               " where d.path = :path", path=path))
        for path in ("alder.md", "birch.md")
    ]  # fmt: skip
    with database.writing(ada) as session:
        given = [SealedPseudonym("phone", 1, {}, chunks), SealedPseudonym("phone", 2, {}, chunks[1:])]
        add_pseudonyms(session, library.subject(ada), made.trail, given, HOUR)
    return made


def seen(database: Database, who: uuid.UUID) -> tuple[int, int]:
    with database.reading(who) as session:
        return divmod(int(session.scalar(text(SEEN)) or 0), 10)


def test_only_what_its_asker_reads_is_kept(vault: Vault) -> None:
    assert vault.library.value("owner", SEEN) == 11
    assert vault.library.value("owner", "select chunk_id from pseudonym_passage") == vault.of("alder.md")["chunk"]


def test_who_may_reveal_and_reads_the_passage_sees_it(vault: Vault, database: Database) -> None:
    """Neither its asker, who may not reveal, nor who reads the passage, nor who may reveal alone."""
    who = {name: getattr(vault, name) for name in ("ada", "ben", "rhea", "rolf")}
    assert {name: seen(database, person) for name, person in who.items()} == {
        "ada": (0, 0), "ben": (0, 0), "rhea": (1, 1), "rolf": (0, 0),
    }  # fmt: skip
    vault.library.run("owner", "update app_user set capabilities = '{reveal}' where name = 'ada'")
    vault.library.run("owner", "update app_user set capabilities = '{ask}' where name = 'rhea'")
    assert [seen(database, person) for person in (vault.ada, vault.rhea)] == [(1, 1), (0, 0)]


def test_it_follows_its_passage_and_its_time(vault: Vault, database: Database) -> None:
    moved = (
        "update document set (scope_id, collection_id) = (select scope_id, collection_id from document"
        " where path = 'birch.md') where path = 'alder.md'"
    )
    vault.library.run("owner", moved)
    assert (seen(database, vault.rhea), seen(database, vault.rolf)) == ((0, 0), (1, 1))
    over = "update pseudonym set created_at = now() - interval '2 hours', expires_at = now()"
    vault.library.run("owner", over)
    assert seen(database, vault.rolf) == (0, 1)
    vault.library.run(
        "owner", "delete from chunk where document_id = (select id from document where path = 'alder.md')"
    )
    assert vault.library.value("owner", SEEN) == 0


def test_the_statement_holds_back_by_itself(vault: Vault, database: Database) -> None:
    """As the owner, whom no policy holds: the scope filter and the time are in the statement too."""

    def found(who: uuid.UUID) -> bool:
        subject = vault.library.subject(who)
        with database.reading(who) as session:
            visible = visible_scopes(session, subject)
        with vault.library.session("owner") as session:
            return find_pseudonym(session, visible, vault.named) is not None

    assert (found(vault.rhea), found(vault.rolf)) == (True, False)
    over = "update pseudonym set created_at = now() - interval '2 hours', expires_at = now()"
    vault.library.run("owner", over)
    assert not found(vault.rhea)


def test_nobody_adds_for_another_or_of_what_they_may_not_read(vault: Vault, database: Database) -> None:
    new, [pseudonym] = uuid.uuid4(), [uuid.UUID(vault.library.text("select id from pseudonym"))]
    alder, birch = vault.of("alder.md"), vault.of("birch.md")
    hour = {"kind": "phone", "last": "1 hour"}
    check_refused(database, vault.ben, "row-level security", ADD, id=new, who=vault.ada, **hour)
    check_refused(database, vault.rolf, "row-level security", ADD_PASSAGE, id=pseudonym, who=vault.ada, **birch)
    check_refused(database, vault.rolf, "foreign key", ADD_PASSAGE, id=pseudonym, who=vault.rolf, **birch)
    check_refused(database, vault.ada, "row-level security", ADD_PASSAGE, id=pseudonym, who=vault.ada, **birch)
    with database.writing(vault.ada) as session:
        touched(session, ADD, id=new, who=vault.ada, **hour)
        touched(session, ADD_PASSAGE, id=new, who=vault.ada, **alder)
    for change in (
        "update pseudonym set number = 2",
        "update pseudonym set expires_at = now() + interval '9 hours'",
        "delete from pseudonym",
        "update pseudonym_passage set scope_id = 1",
        "delete from pseudonym_passage",
    ):
        check_refused(database, vault.rhea, "permission denied", change)


def test_the_table_takes_neither_credentials_nor_what_lasts_too_long(vault: Vault, database: Database) -> None:
    for kind, last, why in (
        ("credential", "1 hour", "kind"), ("phone", "721 hours", "expires_at"), ("phone", "0", "expires_at"),
    ):  # fmt: skip
        refused = f"pseudonym_{why}_check"
        check_refused(database, vault.ada, refused, ADD, id=uuid.uuid4(), who=vault.ada, kind=kind, last=last)


def test_the_worker_removes_what_is_over_and_reads_none_of_it(vault: Vault) -> None:
    """What has no passage is over too: two transactions that each delete one of the last two leave it."""
    remove = "select clearance.remove_old_pseudonyms()"
    assert vault.library.value("ingest", remove) == 0
    new = {"kind": "phone", "last": "1 hour", "who": vault.ada}
    vault.library.run("owner", ADD, id=uuid.uuid4(), **new)
    assert vault.library.value("ingest", remove) == 1
    vault.library.run("owner", "update pseudonym set created_at = now() - interval '2 hours', expires_at = now()")
    assert vault.library.value("ingest", remove) == 1
    assert vault.library.value("owner", SEEN) == 0
    for role in ("ingest", "sequencer", "delivery", "search"):
        for table in ("pseudonym", "pseudonym_passage"):
            vault.library.check_refused("permission denied", role, f"select 1 from {table}")
    vault.library.check_refused("permission denied", "app", remove)
