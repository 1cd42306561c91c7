"""A collection that Ada reads, on a primary and its standby."""

import contextlib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from app.db.replicas import Replicas
from app.db.session import Database, ReadSession, Signer, connect
from app.db.standby_engine import connect_standby
from tests.db.replicas.standby import PATIENCE, Standby
from tests.support.cluster import IDENTITY_KEY
from tests.support.library_db import LibraryDb, allow

RECOVERING = text("select pg_is_in_recovery()")
DOCUMENTS = text("select count(*) from document")
# A search that waits for a standby as long as these tests wait for anything.
LONG = int(1000 * PATIENCE)
# So often a standby may be behind for what no commit has sent to it.
TRIES = 200


@dataclass
class Pair:
    """A collection that Ada reads, on a primary and its standby, and the API's way to both."""

    library: LibraryDb
    standby: Standby
    database: Database
    ada: uuid.UUID
    collection: uuid.UUID

    @contextlib.contextmanager
    def also(
        self, *urls: str, primary: str | None = None, wait_ms: int = 0, statement_timeout_ms: int = 15_000
    ) -> Iterator[Database]:
        """The same with other standbys, primary, patience or limit."""
        made = _database(primary or self.library.db.url("app"), *urls, wait_ms=wait_ms, limit=statement_timeout_ms)
        try:
            yield made
        finally:
            made.close()

    def url(self, role: str = "app") -> str:
        """The standby's."""
        return self.standby.url(role, self.library.db.name)

    def revoke(self) -> None:
        """Ada may read nothing any more."""
        self.library.run("owner", "delete from rule_grant")

    def looks(self, database: Database | None = None) -> tuple[bool, int]:
        """Whether the standby answers Ada, and how many documents she sees."""

        def read(session: ReadSession) -> tuple[bool, int]:
            return bool(session.scalar(RECOVERING)), int(session.scalar(DOCUMENTS) or 0)

        return (database or self.database).retrieve(self.ada, read)

    def looks_there(self, database: Database | None = None) -> int:
        """How many she sees when the standby answers, which it does when it has caught up."""
        for _ in range(TRIES):
            self.standby.catch_up()
            there, seen = self.looks(database)
            if there:
                return seen
        raise AssertionError(f"the standby never answered: {(database or self.database).replicas.counts()}")

    def shows_carelessly(self) -> int:
        """What the standby shows her when nobody asks how far it is."""
        with self.also(primary=self.url()) as careless, careless.reading(self.ada) as session:
            assert session.scalar(RECOVERING)
            return int(session.scalar(DOCUMENTS) or 0)


@contextlib.contextmanager
def pair_of(library: LibraryDb, standby: Standby) -> Iterator[Pair]:
    """With one document on the collection, and no patience with a standby that is behind."""
    ada = library.person("ada")
    collection = library.collection("collection", allow("user", ada))
    library.document(collection, "a.md", "the alder note")
    database = _database(library.db.url("app"), standby.url("app", library.db.name))
    try:
        yield Pair(library, standby, database, ada, collection)
    finally:
        database.close()


def _database(primary: str, *standbys: str, wait_ms: int = 0, limit: int = 15_000) -> Database:
    engines = [connect_standby(url, pool_size=4, statement_timeout_ms=limit) for url in standbys]
    return Database(
        connect(primary, pool_size=4),
        Signer(IDENTITY_KEY, seconds=60),
        statement_timeout_ms=limit,
        replicas=Replicas(engines, wait_ms=wait_ms),
    )


def outcomes(database: Database) -> Counter[str]:
    """What came of the searches."""
    return Counter({count.outcome: count.number for count in database.replicas.counts()})


@contextlib.contextmanager
def on_standby(pair: Pair, user: uuid.UUID) -> Iterator[ReadSession]:
    """A search's session there."""
    for _ in range(TRIES):
        pair.standby.catch_up()
        with contextlib.ExitStack() as stack:
            session = stack.enter_context(pair.database.on_replica_or_primary(user))
            if session.on_standby:
                yield session
                return
    raise AssertionError(f"the standby never answered: {pair.database.replicas.counts()}")


def end_at_once(pair: Pair) -> None:
    """Let replay wait for nobody there, while the primary does not know what is read there."""
    pair.standby.value("alter system set max_standby_streaming_delay = 0")
    pair.standby.value("select pg_reload_conf()")
    pair.standby.until("select current_setting('max_standby_streaming_delay') = '0'")
    assert pair.standby.value("select current_setting('hot_standby_feedback')") == "off"


def lock(pair: Pair) -> None:
    """Lock on the primary what a search on the standby has read, and wait until that is replayed."""
    with pair.library.session("admin") as session:
        session.execute(text("lock table document in access exclusive mode"))
        session.execute(text("select pg_current_xact_id()"))
    pair.standby.catch_up()


def vacuum(pair: Pair) -> None:
    """Take rows away on the primary that the snapshot of a search on the standby still sees."""
    pair.library.run("admin", "update document set path = path")
    engine = pair.library.engine("admin").execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("vacuum document"))
    pair.standby.catch_up()
