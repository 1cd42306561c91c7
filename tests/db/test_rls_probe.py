"""The start-up probe: green on a good database, red on each way in which a lock may be open, or shut for good."""

import contextlib
from collections.abc import Iterator

import pytest

from app.db.rls_probe import PROBED_TABLES, SECURED_TABLES, RowLevelSecurityBroken, probe
from app.db.session import Database
from tests.db.audit_db import PLACED, add_leaf
from tests.support.library_db import LibraryDb, allow
from tests.support.service import database_at

OPENED = "is off"
SHUT = "the canary sees"


@pytest.fixture(scope="module")
def lived_in(shared: LibraryDb) -> LibraryDb:
    """A library with a document of somebody's: what is broken in it is mended."""
    library = shared
    ada = library.person("ada")
    library.document(library.collection("ada", allow("user", ada)), "a.md", "text")
    with library.session("app") as session:
        add_leaf(session)
    plan = (
        "insert into access_plan (author_id, steps, effects, digest, needs_second) values (:a, '[]', '[]', '', false)"
    )
    library.run("owner", plan, a=ada)
    library.run("owner", "insert into directory_profile (id, source, kind, name_key, attributes)"
                         " values (:a, 'okta', 'user', 'ada', '{}')", a=ada)  # fmt: skip
    library.run("owner", "insert into answer_feedback (id, user_id, trail, block, helpful)"
                         " values (:a, :a, :a, 0, true)", a=ada)  # fmt: skip
    library.run("owner", "insert into answer_feedback_source select :a, id, scope_id, :a from document"
                         " where path <> 'canary' limit 1", a=ada)  # fmt: skip
    library.run("owner", "insert into pseudonym (id, trail, kind, number, user_id, sealed, expires_at)"
                         " values (:a, :a, 'phone', 1, :a, '{}', now() + interval '1 hour')", a=ada)  # fmt: skip
    library.run("owner", "insert into pseudonym_passage select :a, c.id, c.scope_id, :a from chunk c"
                         " join document d on d.id = c.document_id where d.path <> 'canary' limit 1",
                a=ada)  # fmt: skip
    library.run("owner", "insert into leak_test_run (started_by) values (:a)", a=ada)
    library.run("owner", "insert into access_review (collection_id, title) select id, 'r' from collection"
                         " where name = 'ada'")  # fmt: skip
    library.run("owner", "insert into access_review_item (review_id, collection_id, ordinal, place, grant_value,"
                         " people) select id, collection_id, 1, 'collection', '{}', 1 from access_review")  # fmt: skip
    library.run("owner", "insert into saved_query (user_id, name, q) values (:a, 'mine', 'kind:answer')", a=ada)
    library.run("owner", "insert into opening (requested_by, reason, resolved, needs_second)"
                         " values (:a, 'A complaint.', '', false)", a=ada)  # fmt: skip
    library.run("owner", "insert into erasure (person, requested_by, reason)"
                         " values (gen_random_uuid(), :a, 'A request.')", a=ada)  # fmt: skip
    library.run("owner", "insert into retention_rule (kind, days, reason, requested_by)"
                         " values ('key', 90, 'A policy of ours.', :a)", a=ada)  # fmt: skip
    library.run("owner", "insert into audit_pruned (seq, leaf_hash, record) values (7, sha256(''), 9)")
    library.run("owner", "insert into legal_hold (document, placed_by, reason)"
                         " values (gen_random_uuid(), :a, 'A case.....')", a=ada)  # fmt: skip
    library.run("owner", "insert into log_export (requested_by, format, q, resolved, size)"
                         " values (:a, 'csv', '', '', 0)", a=ada)  # fmt: skip
    library.run("owner", "insert into log_export_part (export_id, ordinal, content) select id, 0, '' from log_export")
    library.run("owner", "insert into audit_head (size, root, frontier) values (1, sha256(''), array[sha256('')])")
    library.run("owner", "insert into audit_checkpoint (size, note) values (1, '')")
    library.run("owner", "insert into audit_cosignature (size, signer, line) values (1, 'w', E'\u2014 w\\n')")
    library.run("owner", "insert into audit_timestamp (size, authority, token) values (1, 'a', '')")
    library.run("owner", PLACED)
    library.run("owner", "insert into audit_document (document, seq) values (:a, 0)", a=ada)
    library.run("owner", "insert into audit_tag (name, value, seq) values ('label', 'public', 0)")
    library.run("owner", "insert into audit_name (name, actor, kind) values ('ada', :a, '')", a=ada)
    library.run("owner", "insert into audit_day (day, actor, way, documents)"
                         " values ('2026-11-03', :a, 'shown', '{}')", a=ada)  # fmt: skip
    library.run("owner", "insert into audit_node (level, place, hash) values (8, 0, sha256(''))")
    library.run("owner", "insert into audit_delivery (target, kind, form) values ('siem', 'http', 'ocsf')")
    library.run("owner", "insert into audit_dead_letter (target, seq, reason) values ('siem', 0, 'HTTP 400')")
    return library


@pytest.fixture(scope="module")
def probed(lived_in: LibraryDb) -> Iterator[Database]:
    with contextlib.closing(database_at(lived_in.db.url("app"), pool_size=1)) as made:
        yield made


def test_a_good_database_passes(probed: Database) -> None:
    probe(probed)


VISIBLE = (
    "create or replace function clearance.visible_scopes() returns int[] language sql stable security definer"
    " set search_path = '' as $$ select array_agg(id) from public.scope where {} $$"
)
# What is broken, how it is mended, and what the probe says of it.
BREAKS = {
    "bypass": ("alter role clearance_app bypassrls", "alter role clearance_app nobypassrls", "passes row-level"),
    "superuser": ("alter role clearance_app superuser", "alter role clearance_app nosuperuser", "passes row-level"),
    "owner": ("create table mine (); alter table mine owner to clearance_app", "drop table mine", "owns tables"),
    # Whoever knows the name of a kept plan can replace it (tests/db/test_kept_plans.py).
    "list of plans": (
        "grant execute on function pg_prepared_statement() to public",
        "revoke execute on function pg_prepared_statement() from public",
        "list the plans",
    ),
    **{
        f"{table} without lock": (
            f"alter table {table} disable row level security",
            f"alter table {table} enable row level security",
            f"'{table}'.*{OPENED}",
        )
        for table in SECURED_TABLES
    },
    **{
        f"open policy on {table}": (
            f"create policy oops on {table} for select to clearance_app using (true)",
            f"drop policy oops on {table}",
            f"'{table}'.*{OPENED}",
        )
        for table in PROBED_TABLES
    },
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_open_is_found(lived_in: LibraryDb, probed: Database, what: str) -> None:
    breaks, mends, says = BREAKS[what]
    lived_in.run("admin", breaks)
    try:
        with pytest.raises(RowLevelSecurityBroken, match=says):
            probe(probed)
    finally:
        lived_in.run("admin", mends)


@pytest.mark.parametrize("table", PROBED_TABLES)
@pytest.mark.parametrize("how", ["truncate {0} cascade", "drop policy {1} on {0}"])
def test_what_is_empty_or_opens_for_nobody_is_found(
    library: LibraryDb, database: Database, table: str, how: str
) -> None:
    """Nobody would see a hidden row in it, so that the first half alone would pass."""
    library.run("owner", how.format(table, "uploaders_read" if table == "ingest_job" else "readers"))
    with pytest.raises(RowLevelSecurityBroken, match=SHUT):
        probe(database)


def test_a_changed_function_is_found(lived_in: LibraryDb, probed: Database) -> None:
    """One that shows all to everybody, and one that shows all to whoever is signed in."""
    before = lived_in.text("select pg_get_functiondef('clearance.visible_scopes()'::regprocedure)")
    for condition, says in (("true", OPENED), ("clearance.caller() is not null", "sees 2 rows")):
        lived_in.run("admin", VISIBLE.format(condition))
        with pytest.raises(RowLevelSecurityBroken, match=says):
            probe(probed)
    lived_in.run("admin", before)


def test_settings_that_a_role_gave_itself_are_found(library: LibraryDb, database: Database) -> None:
    """PostgreSQL lets a role do so, and the next connection begins with them. A limit of time is no matter."""
    own = "do $$ begin execute format('alter role %I in database %I set {}', current_user, current_catalog); end $$"
    library.run("app", own.format("statement_timeout = ''5s''"))
    probe(database)
    library.run("app", own.format("search_path = pg_catalog, public"))
    with pytest.raises(RowLevelSecurityBroken, match="search_path"):
        probe(database)
