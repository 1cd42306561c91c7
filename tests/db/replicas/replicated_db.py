"""A streaming replica whose replay can be held up, and a collection that Ada reads on the primary and on it."""

import contextlib
import os
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import make_url, text

from app.db.bootstrap import libpq
from app.db.engine import connect
from app.db.replicas import Replicas
from app.db.session import Database, ReadSession, Signer
from app.db.standby_engine import connect_standby
from app.local.binaries import find_binaries
from app.local.postgres import EmbeddedPostgres
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, answers
from tests.support.library_db import LibraryDb
from tests.support.sealing import SEALER
from tests.support.waiting import wait_for

PATIENCE = 60.0
# What is not committed is not flushed by a commit: soon enough by the server itself.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "wal_writer_delay": "10ms"}
# One that is promoted keeps what another has yet to fetch, whatever is checkpointed; that one asks often.
SETTINGS |= {"wal_keep_size": "128MB", "wal_retrieve_retry_interval": "100ms"}


class _Server(EmbeddedPostgres):
    """A server that is ready when it answers: one in recovery never says `ready`."""

    def _await_ready(self, process: "subprocess.Popen[bytes]", begin: int) -> None:
        url = _libpq(self, "postgres")
        wait_for(lambda: answers(url), seconds=PATIENCE, message=lambda: self._log_since(begin), child=process)


class Standby:
    """A standby of a cluster. Every wait is for a state, with a bound, never for a time."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """A copy of the primary, by `pg_basebackup`, not started yet."""
        self._cluster, self._left = cluster, False
        data = folder / "data"
        folder.mkdir(mode=0o700, parents=True)
        program = str(find_binaries().folder / "pg_basebackup")
        arguments = [program, "-d", _libpq(cluster.server, "postgres"), "-D", str(data), "-R", "-c", "fast"]
        done = subprocess.run([*arguments, "-X", "stream", "--no-sync"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        owner = (cluster.server.folder / "data").stat()
        if os.geteuid() == 0 != owner.st_uid:  # as root a server runs as the owner of its data
            for path in (data, *data.rglob("*")):
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        self.server = _Server(folder, password="test-superuser", settings=SETTINGS)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def url(self, role: str, database: str) -> str:
        name = f"clearance_{role}"
        return self.server.url(name, PASSWORDS[name], database)

    def value(self, statement: str, database: str = "postgres") -> object:
        """What a statement gives the standby's superuser."""
        with psycopg.connect(_libpq(self.server, database), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            row = found.fetchone() if found.description else None
            return row[0] if row else None

    def pause(self) -> None:
        """Hold replay up; what the primary commits from now on is not seen here."""
        self.value("select pg_wal_replay_pause()")
        self.until("select pg_get_wal_replay_pause_state() = 'paused'")

    def resume(self) -> None:
        self.value("select pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until all is replayed that the primary has committed so far."""
        with psycopg.connect(_libpq(self._cluster.server, "postgres"), autocommit=True) as connection:
            # A commit that is waited for, so that what came before it is on its way.
            connection.execute("set synchronous_commit = on")
            connection.execute("select pg_current_xact_id()")
            row = connection.execute("select pg_current_wal_flush_lsn()").fetchone()
        assert row is not None
        self.until(f"select pg_last_wal_replay_lsn() >= '{row[0]}'")

    def renew(self) -> bool:
        """Let replay go on as it did at first; gives whether it still follows its primary."""
        if self._left or self.server.pid is None:
            return False
        self.resume()
        self.value("alter system reset max_standby_streaming_delay")
        self.value("select pg_reload_conf()")
        return True

    def follow(self, other: "Standby | None") -> None:
        """Follow this one, which was promoted, or nobody any more."""
        self._left = True
        source = _libpq(other.server, "postgres") if other else ""
        self.value(f"alter system set primary_conninfo = '{source}'")
        self.value("select pg_reload_conf()")
        self.until("select not exists (select 1 from pg_stat_wal_receiver)" if other is None else "select true")

    def promote(self) -> None:
        self._left = True
        self.value("select pg_promote(true)")
        self.until("select not pg_is_in_recovery()")

    def until(self, statement: str) -> None:
        never = f"the standby never came to say yes to: {statement}"
        wait_for(lambda: self.value(statement), seconds=PATIENCE, message=never)


def _libpq(server: EmbeddedPostgres, database: str) -> str:
    return libpq(make_url(server.url("postgres", "test-superuser", database)))


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
        primary = primary or self.library.db.url("app")
        with contextlib.closing(database_of(primary, *urls, wait_ms=wait_ms, limit=statement_timeout_ms)) as made:
            yield made

    def url(self, role: str = "app") -> str:
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
        for _ in self.tries():
            there, seen = self.looks(database)
            if there:
                break
        return seen

    def tries(self) -> Iterator[None]:
        """Ever anew with a standby that has caught up, for as long as it may be behind all the same."""
        for _ in range(TRIES):
            self.standby.catch_up()
            yield
        raise AssertionError(f"the standby never answered: {self.database.replicas.counts()}")

    def shows_carelessly(self) -> int:
        """What the standby shows her when nobody asks how far it is."""
        with self.also(primary=self.url()) as careless, careless.reading(self.ada) as session:
            assert session.scalar(RECOVERING)
            return int(session.scalar(DOCUMENTS) or 0)


def database_of(primary: str, *standbys: str, wait_ms: int = 0, limit: int = 15_000) -> Database:
    engines = [connect_standby(url, pool_size=4, statement_timeout_ms=limit) for url in standbys]
    return Database(
        connect(primary, pool_size=4),
        Signer(IDENTITY_KEY, seconds=60),
        statement_timeout_ms=limit,
        sealer=SEALER,
        replicas=Replicas(engines, wait_ms=wait_ms),
    )


def outcomes(database: Database) -> Counter[str]:
    return Counter({count.outcome: count.number for count in database.replicas.counts()})


@contextlib.contextmanager
def on_standby(pair: Pair, user: uuid.UUID) -> Iterator[ReadSession]:
    for _ in pair.tries():
        with pair.database.on_replica_or_primary(user) as session:
            if session.on_standby:
                yield session
                return


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
