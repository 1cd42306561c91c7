"""PostgreSQL for tests: the run's server, its migrated databases and copies of them."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from app.db.bootstrap import LOGIN_ROLES, close_database, libpq, prepare
from app.local.postgres import EmbeddedPostgres

IDENTITY_KEY = "1f" * 32
AUDIT_KEY = "2e" * 32
PASSWORDS = {role: f"test-{role}" for role in LOGIN_ROLES}
TEMPLATE = "clearance_template"
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


@contextlib.contextmanager
def unmade(cluster: Cluster) -> Iterator[Db]:
    """A database that is not there yet; it is dropped at the end."""
    made = Db(cluster, f"t_{uuid.uuid4().hex[:12]}")
    yield made
    cluster.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(made.name)))


@contextlib.contextmanager
def copied(cluster: Cluster, template: str) -> Iterator[Db]:
    """A database of its own, copied from another."""
    with unmade(cluster) as made:
        cluster.copy(template, made.name)
        yield made


def answers(url: str) -> bool:
    """Whether whoever listens there lets somebody connect."""
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2).close()
        return True
    return False


@contextlib.contextmanager
def database_in(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Db]:
    """A migrated database on a server of its own, with normal durability unless `settings` say otherwise."""
    with EmbeddedPostgres(folder / "pg", password="own-superuser", settings=settings) as server:
        admin_url = server.url("postgres", "own-superuser", "postgres")
        prepare(admin_url=admin_url, database="clearance", passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield Db(Cluster(server, admin_url), "clearance")
