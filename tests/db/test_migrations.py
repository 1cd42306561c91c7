"""Migrations make what app/db/tables declares; a second start changes nothing; a back-fill changes rows."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.schema import SchemaItem

from app.db.bootstrap import LOGIN_ROLES, prepare
from app.db.tables import Base
from migrations.backfill import BackFillTouchedNothing, back_fill, need_owner_policy
from tests.db.schema_shape import KINDS, shape
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, Db, unmade
from tests.support.library_db import LibraryDb


def is_ours(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: SchemaItem | None) -> bool:
    """Not the queue's own tables."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[Db]:
    with unmade(cluster) as made:
        prepare(admin_url=cluster.admin_url, database=made.name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield made


def test_prepare_again_changes_nothing(fresh: Db, cluster: Cluster) -> None:
    """A second start is the same database: rules, rows and roles stay."""
    before = shape(fresh)
    assert {kind: len(found) > 0 for kind, found in before.items()} == dict.fromkeys(KINDS, True)
    prepare(admin_url=cluster.admin_url, database=fresh.name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
    assert shape(fresh) == before


def differences(library: LibraryDb) -> list[Any]:
    """As `alembic check`: what autogenerate would do."""
    compared = {"include_object": is_ours, "compare_type": True, "compare_server_default": True}
    with library.engine("owner").connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=compared), Base.metadata))


def test_the_tables_are_what_is_declared(library: LibraryDb) -> None:
    """And if they were not, it would be found."""
    assert differences(library) == []
    library.run("owner", "alter table chunk add column extra int")
    library.run("owner", "drop index posting_term_scope_id_idx")
    assert {d[0] for d in differences(library)} == {"remove_column", "add_index"}


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


def test_a_back_fill_that_touches_nothing_stops_the_migration(library: LibraryDb) -> None:
    nothing = (
        "update chunk set tokens = tokens where false",
        "insert into rule (digest, label) select digest, label from rule where false",
        "delete from original where title = 'none of this name'",
    )
    with library.engine("owner").connect() as connection:
        for statement in nothing:
            with pytest.raises(BackFillTouchedNothing, match=re.escape(statement[:20])):
                back_fill(connection, statement)
        assert back_fill(connection, "update chunk set tokens = tokens") == 1, "the canary's"


def test_rows_that_their_owner_cannot_see_stop_it(library: LibraryDb) -> None:
    """FORCE without the owner's policy shows an empty table; one that may be empty is asked for its policy instead."""
    with library.engine("owner").connect() as connection:
        need_owner_policy(connection, "membership")
        for table in ("membership", "chunk"):
            connection.execute(text(f"drop policy owner_all on {table}"))
        with pytest.raises(BackFillTouchedNothing, match="membership"):
            need_owner_policy(connection, "membership")
        with pytest.raises(BackFillTouchedNothing, match="owner's policy"):
            back_fill(connection, "update chunk set tokens = tokens")


def test_each_database_role_opens_with_its_own_password_alone(db: Db) -> None:
    """And makes no other roles."""
    for role in LOGIN_ROLES:
        url = db.url(role.removeprefix("clearance_"))
        with psycopg.connect(db.libpq(role.removeprefix("clearance_"))) as connection:
            assert connection.execute("select current_user").fetchone() == (role,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("create role mine")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace("+psycopg", "").replace(PASSWORDS[role], "wrong"))
