"""One embedded PostgreSQL for the whole run; a fresh, migrated database for each test that asks for one."""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from app.db.bootstrap import LOGIN_ROLES, close_database, libpq, prepare
from app.db.session import Database, Signer, connect
from app.local.postgres import EmbeddedPostgres

IDENTITY_KEY = "1f" * 32
AUDIT_KEY = "2e" * 32
PASSWORDS = {role: f"test-{role}" for role in LOGIN_ROLES}
TEMPLATE = "clearance_template"
FIGURES = "figures"
MEMORY = Path("/dev/shm")
MIN_FREE = 4 * 1024**3
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@dataclass(frozen=True)
class Cluster:
    """The server of this run. `admin_url` is its superuser's."""

    server: EmbeddedPostgres
    admin_url: str

    def execute(self, statement: sql.Composed) -> None:
        """Run one statement as superuser, outside any transaction."""
        with psycopg.connect(libpq(make_url(self.admin_url)), autocommit=True) as connection:
            connection.execute(statement)

    def copy(self, template: str, name: str) -> None:
        """A new database like another one. Its own privileges do not come with the copy."""
        with psycopg.connect(libpq(make_url(self.admin_url)), autocommit=True) as connection:
            made = (sql.Identifier(name), sql.Identifier(template))
            connection.execute(sql.SQL("create database {} template {} strategy file_copy").format(*made))
            close_database(connection, name)


@dataclass(frozen=True)
class Db:
    """A migrated database of its own."""

    cluster: Cluster
    name: str

    def url(self, role: str) -> str:
        """SQLAlchemy URL as `owner`, `app`, `ingest`, `sequencer`, `backup`, or `admin` for the superuser."""
        if role == "admin":
            return make_url(self.cluster.admin_url).set(database=self.name).render_as_string(hide_password=False)
        name = f"clearance_{role}"
        return self.cluster.server.url(name, PASSWORDS[name], self.name)

    def libpq(self, role: str) -> str:
        """The same for psycopg."""
        return libpq(make_url(self.url(role)))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that lives as long as the run; without durability, since its data is thrown away."""
    with (
        folder_in_memory(tmp_path_factory) as folder,
        EmbeddedPostgres(folder / "data", password="test-superuser", settings=FAST) as server,
    ):
        made = Cluster(server, server.url("postgres", "test-superuser", "postgres"))
        prepare(admin_url=made.admin_url, database=TEMPLATE, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield made


@contextlib.contextmanager
def folder_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of this run where files are not written to a disk, if there is such a place with room: a database is
    copied there in a twentieth of the time, and most tests begin with that.
    """
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MIN_FREE):
        yield tmp_path_factory.mktemp("pg")
        return
    with tempfile.TemporaryDirectory(prefix="clearance-test-", dir=MEMORY) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user than root
        yield Path(folder)


@pytest.fixture
def db(cluster: Cluster) -> Iterator[Db]:
    """A fresh copy of the migrated template."""
    made = Db(cluster, f"t_{uuid.uuid4().hex[:12]}")
    name = sql.Identifier(made.name)
    cluster.copy(TEMPLATE, made.name)
    yield made
    cluster.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def database(db: Db) -> Iterator[Database]:
    """The API's way to that database."""
    made = Database(connect(db.url("app"), pool_size=4), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=15_000)
    yield made
    made.engine.dispose()


Report = Callable[[str], None]


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Takes a line of counts, which says how much a test looked at; all of them stand at the end of the run."""
    return lambda words: record_property(FIGURES, words)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines that `report` took, from all workers."""
    ended = [test for tests in terminalreporter.stats.values() for test in tests if isinstance(test, pytest.TestReport)]
    lines = [words for test in ended for name, words in test.user_properties if name == FIGURES and test.when == "call"]
    if lines:
        terminalreporter.section("how much was looked at")
        for line in lines:
            terminalreporter.write_line(str(line))


def real_part_missing(reason: str) -> None:
    """Skip with the reason, or fail under CLEARANCE_REQUIRE_REAL=1, where every real part must be there."""
    if os.environ.get("CLEARANCE_REQUIRE_REAL") == "1":
        pytest.fail(f"a real part is missing: {reason}")
    pytest.skip(reason)


REPOSITORY = Path(__file__).resolve().parents[1]
