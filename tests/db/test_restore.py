"""A backup takes every row, and a restore starts closed: no key opens it until an administrator sets one."""

import contextlib
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from app.db.bootstrap import prepare
from app.db.engine import connect
from app.db.rls_probe import RowLevelSecurityBroken, probe
from app.db.session import Database, Signer
from tests.db.schema_shape import shape
from tests.db.sql_privileges import OPEN, locked_tables, uncovered
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, Db, unmade
from tests.support.library_db import TEXT_TABLES, LibraryDb, allow, counts, library_of
from tests.support.postgres_programs import program
from tests.support.sealing import SEALER

OTHER_KEY = "5c" * 32
# What docs/operate.md says: a dump holds no key.
WITHOUT_KEY = "--exclude-table-data=clearance.identity_key"


def dump(db: Db, role: str, to: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(program("pg_dump")), "--format=custom", f"--file={to}", *options, f"--dbname={db.libpq(role)}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def full(library: LibraryDb) -> LibraryDb:
    """A library with documents of two people."""
    for name in ("ada", "ben"):
        collection = library.collection(name, allow("user", library.person(name)))
        library.document(collection, f"{name}.md", "the alder note", "the ash note")
    return library


@pytest.fixture
def restored(full: LibraryDb, cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Db]:
    """The same in a new database, dumped with these options, as an administrator restores it."""
    file = tmp_path / "dump"
    done = dump(full.db, "backup", file, *getattr(request, "param", ()))
    assert done.returncode == 0, done.stderr
    with unmade(cluster) as made:
        cluster.execute(sql.SQL("create database {} owner clearance_owner").format(sql.Identifier(made.name)))
        command = [str(program("pg_restore")), "--exit-on-error", f"--dbname={made.libpq('admin')}", str(file)]
        subprocess.run(command, check=True, timeout=120)
        yield made


def service(db: Db, key: str) -> Database:
    return Database(
        connect(db.url("app"), pool_size=1), Signer(key, seconds=60), statement_timeout_ms=15_000, sealer=SEALER
    )


def rows(library: LibraryDb, role: str) -> dict[str, int]:
    """The rows of all tables of ours that this role sees."""
    tables = [*locked_tables(library), *OPEN]
    with library.session(role) as session:
        return counts(session, tables)


def seen(db: Db, key: str, name: str) -> dict[str, int]:
    """What a person sees through a service that signs with this key."""
    with library_of(db) as library:
        user = uuid.UUID(library.text("select id from app_user where name = :name", name=name))
    with contextlib.closing(service(db, key)) as database, database.reading(user) as session:
        return counts(session, TEXT_TABLES)


def refused(db: Db, key: str) -> bool:
    """Whether a service with this key refuses to start."""
    with contextlib.closing(service(db, key)) as database:
        try:
            probe(database)
        except RowLevelSecurityBroken:
            return True
    return False


@pytest.mark.parametrize("restored", [(), (WITHOUT_KEY,)], ids=["whole", "without key"], indirect=True)
def test_a_backup_takes_every_row_and_every_lock(full: LibraryDb, restored: Db) -> None:
    with library_of(restored) as copy:
        assert rows(copy, "admin") == rows(full, "admin") == rows(full, "backup")
        assert min(rows(full, "backup")[t] for t in TEXT_TABLES) > 2
        assert uncovered(copy) == set()
    assert shape(restored) == shape(full.db)


@pytest.mark.parametrize(
    ("restored", "open"), [((), True), ((WITHOUT_KEY,), False)], ids=["whole", "without key"], indirect=["restored"]
)
def test_a_restore_starts_closed(restored: Db, cluster: Cluster, *, open: bool) -> None:
    """A service with another key sees nothing and refuses to start, until `clearance init` sets its key. Whoever holds
    the key of the database that was dumped may read on where the dump carries it, so the documented command does not.
    """
    nothing = dict.fromkeys(TEXT_TABLES, 0)
    assert seen(restored, OTHER_KEY, "ada") == nothing
    assert refused(restored, OTHER_KEY)
    with library_of(restored) as library, library.session("app") as session:
        assert counts(session, TEXT_TABLES) == nothing
    assert seen(restored, IDENTITY_KEY, "ada")["chunk"] == (2 if open else 0)
    assert refused(restored, IDENTITY_KEY) != open
    prepare(admin_url=cluster.admin_url, database=restored.name, passwords=PASSWORDS, identity_key=OTHER_KEY)
    assert not refused(restored, OTHER_KEY)
    assert seen(restored, OTHER_KEY, "ada")["chunk"] == 2
    assert seen(restored, IDENTITY_KEY, "ada") == nothing, "the key of before opens nothing any more"


def test_no_other_role_dumps(full: LibraryDb, tmp_path: Path) -> None:
    """Under the lock a dump would be a part of the rows: it is refused, never silently small."""
    for role in ("owner", "app", "ingest", "sequencer", "delivery"):
        done = dump(full.db, role, tmp_path / "dump")
        assert done.returncode != 0, role
        assert "row-level security" in done.stderr or "permission denied" in done.stderr


def test_a_restore_that_lost_a_lock_is_found(restored: Db) -> None:
    """The mutant: as a tool that knows no policies would leave it."""
    with library_of(restored) as library:
        library.run("owner", "alter table original disable row level security")
        assert uncovered(library) == {"original"}
    assert refused(restored, IDENTITY_KEY)
