"""Migrations make what app/db/tables declares; a second start changes nothing; a back-fill changes rows."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SchemaItem

from app.db.bootstrap import LOGIN_ROLES, prepare
from app.db.session import connect
from app.db.tables import Base
from tests.db.schema_shape import KINDS, shape
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, Db
from tests.support.library_db import LibraryDb, library_of


def is_ours(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: SchemaItem | None) -> bool:
    """Not the queue's own tables."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[Db]:
    """A database that `prepare` has made from nothing."""
    made = Db(cluster, f"f_{uuid.uuid4().hex[:12]}")
    prepare(admin_url=cluster.admin_url, database=made.name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
    yield made
    cluster.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(made.name)))


def test_prepare_again_changes_nothing(fresh: Db, cluster: Cluster) -> None:
    """A second start is the same database: rules, rows and roles stay."""
    before = shape(fresh)
    assert {kind: len(found) > 0 for kind, found in before.items()} == dict.fromkeys(KINDS, True)
    prepare(admin_url=cluster.admin_url, database=fresh.name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
    assert shape(fresh) == before


def test_the_tables_are_what_is_declared(db: Db) -> None:
    """As `alembic check`: autogenerate finds nothing to do."""
    engine = connect(db.url("owner"), pool_size=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": is_ours,
                "target_metadata": Base.metadata,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_a_difference_would_be_found(db: Db, library: LibraryDb) -> None:
    """Test of the test."""
    library.run("owner", "alter table chunk add column extra int")
    library.run("owner", "drop index posting_term_scope_id_idx")
    engine = connect(db.url("owner"), pool_size=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        kinds = {d[0] for d in compare_metadata(context, Base.metadata)}
    engine.dispose()
    assert kinds == {"remove_column", "add_index"}


def test_a_back_fill_changes_rows(library: LibraryDb) -> None:
    """As a migration runs it: as owner, under FORCE. Each table under the lock lets its owner at every row."""
    library.document(library.collection("shelf"), "a.md", "one", "two")
    tables = {"document": "size", "original": "title", "chunk": "tokens", "vector_row": "terms", "posting": "entries",
              "ingest_job": "size", "app_user": "clearance", "collection": "name", "scope": "rule_id", "rule": "label",
              "rule_grant": "effect"}  # fmt: skip
    for table, column in tables.items():
        rows = library.value("admin", f"select count(*) from {table}")
        assert rows > 0, table
        assert library.run("owner", f"update {table} set {column} = {column}") == rows, table


def test_each_database_role_opens_with_its_own_password_alone(db: Db) -> None:
    for role in LOGIN_ROLES:
        url = db.url(role.removeprefix("clearance_"))
        with psycopg.connect(db.libpq(role.removeprefix("clearance_"))) as connection:
            assert connection.execute("select current_user").fetchone() == (role,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace("+psycopg", "").replace(PASSWORDS[role], "wrong"))


def test_no_service_makes_roles(db: Db) -> None:
    for role in ("owner", "app", "ingest"):
        with library_of(db) as library, pytest.raises(DBAPIError, match="permission denied"):
            library.run(role, "create role mine")
