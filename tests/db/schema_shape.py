"""Everything that a migration makes in a database, as text to compare."""

from sqlalchemy import text

from tests.support.cluster import Db
from tests.support.library_db import library_of

SPACES = "any ('{public,clearance}'::regnamespace[])"
KINDS = {
    "tables": "select concat_ws(' ', oid::regclass, relkind, relrowsecurity, relforcerowsecurity, relacl)"
    " from pg_class where relnamespace =",
    "functions": "select concat_ws(' ', oid::regprocedure, proowner::regrole, prosecdef, proconfig, proacl, prosrc)"
    " from pg_proc where pronamespace =",
    "columns": "select concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,"
    " attacl) from pg_attribute a join pg_class c on c.oid = attrelid where attnum > 0 and relnamespace =",
    "policies": "select concat_ws(' ', tablename, policyname, permissive, roles, cmd, qual, with_check)"
    " from pg_policies where schemaname::regnamespace =",
    "triggers": "select concat_ws(' ', tgrelid::regclass, tgname, tgenabled, tgtype)"
    " from pg_trigger join pg_class c on c.oid = tgrelid where not tgisinternal and relnamespace =",
    "types": "select typname::text from pg_type where typnamespace =",
    "constraints": "select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))"
    " from pg_constraint where connamespace =",
    "schemas": "select concat_ws(' ', nspname, nspowner::regrole, nspacl) from pg_namespace where oid =",
}


def shape(db: Db) -> dict[str, set[str]]:
    """Everything that a migration can make, by kind."""
    with library_of(db) as library, library.session("admin") as session:
        return {kind: set(session.scalars(text(f"{query} {SPACES}"))) for kind, query in KINDS.items()}
