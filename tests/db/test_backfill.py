"""Back-fills under row-level security: one that would touch nothing stops the migration; a real one keeps every row."""

import re

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text

from app.db import backfill
from app.db.backfill import BackFillTouchedNothing, back_fill
from app.db.bootstrap import alembic_config, migrate
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow, library_of

# What the access model's migration fills from what.
HISTORIES = {
    "user_history": "app_user",
    "scope_history": "scope",
    "document_history": "document",
    "membership_history": "membership",
    "nesting_history": "role_inside",
}


@pytest.fixture
def old(db: Db, library: LibraryDb) -> Db:
    """A database of the first revision, with people, nested roles, shelves and documents."""
    outer = library.role("hr")
    inner = library.role("payroll", inside=[outer, library.role("board")])
    ada, ben = library.person("ada", roles=[inner]), library.person("ben", roles=[outer, inner])
    for number, person in enumerate((ada, ben)):
        shelf = library.collection(f"shelf-{number}", allow("user", person))
        for path in ("a.md", "b.md", "c.md"):
            library.document(shelf, path, "the alder note", "the ash note")
    command.downgrade(alembic_config(db.url("owner")), "0001")
    assert revision(db) == "0001"
    return db


def revision(db: Db) -> str:
    with library_of(db) as library:
        return library.text("select version_num from alembic_version")


def test_a_back_fill_keeps_every_row(old: Db) -> None:
    migrate(old.url("owner"))
    with library_of(old) as library:
        rows = {h: library.value("admin", f"select count(*) from {table}") for h, table in HISTORIES.items()}
        assert {h: library.value("admin", f"select count(*) from {h}") for h in HISTORIES} == rows
        assert {h: n for h, n in rows.items() if n > 1} == rows
        assert library.value("admin", "select count(*) from document_history where valid_to is not null") == 0


@pytest.mark.parametrize("table", ["app_user", "scope", "document", "membership", "role_inside"])
def test_a_back_fill_that_would_touch_nothing_fails_loudly(old: Db, table: str) -> None:
    """Its owner's policy is gone, so that FORCE shows the migration an empty table: nothing at all is migrated."""
    with library_of(old) as library:
        library.run("owner", f"drop policy owner_all on {table}")
    with pytest.raises(BackFillTouchedNothing, match="owner's policy"):
        migrate(old.url("owner"))
    assert revision(old) == "0001"
    with library_of(old) as library:
        made = "select count(*) from pg_class where relname = any (:names) and relkind = 'r'"
        assert library.value("admin", made, names=[*HISTORIES, "folder"]) == 0
        library.run("owner", f"create policy owner_all on {table} to clearance_owner using (true) with check (true)")
    migrate(old.url("owner"))
    test_a_back_fill_keeps_every_row(old)


def test_a_back_fill_that_is_not_counted_loses_the_past(old: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation: run as any statement, it fills nothing and says nothing."""

    def uncounted(connection: Connection, statement: str) -> int:
        return int(connection.execute(text(statement)).rowcount)

    monkeypatch.setattr(backfill, "back_fill", uncounted)
    with library_of(old) as library:
        library.run("owner", "drop policy owner_all on document")
    migrate(old.url("owner"), "0002")
    with library_of(old) as library:
        assert library.value("admin", "select count(*) from document_history") == 0
        assert library.value("admin", "select count(*) from document") == 7


@pytest.mark.parametrize(
    "statement",
    [
        "update chunk set tokens = tokens where false",
        "insert into rule (digest, label) select digest, label from rule where false",
        "delete from original where title = 'none of this name'",
    ],
)
def test_nothing_touched_is_an_error(db: Db, statement: str) -> None:
    engine = create_engine(db.url("owner"))
    with engine.connect() as connection, pytest.raises(BackFillTouchedNothing, match=re.escape(statement[:20])):
        back_fill(connection, statement)
    with engine.connect() as connection:
        assert back_fill(connection, "update chunk set tokens = tokens") == 1, "the canary's"
    engine.dispose()
