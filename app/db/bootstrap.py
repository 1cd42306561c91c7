"""Makes a database ready for Clearance: its database roles, the extension, the tables, and the identity key.

Needs a connection that may create roles (a superuser, since the backup role gets BYPASSRLS). Safe to run again.
"""

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from app.db.audit_writers import WRITERS
from app.db.revisions import current_revision, newest_revision

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import URL

LOGIN_ROLES = (
    "clearance_owner",
    "clearance_app",
    "clearance_ingest",
    "clearance_sequencer",
    "clearance_search",
    "clearance_delivery",
    "clearance_backup",
)
GROUP_ROLES = ("clearance_identity", "clearance_audit")
# Functions that tell how many rows there are, past every lock, that make what would be their caller's own, or that name
# the plans a connection keeps (`app.db.session`). The views of statistics need them, and close with them.
COUNTING_FUNCTIONS = """
    select p.oid::regprocedure::text from pg_proc p
    where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f'
      and (proname ~ '^pg_stat_get_(?!activity$)' or proname ~ '^lo_(creat|create|from_bytea|import)$' or proname in (
        'pg_relation_size', 'pg_total_relation_size', 'pg_table_size', 'pg_indexes_size', 'pg_database_size',
        'pg_tablespace_size', 'pg_sequence_last_value', 'pg_get_sequence_data', 'pg_prepared_statement'))
      and has_function_privilege('public', p.oid, 'execute')
"""
# Who keeps them: who looks after the database and who dumps it.
COUNTING_ROLES = sql.SQL("clearance_owner, clearance_backup, pg_monitor")
ROOT = Path(__file__).resolve().parents[2]


def prepare(*, admin_url: str, database: str, passwords: Mapping[str, str], identity_key: str) -> None:
    """Create what is missing and migrate to the newest revision.

    `admin_url` is `postgresql+psycopg://…` of a superuser; `passwords` maps each of LOGIN_ROLES to its password;
    `identity_key` is 32 bytes in hex, the same that the API signs with. Raises UnknownRevision.
    """
    inside = urlsplit(admin_url)._replace(path=f"/{quote(database, safe='')}").geturl()
    with psycopg.connect(libpq(admin_url), autocommit=True) as connection:
        is_there = connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone()
        if is_there:
            # Before a password or a privilege is changed.
            current_revision(libpq(inside))
        _create_roles(connection, passwords)
        if not is_there:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("create database {} owner clearance_owner").format(name))
    with psycopg.connect(libpq(inside), autocommit=True) as connection:
        _create_schema(connection, database)
    owner = _as_role(inside, "clearance_owner", passwords["clearance_owner"])
    migrate(owner)
    with psycopg.connect(libpq(owner)) as connection:
        connection.execute("select clearance.set_identity_key(decode(%s, 'hex'))", [identity_key])


def migrate(owner_url: str, revision: str = "head") -> None:
    """Run the Alembic migrations as the owner; a database that is already there costs one query."""
    if current_revision(libpq(owner_url)) != newest_revision() or revision != "head":
        from alembic import command  # noqa: PLC0415  # most starts migrate nothing

        command.upgrade(alembic_config(owner_url), revision)
    if revision == "head":
        _sync_writers(owner_url)


def _sync_writers(owner_url: str) -> None:
    """Bring the database's copy of who may write which records up to date."""
    with psycopg.connect(libpq(owner_url)) as connection, connection.cursor() as cursor:
        cursor.execute("lock table clearance.audit_writer in exclusive mode")
        known = set(cursor.execute("select role, kind, acts_for, name from clearance.audit_writer").fetchall())
        wanted = {astuple(writer) for writer in WRITERS}
        if known != wanted:
            cursor.execute("delete from clearance.audit_writer")
            cursor.executemany("insert into clearance.audit_writer values (%s, %s, %s, %s)", sorted(wanted, key=str))


def alembic_config(owner_url: str) -> "Config":
    """Alembic's configuration with the URL passed in memory, so that it stands in no file and on no command line."""
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("recursive_version_locations", "true")
    config.attributes["url"] = owner_url
    return config


def libpq(url: "URL | str") -> str:
    """The URL as libpq reads it, without SQLAlchemy's driver name."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    return f"postgresql{text[text.index(':') :]}"


def _as_role(url: str, role: str, password: str) -> str:
    """The URL for another database role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(role, safe='')}:{quote(password, safe='')}@{host}").geturl()


def _create_roles(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    known = {name for (name,) in connection.execute("select rolname from pg_roles where rolname like 'clearance\\_%'")}
    for role in GROUP_ROLES:
        if role not in known:
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    for role in LOGIN_ROLES:
        verb = "alter" if role in known else "create"
        connection.execute(
            sql.SQL("{} role {} login nosuperuser nocreatedb nocreaterole {} password {}").format(
                sql.SQL(verb),
                sql.Identifier(role),
                sql.SQL("bypassrls" if role == "clearance_backup" else "nobypassrls"),
                sql.Literal(passwords[role]),
            )
        )
        # What somebody who had its password made it bring into each connection (`app.db.rls_probe`).
        connection.execute(sql.SQL("alter role {} reset all").format(sql.Identifier(role)))
    # The owner may act as the identity role to give it its functions, and never does so by itself.
    connection.execute("grant clearance_identity to clearance_owner with inherit false, set true")
    connection.execute(
        "grant clearance_audit to clearance_app, clearance_ingest, clearance_sequencer, clearance_delivery"
        " with set false"
    )
    connection.execute("grant pg_read_all_data to clearance_backup")


def _create_schema(connection: psycopg.Connection, database: str) -> None:
    connection.execute("create extension if not exists vector")
    connection.execute("alter schema public owner to clearance_owner")
    close_database(connection, database)
    for role in LOGIN_ROLES:
        inside = (sql.Identifier(role), sql.Identifier(database))
        connection.execute(sql.SQL("alter role {} in database {} reset all").format(*inside))
    for (function,) in connection.execute(COUNTING_FUNCTIONS).fetchall():
        # The name comes quoted from the catalog.
        name = sql.SQL(function)
        connection.execute(sql.SQL("revoke execute on function {} from public").format(name))
        connection.execute(sql.SQL("grant execute on function {} to {}").format(name, COUNTING_ROLES))


def close_database(connection: psycopg.Connection, database: str) -> None:
    """Our services may connect to it, and nobody may make anything in it, temporary tables neither: one named like a
    table of ours would be found before it.
    """
    name = sql.Identifier(database)
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    connection.execute(
        sql.SQL("grant connect on database {} to {}").format(
            name, sql.SQL(", ").join(sql.Identifier(r) for r in LOGIN_ROLES)
        )
    )
