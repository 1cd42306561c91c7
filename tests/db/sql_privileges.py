"""Every verb of SQL on every table under the lock, from the catalog: a new table or column is tried like the rest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import text

from tests.support.library_db import LibraryDb

# Tables of ours without row-level security, and why no text can leak from them.
OPEN = {
    "policy_epoch": "one number",
    "index_profile": "the embedder's name",
    "alembic_version": "the revision",
}
# Under row-level security, and read by every service before anyone is known: who is who, and which rules there are.
DIRECTORY = {
    "app_user": "people by name",
    "role": "roles by name",
    "role_inside": "roles in roles",
    "membership": "who is in which role",
    "api_key": "hashes of keys, to find out who calls",
    "delegation": "hashes of tokens, to find out for whom a service calls",
    "sign_in_identity": "whom a provider's subject stands for",
    "sign_in_session": "hashes of sessions, to find out who calls",
    "sign_in_link": "hashes of links, each good once",
    "passkey": "public keys, to find out who signs in",
    "sign_in_attempt": "sign-ins on their way, by hashes: nobody is known yet",
    "used_logout_token": "numbers of tokens that were taken",
    "directory_state": "when a directory was last read",
    "curator": "who curates which collection",
    "steward": "who looks after which role",
    "collection": "collections by name, and their rules",
    "folder": "folders that have rules of their own, and these",
    "scope": "which rule decides for which scope: no document, no number of documents",
    "rule": "rules",
    "rule_grant": "grants of rules",
    "user_history": "as app_user, of the past",
    "membership_history": "as membership, of the past",
    "nesting_history": "as role_inside, of the past",
    "scope_history": "as scope, of the past",
    "person_key": "wrapped keys: no row tells of a document, and what they open lies behind the lock of audit_leaf",
    "document_key": "no service reads it: it is given the keys of the documents that it names (test_audit_roles.py)",
}
# Done without identity all the same: who cannot be identified leaves a record too.
WITHOUT_IDENTITY = {
    ("audit_leaf", "insert"),
    # Who signs in is nobody yet; a logout comes from a provider.
    *((table, verb) for table in ("sign_in_attempt", "used_logout_token") for verb in ("insert", "delete")),
}


@dataclass(frozen=True)
class Verb:
    """One statement that touches a table: what it does, and the text."""

    table: str
    verb: str
    statement: sql.Composed
    copies_in: bool = False


def uncovered(library: LibraryDb) -> set[str]:
    """Everything in `public` that holds rows and is neither under row-level security, forced, nor in OPEN."""
    query = (
        "select relname from pg_class where relkind in ('r', 'p', 'm', 'f') and relnamespace = 'public'::regnamespace"
        " and not (relrowsecurity and relforcerowsecurity)"
    )
    with library.session("admin") as session:
        names = set(session.scalars(text(query)))
    # The queue's own: a job's only argument is the id of an upload, its lock a hash of the place.
    return {n for n in names - set(OPEN) if not n.startswith("procrastinate_")}


def loose_views(library: LibraryDb) -> set[str]:
    """Views that would look with the eyes of their owner."""
    query = (
        "select c.oid::regclass::text from pg_class c where relkind = 'v'"
        " and relnamespace in ('public'::regnamespace, 'clearance'::regnamespace)"
        " and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')"
        " and not coalesce(reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']"
    )
    with library.session("admin") as session:
        return set(session.scalars(text(query)))


def locked_tables(library: LibraryDb) -> dict[str, list[str]]:
    """All tables under row-level security, each with its columns but for those that the database gives values to."""
    query = """
        select c.relname, array_agg(a.attname order by a.attnum)
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relrowsecurity and c.relnamespace = 'public'::regnamespace
          and a.attnum > 0 and not a.attisdropped and a.attidentity <> 'a' and a.attgenerated = ''
        group by 1
    """
    with library.session("admin") as session:
        return {name: list(columns) for name, columns in session.execute(text(query))}


def verbs(table: str, columns: list[str], row: Mapping[str, object]) -> Iterator[Verb]:
    """Each way to read, write, lock or drop rows. `row` is one that is there, as JSON, to be added once more."""
    name, values = sql.Identifier(table), sql.Literal(json.dumps(row))
    given = sql.SQL(", ").join(map(sql.Identifier, row))
    taken = sql.SQL("select {} from jsonb_populate_record(null::{}, {}::jsonb) r").format(given, name, values)
    insert = sql.SQL("insert into {} ({}) overriding system value {}").format(name, given, taken)
    merge = "merge into {} t using (select 1) s on true when matched then "

    def verb(kind: str, pattern: str, *more: sql.Composable, copies_in: bool = False) -> Verb:
        return Verb(table, kind, sql.SQL(pattern).format(name, *more), copies_in)

    yield verb("select", "select * from {}")
    yield verb("select", "select count(*) from {}")
    yield verb("select", "table {}")
    for strength in ("update", "no key update", "share", "key share"):
        yield verb("select", f"select 1 from {{}} for {strength}")
    yield verb("select", "copy {} to stdout")
    yield verb("select", "copy (select * from {}) to stdout")
    for column in map(sql.Identifier, columns):
        yield verb("select", "select {1} from {0}", column)
        yield verb("update", "update {0} set {1} = {1}", column)
        yield verb("update", "update {0} set {1} = {1} returning *", column)
        yield verb("update", merge.replace("{}", "{0}") + "update set {1} = t.{1}", column)
    yield verb("delete", "delete from {}")
    yield verb("delete", "delete from {} returning *")
    yield verb("delete", merge + "delete")
    yield verb("truncate", "truncate {} cascade")
    yield Verb(table, "insert", insert)
    yield Verb(table, "insert", insert + sql.SQL(" returning *"))
    yield Verb(table, "insert", insert + sql.SQL(" on conflict do nothing returning 1"))
    yield verb("insert", "copy {} from stdin", copies_in=True)


def touched(connection: psycopg.Connection, verb: Verb) -> int:
    """The rows that a statement gave, wrote or locked; 0 if it was refused. Nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            return _run(cursor, verb)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported):
        return 0
    except psycopg.IntegrityError:
        return 1  # privileges and policies come first: it was let in


def _run(cursor: psycopg.Cursor, verb: Verb) -> int:
    statement = verb.statement.as_string()
    if statement.startswith("copy"):
        with cursor.copy(verb.statement) as lines:
            return 1 if verb.copies_in else sum(1 for _ in lines)
    cursor.execute(verb.statement)
    if verb.verb == "truncate":
        return 1
    if cursor.description is None:
        return cursor.rowcount
    rows = cursor.fetchall()
    return int(rows[0][0]) if "count(*)" in statement else len(rows)
