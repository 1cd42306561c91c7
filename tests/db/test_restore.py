"""A backup takes every row, and a restore starts closed: no key opens it until an administrator sets one."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from sqlalchemy import make_url, text

from app.db.bootstrap import libpq, prepare
from app.db.rls_probe import RowLevelSecurityBroken, probe
from app.db.session import Database, Signer, connect
from app.local.binaries import find_binaries
from tests.db.schema_shape import shape
from tests.db.sql_privileges import OPEN, locked_tables, uncovered
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, Db
from tests.support.environment import real_part_missing
from tests.support.library_db import TEXT_TABLES, LibraryDb, allow, counts, library_of

OTHER_KEY = "5c" * 32
# What docs/operate.md says: a dump holds no key.
WITHOUT_KEY = "--exclude-table-data=clearance.identity_key"


def program(name: str) -> Path:
    """`pg_dump` or `pg_restore` of the server that the tests run on."""
    found = find_binaries().folder / name
    if not os.access(found, os.X_OK):
        real_part_missing(f"this PostgreSQL has no {name}")
    return found


def dump(db: Db, role: str, to: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`pg_dump` as a database role."""
    command = [str(program("pg_dump")), "--format=custom", f"--file={to}", *options, f"--dbname={db.libpq(role)}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def full(library: LibraryDb) -> LibraryDb:
    """A library with documents of two people."""
    for name in ("ada", "ben"):
        person = library.person(name)
        library.document(
            library.collection(name, allow("user", person)), f"{name}.md", "the alder note", "the ash note"
        )
    return library


@pytest.fixture
def restored(full: LibraryDb, cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Db]:
    """The same in a new database, dumped with these options, as an administrator restores it."""
    file = tmp_path / "dump"
    done = dump(full.db, "backup", file, *getattr(request, "param", ()))
    assert done.returncode == 0, done.stderr
    made = Db(cluster, f"r_{uuid.uuid4().hex[:12]}")
    name = sql.Identifier(made.name)
    cluster.execute(sql.SQL("create database {} owner clearance_owner").format(name))
    command = [
        str(program("pg_restore")),
        "--exit-on-error",
        f"--dbname={libpq(make_url(made.url('admin')))}",
        str(file),
    ]
    subprocess.run(command, check=True, timeout=120)
    yield made
    cluster.execute(sql.SQL("drop database {} with (force)").format(name))


def service(db: Db, key: str) -> Database:
    """The API's way to it with this key."""
    return Database(connect(db.url("app"), pool_size=1), Signer(key, seconds=60), statement_timeout_ms=15_000)


def rows(library: LibraryDb, role: str) -> dict[str, int]:
    """The rows of all tables of ours that this role sees."""
    tables = [*locked_tables(library), *OPEN]
    with library.session(role) as session:
        return counts(session, tables)


def seen(db: Db, key: str, name: str) -> dict[str, int]:
    """What a person sees through a service that signs with this key."""
    with library_of(db) as library:
        user = uuid.UUID(library.text("select id from app_user where name = :name", name=name))
    database = service(db, key)
    with database.reading(user) as session:
        found = counts(session, TEXT_TABLES)
    database.engine.dispose()
    return found


def refused(db: Db, key: str) -> bool:
    """Whether a service with this key refuses to start."""
    database = service(db, key)
    try:
        probe(database)
    except RowLevelSecurityBroken:
        return True
    finally:
        database.engine.dispose()
    return False


@pytest.mark.parametrize("restored", [(), (WITHOUT_KEY,)], ids=["whole", "without key"], indirect=True)
def test_a_backup_takes_every_row_and_every_lock(full: LibraryDb, restored: Db) -> None:
    with library_of(restored) as copy:
        assert rows(copy, "admin") == rows(full, "admin") == rows(full, "backup")
        assert min(rows(full, "backup")[t] for t in TEXT_TABLES) > 2
        assert uncovered(copy) == set()
    assert shape(restored) == shape(full.db)


@pytest.mark.parametrize("restored", [(), (WITHOUT_KEY,)], ids=["whole", "without key"], indirect=True)
def test_a_restore_starts_closed(restored: Db, cluster: Cluster) -> None:
    """A service with another key sees nothing and refuses to start, until `clearance init` sets its key."""
    nothing = dict.fromkeys(TEXT_TABLES, 0)
    assert seen(restored, OTHER_KEY, "ada") == nothing
    assert refused(restored, OTHER_KEY)
    with library_of(restored) as library, library.session("app") as session:
        assert counts(session, TEXT_TABLES) == nothing
    prepare(admin_url=cluster.admin_url, database=restored.name, passwords=PASSWORDS, identity_key=OTHER_KEY)
    assert not refused(restored, OTHER_KEY)
    assert seen(restored, OTHER_KEY, "ada")["chunk"] == 2
    assert seen(restored, IDENTITY_KEY, "ada") == nothing, "the key of before opens nothing any more"


@pytest.mark.parametrize("restored", [(WITHOUT_KEY,)], ids=["without key"], indirect=True)
def test_a_dump_without_the_key_opens_for_nobody(restored: Db) -> None:
    """Not even for who holds the key of the database that was dumped."""
    assert seen(restored, IDENTITY_KEY, "ada") == dict.fromkeys(TEXT_TABLES, 0)
    assert refused(restored, IDENTITY_KEY)


def test_a_whole_dump_carries_the_key(restored: Db) -> None:
    """Why the documented command leaves it out: whoever holds the file and the old service's key may read on."""
    assert seen(restored, IDENTITY_KEY, "ada")["chunk"] == 2


@pytest.mark.parametrize("role", ["owner", "app", "ingest", "sequencer"])
def test_no_other_role_dumps(full: LibraryDb, tmp_path: Path, role: str) -> None:
    """Under the lock a dump would be a part of the rows: it is refused, never silently small."""
    done = dump(full.db, role, tmp_path / "dump")
    assert done.returncode != 0
    assert "row-level security" in done.stderr or "permission denied" in done.stderr


def test_a_restore_that_lost_a_lock_is_found(restored: Db) -> None:
    """Test of the test: as a tool that knows no policies would leave it."""
    with library_of(restored) as library:
        library.run("owner", "alter table original disable row level security")
        assert uncovered(library) == {"original"}
        with library.session("app") as session:
            assert session.scalar(text("select count(*) from original")) == 3
    assert refused(restored, IDENTITY_KEY)
