"""How a transaction begins on a connection that others had, and what it is not asked at its end.

What no other test holds: what is sent past the engine, and that what a transaction did is forgotten where the next one
begins.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from app.audit.actor import actor
from app.audit.events.answers import SearchDone
from app.audit.events.base import SealedText
from app.audit.log import record
from app.db import engine as engines
from app.db.engine import connect
from app.db.session import Database, Signer, UnguardedChange, WriteSession
from app.errors import DatabaseUnavailable
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.library_db import LibraryDb
from tests.support.sealing import SEALER

IDENTITY = text("select current_setting('clearance.identity', true)")
CALLER = text("select clearance.signed_caller()")


@pytest.fixture
def database(db: Db) -> Iterator[Database]:
    """One connection for all."""
    made = Database(
        connect(db.url("app"), pool_size=1, prepare=True),
        Signer(IDENTITY_KEY, seconds=60),
        statement_timeout_ms=15_000,
        sealer=SEALER,
    )
    yield made
    made.close()


def add_record(session: WriteSession, library: LibraryDb, who: uuid.UUID) -> None:
    event = SearchDone(
        actor=actor(library.subject(who)), query=SealedText("words"), policy_epoch=1, hits=(), documents=()
    )
    record(session, event)


def test_settings_end_with_their_transaction(library: LibraryDb, database: Database) -> None:
    """On the one connection that all share."""
    ada = library.person("ada")
    for begin in (database.writing, database.reading):
        with begin(ada) as session:
            assert session.scalar(CALLER) == ada
        with database.engine.connect() as connection:
            assert not connection.scalar(IDENTITY)
            assert connection.scalar(text("show statement_timeout")) == "0"
    with database.anonymous() as session:
        assert session.scalar(CALLER) is None
        assert session.scalar(text("show statement_timeout")) == "15s"


def test_transactions_are_of_their_kind(library: LibraryDb, database: Database) -> None:
    """Begun past the engine, which would see to it."""
    ada, kind = library.person("ada"), text("select current_setting('transaction_isolation')")
    with database.reading(ada) as session:
        assert session.scalar(kind) == "repeatable read"
        assert session.scalar(text("show transaction_read_only")) == "on"
    for opened in (database.writing(ada), database.dry_run(ada), database.anonymous()):
        with opened as session:
            assert session.scalar(kind) == "read committed"
            assert session.scalar(text("show transaction_read_only")) == "off"


def test_records_alone_are_not_asked_whether_access_changed(library: LibraryDb, database: Database) -> None:
    """One statement less for each search and answer; whatever else a transaction sends, it is asked."""
    ada, sent = library.person("ada"), list[str]()
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: sent.append(statement))
    with database.writing(ada) as session:
        add_record(session, library, ada)  # makes the key
    for others, asked in (((), False), (("select 1",), True), ((), False)):
        sent.clear()
        with database.writing(ada) as session:
            for statement in others:
                session.execute(text(statement))
            add_record(session, library, ada)
        assert any("clearance.changed" in statement for statement in sent) == asked


def test_no_way_to_send_a_change_is_overlooked(library: LibraryDb, database: Database) -> None:
    """Also without the hook of ordinary statements: with many rows of values, with none, and past the engine."""
    ada, change = library.person("ada"), "select set_config('clearance.changed', 'yes', true)"
    named = text("select set_config('clearance.' || :name, 'yes', true)")
    ways: tuple[Callable[[Connection], object], ...] = (
        lambda c: c.execute(named, [{"name": "changed"}, {"name": "moved"}]),
        lambda c: c.exec_driver_sql(change, execution_options={"no_parameters": True}),
        lambda c: engines.ask_directly(c, "select set_config('clearance.changed', $1, true)", ("yes",)),
    )
    for send in ways:
        with pytest.raises(UnguardedChange), database.writing(ada) as session:
            send(session.connection())


def test_no_transaction_begins_within_another(library: LibraryDb, database: Database) -> None:
    """PostgreSQL would only warn, and go on with the identity and the isolation of the one that is open."""
    with database.reading(library.person("ada")) as session, pytest.raises(RuntimeError, match="already"):
        engines.ask_directly(session.connection(), "begin; select 1")


def test_who_waits_for_a_lock_at_the_beginning_is_told(db: Db, library: LibraryDb) -> None:
    """Within the limit of a statement, and as anybody whom the database keeps waiting."""
    signer = Signer(IDENTITY_KEY, seconds=60)
    impatient = Database(connect(db.url("app"), pool_size=1), signer, statement_timeout_ms=200, sealer=SEALER)
    ada = library.person("ada")
    with psycopg.connect(db.libpq("admin"), autocommit=True) as locker, contextlib.closing(impatient):
        locker.execute("begin")
        locker.execute("lock table person_key in access exclusive mode")
        with pytest.raises(DatabaseUnavailable), impatient.writing(ada):
            pass
        locker.execute("rollback")
        with impatient.writing(ada) as session:
            assert session.scalar(CALLER) == ada


def test_a_change_beside_a_record_is_refused(library: LibraryDb, database: Database) -> None:
    ada = library.person("ada")
    with database.writing(ada) as session:
        add_record(session, library, ada)
    with pytest.raises(UnguardedChange), database.writing(ada) as session:
        session.execute(text("select set_config('clearance.changed', 'yes', true)"))
        add_record(session, library, ada)


def test_a_connection_that_died_while_it_waited_is_replaced(
    library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = library.person("ada")

    def break_it() -> None:
        with database.reading(ada) as session:
            backend = session.scalar(text("select pg_backend_pid()"))
        library.run("admin", f"select pg_terminate_backend({backend})")

    monkeypatch.setattr(engines, "IDLE_SECONDS", 0.0)
    break_it()
    with database.reading(ada) as session:
        assert session.scalar(CALLER) == ada
    break_it()
    # One that hardly waited is not asked: the request is answered as one during which the server went.
    monkeypatch.setattr(engines, "IDLE_SECONDS", 60.0)
    with pytest.raises(DatabaseUnavailable), database.reading(ada) as session:
        session.scalar(CALLER)
    with database.reading(ada) as session:
        assert session.scalar(CALLER) == ada
