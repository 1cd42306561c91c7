"""A streaming replica of the embedded PostgreSQL, whose replay can be held up."""

import os
import subprocess
import time
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import make_url

from app.local.binaries import find_binaries
from app.local.launcher import Account
from app.local.postgres import EmbeddedPostgres, PostgresFailed
from tests.support.cluster import PASSWORDS, Cluster
from tests.support.waiting import wait_for

PATIENCE = 60.0
# What is not committed is not flushed by a commit: soon enough by the server itself.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "wal_writer_delay": "10ms"}


class _Server(EmbeddedPostgres):
    """A server that is ready when it answers: one in recovery never says `ready`."""

    def _await_ready(self, process: "subprocess.Popen[bytes]", begin: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise PostgresFailed(f"the standby ended at once:\n{self._log_since(begin)}")
            try:
                psycopg.connect(_libpq(self, "postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise PostgresFailed(f"the standby does not answer:\n{self._log_since(begin)}")


class Standby:
    """A standby of a cluster. Every wait is for a state, with a bound, never for a time."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster, self.folder = cluster, folder
        self.server = self._made()

    def _made(self) -> EmbeddedPostgres:
        """A copy of the primary, by `pg_basebackup`, not started yet."""
        self.folder.mkdir(mode=0o700, parents=True)
        program = str(find_binaries().folder / "pg_basebackup")
        source = _libpq(self._cluster.server, "postgres")
        arguments = [program, "-d", source, "-D", str(self.folder / "data"), "-R", "-c", "fast", "-X", "stream"]
        done = subprocess.run([*arguments, "--no-sync"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PostgresFailed(done.stderr)
        self._give_to(self._cluster.server)
        return _Server(self.folder, password="test-superuser", settings=SETTINGS)

    def _give_to(self, server: EmbeddedPostgres) -> None:
        """As root a server runs as the owner of its data."""
        owner = (server.folder / "data").stat()
        account = Account(owner.st_uid, owner.st_gid)
        if os.geteuid() != 0 or account.uid == 0:
            return
        for path in (self.folder / "data", *(self.folder / "data").rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def url(self, role: str, database: str) -> str:
        """SQLAlchemy URL as this database role."""
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
        """Let replay go on."""
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

    def restart(self) -> None:
        """Start it again after a stop."""
        self.server.start()

    def follow(self, other: "Standby | None") -> None:
        """Follow this one, which was promoted, or nobody any more."""
        source = _libpq(other.server, "postgres") if other else ""
        self.value(f"alter system set primary_conninfo = '{source}'")
        self.value("select pg_reload_conf()")
        self.until("select not exists (select 1 from pg_stat_wal_receiver)" if other is None else "select true")

    def promote(self) -> None:
        """Make it a primary of its own."""
        self.value("select pg_promote(true)")
        self.until("select not pg_is_in_recovery()")

    def until(self, statement: str) -> None:
        """Wait until this is true there."""
        never = f"the standby never came to say yes to: {statement}"
        wait_for(lambda: self.value(statement), seconds=PATIENCE, message=never)


def _libpq(server: EmbeddedPostgres, database: str) -> str:
    url = make_url(server.url("postgres", "test-superuser", database)).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
