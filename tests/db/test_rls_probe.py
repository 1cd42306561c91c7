"""The start-up probe: green on a good database, red on each way in which a lock may be open, or shut for good."""

import pytest

from app.db.rls_probe import PROBED_TABLES, SECURED_TABLES, RowLevelSecurityBroken, probe
from app.db.session import Database, Signer
from tests.db.audit_db import add_leaf
from tests.support.library_db import LibraryDb, allow

OPENED = "is off"
SHUT = "the canary sees"


@pytest.fixture
def lived_in(library: LibraryDb) -> LibraryDb:
    """A library with a document of somebody's."""
    ada = library.person("ada")
    library.document(library.collection("ada", allow("user", ada)), "a.md", "text")
    with library.session("app") as session:
        add_leaf(session)
    plan = (
        "insert into access_plan (author_id, steps, effects, digest, needs_second) values (:a, '[]', '[]', '', false)"
    )
    library.run("owner", plan, a=ada)
    library.run("owner", "insert into audit_head (size, root, frontier) values (1, sha256(''), array[sha256('')])")
    library.run("owner", "insert into audit_entry (seq, leaf_id, leaf_hash) select 0, id, leaf_hash from audit_leaf")
    return library


def test_a_good_database_passes(lived_in: LibraryDb, database: Database) -> None:
    probe(database)


@pytest.mark.parametrize("attribute", ["bypassrls", "superuser"])
def test_a_powerful_role_is_refused(lived_in: LibraryDb, database: Database, attribute: str) -> None:
    lived_in.run("admin", f"alter role clearance_app {attribute}")
    try:
        with pytest.raises(RowLevelSecurityBroken, match="passes row-level security"):
            probe(database)
    finally:
        lived_in.run("admin", f"alter role clearance_app no{attribute}")
    probe(database)


def test_a_role_that_owns_a_table_is_refused(lived_in: LibraryDb, database: Database) -> None:
    lived_in.run("admin", "alter table original owner to clearance_app")
    with pytest.raises(RowLevelSecurityBroken, match="owns tables"):
        probe(database)


@pytest.mark.parametrize("table", SECURED_TABLES)
def test_a_table_without_lock_is_found(lived_in: LibraryDb, database: Database, table: str) -> None:
    lived_in.run("owner", f"alter table {table} disable row level security")
    with pytest.raises(RowLevelSecurityBroken, match=rf"'{table}'.*{OPENED}"):
        probe(database)


@pytest.mark.parametrize("table", PROBED_TABLES)
def test_an_open_policy_is_found(lived_in: LibraryDb, database: Database, table: str) -> None:
    lived_in.run("owner", f"create policy oops on {table} for select to clearance_app using (true)")
    with pytest.raises(RowLevelSecurityBroken, match=rf"'{table}'.*{OPENED}"):
        probe(database)


@pytest.mark.parametrize("table", PROBED_TABLES)
def test_an_empty_table_is_found(library: LibraryDb, database: Database, table: str) -> None:
    """Nobody would see a hidden row in it, so that the first half alone would pass."""
    library.run("owner", f"truncate {table} cascade")
    with pytest.raises(RowLevelSecurityBroken, match=SHUT):
        probe(database)


@pytest.mark.parametrize("table", PROBED_TABLES)
def test_a_lock_that_opens_for_nobody_is_found(lived_in: LibraryDb, database: Database, table: str) -> None:
    policy = "uploaders_read" if table == "ingest_job" else "readers"
    lived_in.run("owner", f"drop policy {policy} on {table}")
    with pytest.raises(RowLevelSecurityBroken, match=SHUT):
        probe(database)


def test_a_wrong_key_is_found(lived_in: LibraryDb, database: Database) -> None:
    other = Database(database.engine, Signer("ab" * 32, seconds=60), statement_timeout_ms=1000)
    with pytest.raises(RowLevelSecurityBroken, match=SHUT):
        probe(other)


def test_an_open_list_of_plans_is_found(lived_in: LibraryDb, database: Database) -> None:
    """Whoever knows the name of a kept plan can replace it (tests/db/test_kept_plans.py)."""
    lived_in.run("admin", "grant execute on function pg_prepared_statement() to public")
    with pytest.raises(RowLevelSecurityBroken, match="list the plans"):
        probe(database)


def test_a_changed_function_is_found(lived_in: LibraryDb, database: Database) -> None:
    """One that shows all to everybody, and one that shows all to whoever is signed in."""
    body = "create or replace function clearance.visible_scopes() returns int[] language sql stable security definer" \
           " set search_path = '' as $$ select array_agg(id) from public.scope where {} $$"  # fmt: skip
    lived_in.run("admin", body.format("true"))
    with pytest.raises(RowLevelSecurityBroken, match=OPENED):
        probe(database)
    lived_in.run("admin", body.format("clearance.caller() is not null"))
    with pytest.raises(RowLevelSecurityBroken, match="sees 2 rows"):
        probe(database)


def test_settings_that_a_role_gave_itself_are_found(lived_in: LibraryDb, database: Database) -> None:
    """PostgreSQL lets a role do so, and the next connection begins with them. A limit of time is no matter."""
    own = "do $$ begin execute format('alter role %I in database %I set {}', current_user, current_catalog); end $$"
    lived_in.run("app", own.format("statement_timeout = ''5s''"))
    probe(database)
    lived_in.run("app", own.format("search_path = pg_catalog, public"))
    with pytest.raises(RowLevelSecurityBroken, match="search_path"):
        probe(database)
