"""Databases for tests: copies on the run's server, and servers of their own."""

import contextlib
import socket
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from psycopg import sql

from app.db.bootstrap import prepare
from app.local.postgres import EmbeddedPostgres
from tests.conftest import IDENTITY_KEY, PASSWORDS, Cluster, Db


@contextlib.contextmanager
def copied(cluster: Cluster, template: str) -> Iterator[Db]:
    """A database of its own, copied from another."""
    made = Db(cluster, f"t_{uuid.uuid4().hex[:12]}")
    name = sql.Identifier(made.name)
    cluster.copy(template, made.name)
    yield made
    cluster.execute(sql.SQL("drop database {} with (force)").format(name))


@contextlib.contextmanager
def database_in(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Db]:
    """A migrated database on a server of its own, with normal durability unless `settings` say otherwise."""
    with EmbeddedPostgres(folder / "pg", password="own-superuser", settings=settings) as server:
        admin_url = server.url("postgres", "own-superuser", "postgres")
        prepare(admin_url=admin_url, database="clearance", passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield Db(Cluster(server, admin_url), "clearance")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
