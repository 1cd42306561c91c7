"""Resolving the scopes reads what is about the caller, in both locks, however many grants others have."""

import pytest
from sqlalchemy import text, true

from app.acl import visible as acl
from app.acl.visible import visible_scopes
from app.db.session import Database, Signer, connect
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.library_db import LibraryDb, allow

OTHERS, COLLECTIONS = 3_000, 6
# Grants for others: a rule for each, with a grant to a user and one to a role.
CROWD = """
    with made as (
      insert into rule (digest, label) select sha256(n::text::bytea), 0 from generate_series(1, :others) n returning id
    )
    insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id)
    select id, o, 'allow', case o when 0 then 'user' else 'role' end, gen_random_uuid()
    from made, generate_series(0, 1) o
"""
# The conditions that make it one plain scan of an index.
BY_INDEX = """where g.principal_kind = any ('{everyone,user,role}')
        and g.principal_id = any (my_roles || my_id || '00000000-0000-0000-0000-000000000000'::uuid)
        and"""
READ = text(
    "select coalesce(sum(coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0)), 0) from pg_stat_xact_user_tables"
    " where relname = any (:tables)"
)


@pytest.mark.parametrize("mutated", [False, True])
def test_the_grants_of_others_are_not_read(
    library: LibraryDb, db: Db, monkeypatch: pytest.MonkeyPatch, mutated: bool
) -> None:
    """Mutated: the three kinds of principals as one would write them, which takes bitmaps."""
    me = library.person("me", roles=[library.role("mine")])
    for number in range(COLLECTIONS):
        library.scope(library.collection(f"collection {number}", allow("user", me)))
    library.run("owner", CROWD, others=OTHERS)
    library.run("admin", "analyze rule, rule_grant, scope")
    # A number of rows is no secret here.
    library.run("admin", "grant execute on all functions in schema pg_catalog to clearance_app")
    if mutated:
        monkeypatch.setattr(acl, "_named", true)
        monkeypatch.setattr(acl, "_RESOLVED", acl._resolved())
        definition = library.text("select pg_get_functiondef('clearance.resolve_scopes()'::regprocedure)")
        assert BY_INDEX in definition
        library.run("admin", definition.replace(BY_INDEX, "where"))
    database = Database(
        connect(db.url("app"), pool_size=1), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=60_000
    )
    with database.reading(me) as session:
        # By the function behind row-level security first, when the transaction began.
        by_function = int(session.scalar(READ, {"tables": ["rule", "rule_grant", "scope"]}) or 0)
        assert len(visible_scopes(session, library.subject(me)).scope_ids) == COLLECTIONS
        read = int(session.scalar(READ, {"tables": ["rule", "rule_grant", "scope"]}) or 0) - by_function
    database.close()
    for count in (by_function, read):
        assert (count > OTHERS) if mutated else (count <= 10 * COLLECTIONS)
