"""Scopes that a transaction remembers: of its own identity and snapshot, and nobody else's, whoever wrote them."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, text

from app.db.engine import ask_directly
from app.db.session import SETTINGS, Database, select_settings
from tests.support.identities import signed_for
from tests.support.library_db import LibraryDb, allow

SEEN = text("select clearance.visible_scopes()")
KEPT = text("select current_setting('clearance.scopes', true)")
REMEMBER = text("select clearance.remember_scopes()")
SET = text("select set_config('clearance.scopes', :value, true)")


@dataclass
class Collections:
    """Ada reads one collection, Ben the other."""

    library: LibraryDb
    ada: uuid.UUID
    ben: uuid.UUID
    of_ada: int
    of_ben: int

    def begin(self, connection: Connection, who: uuid.UUID, *, seconds: int = 60, remember: bool = True) -> None:
        """A reading transaction of the API's."""
        connection.execute(text("set transaction isolation level repeatable read read only"))
        identity = signed_for(connection, who, seconds=seconds)
        ask_directly(connection, select_settings(SETTINGS), (identity, "15000"))
        if remember:
            assert connection.scalar(REMEMBER)


@pytest.fixture
def collections(library: LibraryDb) -> Collections:
    ada, ben = library.person("ada"), library.person("ben")
    one, other = library.collection("one", allow("user", ada)), library.collection("other", allow("user", ben))
    library.document(one, "a.md", "the alder note")
    library.document(other, "b.md", "the birch note")
    return Collections(library, ada, ben, library.scope(one), library.scope(other))


@pytest.fixture
def connection(collections: Collections) -> Iterator[Connection]:
    """One backend: what is set in a transaction of it could meet the next one."""
    with collections.library.engine("app").connect() as made:
        yield made


def test_a_reading_transaction_remembers_and_the_rules_are_read_once(
    collections: Collections, database: Database
) -> None:
    with database.reading(collections.ada) as session:
        kept = str(session.scalar(KEPT))
        assert kept.endswith(f"|{{{collections.of_ada}}}")
        assert session.scalar(SEEN) == [collections.of_ada]
        assert session.scalars(text("select text from chunk")).all() == ["the alder note"]
    with database.writing(collections.ada) as session:
        assert not session.scalar(KEPT)
        assert not session.scalar(REMEMBER)
        assert session.scalar(SEEN) == [collections.of_ada]


def test_what_somebody_wrote_there_is_not_believed(collections: Collections, connection: Connection) -> None:
    """No MAC, a wrong one, or the right one over other scopes: the rules decide."""
    with connection.begin():
        collections.begin(connection, collections.ada)
        kept = str(connection.scalar(KEPT))
        both = f"{{{collections.of_ada},{collections.of_ben}}}"
        for value in (both, f"|{both}", "0" * 64 + "|" + both, kept[:65] + both, kept[:64] + both, "x"):
            connection.execute(SET, {"value": value})
            assert connection.scalar(SEEN) == [collections.of_ada], value


def test_another_identity_in_the_same_transaction_has_its_own(collections: Collections, connection: Connection) -> None:
    with connection.begin():
        collections.begin(connection, collections.ada)
        kept = connection.scalar(KEPT)
        identity = signed_for(connection, collections.ben)
        ask_directly(connection, select_settings(SETTINGS), (identity, "15000"))
        assert connection.scalar(KEPT) == kept
        assert connection.scalar(SEEN) == [collections.of_ben]
        ask_directly(connection, select_settings(SETTINGS), ("", "15000"))
        assert connection.scalar(SEEN) == []


def test_nothing_is_carried_into_another_transaction(collections: Collections, connection: Connection) -> None:
    """The same backend and person, and the very value that was good a moment ago: revoked is revoked."""
    with connection.begin():
        collections.begin(connection, collections.ada)
        kept = connection.scalar(KEPT)
    with connection.begin():
        collections.begin(connection, collections.ada, remember=False)
        assert not connection.scalar(KEPT), "the setting ends with its transaction"
        connection.execute(SET, {"value": kept})
        assert connection.scalar(SEEN) == [collections.of_ada], "and is not believed, though it would be right"
    collections.library.run("owner", "delete from rule_grant")
    with connection.begin():
        collections.begin(connection, collections.ada, remember=False)
        connection.execute(SET, {"value": kept})
        assert connection.scalar(SEEN) == []
        assert connection.scalars(text("select text from chunk")).all() == []


def test_an_identity_that_expires_sees_nothing_more(collections: Collections, connection: Connection) -> None:
    with connection.begin():
        collections.begin(connection, collections.ada, seconds=2)
        assert connection.scalar(SEEN) == [collections.of_ada]
        connection.execute(text("select pg_sleep(2.2)"))
        assert connection.scalar(SEEN) == []


@pytest.mark.parametrize("statement", ["select clearance.scopes_mac('{1}')", "select clearance.resolve_scopes()"])
def test_the_api_makes_no_mac_itself(collections: Collections, connection: Connection, statement: str) -> None:
    with connection.begin(), pytest.raises(Exception, match="permission denied"):
        connection.execute(text(statement))
