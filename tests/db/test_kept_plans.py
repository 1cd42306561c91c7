"""Plans kept on a pooled connection: which, and against SQL that somebody smuggled into an earlier transaction on it.

What such SQL leaves under the name of a kept plan would run as the next caller: it must not know any name, and an
identity that it catches must be worth nothing.
"""

import contextlib
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.engine import connect, prepared
from app.db.session import Database, Signer
from app.retrieval import dense
from app.retrieval.search import Query, search
from app.scope_index.protocol import NoIndex
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.library_db import EMBEDDER, LibraryDb, allow, counts
from tests.support.sealing import SEALER

STOLEN = text("select current_setting('mallory.stolen', true)")
LISTED = "select name from pg_prepared_statements where statement like '%as said%'"
# A plan that is kept, in whose place Mallory's may stand: its result is not looked at.
SAID = prepared("select cast(:what as text) as said")
# Known to be psycopg's.
GUESSES = [f"_pg3_{n}" for n in range(20)]
# Keeps the identity of the transaction in which it runs.
CATCH = "prepare {name} (text) as select set_config('mallory.stolen', current_setting('clearance.identity'), false)"


# Which plans are kept is closed to the service itself.
OPEN = "grant execute on function pg_prepared_statement() to clearance_app"
KEPT = text("select statement from pg_prepared_statements where statement not like '%pg_prepared_statements%'")
QUERY = Query('"alder note"', EMBEDDER.embed_query("alder note"), 9, operators=True)


@pytest.fixture
def prepare() -> bool:
    return True


@pytest.fixture
def database(db: Db, prepare: bool) -> Iterator[Database]:
    """One connection, on which plans are kept if they may be."""
    engine = connect(db.url("app"), pool_size=1, prepare=prepare)
    made = Database(engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=15_000, sealer=SEALER)
    yield made
    made.close()


def read(database: Database, who: uuid.UUID, library: LibraryDb) -> int:
    """As a search does, so that plans are kept."""
    with database.reading(who) as session:
        visible_scopes(session, library.subject(who))
        session.execute(SAID, {"what": "anything"})
        return counts(session)["chunk"]


def plant(database: Database, mallory: uuid.UUID) -> None:
    """Mallory's transaction, with SQL that can send utility statements."""
    with database.reading(mallory) as session:
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        names = GUESSES
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            names = [row[0] for row in connection.execute(LISTED).fetchall()]
        for name in names:
            for planted in ("deallocate {name}", CATCH):
                with contextlib.suppress(psycopg.Error), connection.transaction():
                    connection.execute(planted.format(name=f'"{name}"').encode(), prepare=False)


def attacked(library: LibraryDb, database: Database) -> str:
    """What Mallory has caught after a search of Ada's on the same connection."""
    ada, mallory = library.person("ada"), library.person("mallory")
    library.document(library.collection("hers", allow("user", ada)), "a.md", "the alder note")
    read(database, mallory, library)
    assert read(database, ada, library) == 1
    plant(database, mallory)
    assert read(database, ada, library) == 1
    with database.reading(mallory) as session:
        return str(session.scalar(STOLEN) or "")


def test_no_plan_is_replaced(library: LibraryDb, database: Database) -> None:
    assert attacked(library, database) == ""


def test_known_names_are_what_a_thief_needs(library: LibraryDb, database: Database) -> None:
    """Test of the test: with the view of names open, the same attack catches the identity. But that is worth nothing in
    any other transaction.
    """
    library.run("admin", OPEN)
    identity = attacked(library, database)
    assert identity.count("|") == 2
    with database.anonymous() as session:
        session.execute(text("select set_config('clearance.identity', :i, true)"), {"i": identity})
        assert counts(session)["chunk"] == 0


def test_names_of_plans_are_drawn(library: LibraryDb, database: Database) -> None:
    """Of 128 random bits, for each connection anew."""
    library.run("admin", OPEN)
    ada = library.person("ada")
    names = set()
    for _ in range(2):
        read(database, ada, library)
        with database.anonymous() as session:
            names |= set(session.scalars(text("select name from pg_prepared_statements")))
        database.engine.dispose()
    assert len(names) >= 4, "two of each connection"
    assert all(int(name.removeprefix("_pg3_")) > 2**64 for name in names)


@pytest.mark.parametrize("prepare", [True, False])
def test_plans_are_kept_if_they_may_be(
    library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch, prepare: bool
) -> None:
    """From one transaction to the next; not those whose settings differ from one to the other, and none by default."""
    library.run("admin", OPEN)
    ada = library.person("ada")
    library.document(library.collection("hers", allow("user", ada)), "a.md", "the alder note")

    def kept(limit: int) -> list[str]:
        monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", limit)
        for _ in range(8):
            with database.reading(ada) as session:
                visible = visible_scopes(session, library.subject(ada))
                assert search(session, visible, NoIndex(), QUERY).best().hits
        with database.anonymous() as session:
            return list(session.scalars(KEPT))

    for _ in range(8):
        with database.writing(ada) as session:
            visible_scopes(session, library.subject(ada))
            assert not any("rule_grant" in statement for statement in session.scalars(KEPT))
    of_many, of_few = kept(0), kept(2_000)
    assert any("posting" in statement for statement in of_many) == prepare
    assert any("rule_grant" in statement for statement in of_many) == prepare
    assert not any("clearance.identity" in statement for statement in of_many), "an identity is in no kept plan"
    assert not any("order by (embedding" in statement for statement in of_many)
    assert any("order by (embedding" in statement for statement in of_few) == prepare
