"""What the service's database roles can do besides reading rows: own nothing, make nothing, be nobody else, count
nothing.
"""

import contextlib
import re
from collections.abc import Iterator

import psycopg
import pytest

from app.db.bootstrap import prepare
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, unmade
from tests.support.library_db import LibraryDb, allow, library_of

SERVICES = ("app", "ingest", "sequencer", "delivery")


@pytest.fixture(scope="module")
def prepared(cluster: Cluster) -> Iterator[LibraryDb]:
    """A database as `clearance init` makes it, with documents of somebody's."""
    with unmade(cluster) as db, library_of(db) as library:
        prepare(admin_url=cluster.admin_url, database=db.name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        collection = library.collection("ada", allow("user", library.person("ada")))
        for number in range(8):
            library.document(collection, f"{number}.md", "the alder note", "the ash note")
        with psycopg.connect(db.libpq("admin"), autocommit=True) as admin:
            admin.execute("vacuum analyze")
        yield library


MADE = {
    "table": "create table mine (a int)",
    "table in its schema": "create table clearance.mine (a int)",
    "temporary table": "create temporary table chunk (a int)",
    "temporary view": "create temporary view chunk as select 1",
    "temporary table by select": "select 1 as a into temporary mine",
    "unlogged table": "create unlogged table mine (a int)",
    "view": "create view mine as select 1",
    "materialized view": "create materialized view mine as select 1",
    "sequence": "create sequence mine",
    "type": "create type mine as (a int)",
    "domain": "create domain mine as int",
    "function": "create function mine() returns int language sql as 'select 1'",
    "procedure": "create procedure mine() language sql as 'select 1'",
    "temporary function": "create function pg_temp.mine() returns int language sql as 'select 1'",
    "operator": "create operator === (function = int4eq, leftarg = int, rightarg = int)",
    "index": "create index mine on document (path)",
    "trigger": "create trigger mine after insert on turn execute function clearance.raise_epoch()",
    "rule": "create rule mine as on insert to turn do nothing",
    "policy": "create policy mine on chunk using (true)",
    "schema": "create schema mine",
    "extension": "create extension pg_trgm",
    "extension in use": "alter extension vector update",
    "role": "create role mine",
    "database": "create database mine",
    "tablespace": "create tablespace mine location '/tmp'",
    "language": "create language mine handler plpgsql_call_handler",
    "foreign data wrapper": "create foreign data wrapper mine",
    "publication": "create publication mine for all tables",
    "subscription": "create subscription mine connection '' publication mine",
    "event trigger": "create event trigger mine on ddl_command_end execute function clearance.raise_epoch()",
    "statistics": "create statistics mine on path, size from document",
    "large object": "select lo_create(0)",
    "large object of old": "select lo_creat(-1)",
    "large object with bytes": "select lo_from_bytea(0, 'x')",
    "file": "copy (select 1) to '/tmp/mine'",
    "program": "copy (select 1) to program 'cat'",
    "setting of the database": "do $$ begin execute format('alter database %I set a.b = 1', current_catalog); end $$",
    "setting for itself": "do $$ begin execute format('alter role %I set clearance.identity = 1', user); end $$",
    "setting of another role": "alter role clearance_owner set a.b = 1",
    "replication slot": "select pg_create_physical_replication_slot('mine')",
    "privilege": "grant select on chunk to public",
    "analysis": "analyze document",
    "vacuum": "vacuum document",
    "cluster": "cluster document using document_pkey",
    "reindex": "reindex table document",
    "comment": "comment on table document is 'x'",
}
# Said with a warning, and nothing is done.
WARNS = {"analysis", "vacuum", "privilege"}


@pytest.mark.parametrize("role", SERVICES)
def test_a_service_makes_nothing(prepared: LibraryDb, role: str) -> None:
    notices: list[str] = []
    with psycopg.connect(prepared.db.libpq(role), autocommit=True) as connection:
        connection.add_notice_handler(lambda n: notices.append(n.message_primary or ""))
        for what, statement in MADE.items():
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
                assert what in WARNS, f"{role} made a {what}"
                assert "permission denied" in notices[-1] or "no privileges were granted" in notices[-1], what
                raise psycopg.errors.InsufficientPrivilege


@pytest.mark.parametrize("role", SERVICES)
def test_a_service_owns_nothing_and_is_nobody_else(prepared: LibraryDb, role: str) -> None:
    """No object of any kind, in this database or shared; in no predefined role; and nobody's member with SET."""
    wrong = {
        "owned": "pg_shdepend where refobjid = cast(:name as regrole) and deptype = 'o'",
        "attributes": "pg_roles where rolname = :name"
        " and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)",
        "predefined": "pg_roles r where r.rolname like 'pg\\_%' and pg_has_role(:name, r.oid, 'member')",
        "others": "pg_roles r where r.rolname <> :name and not r.rolsuper and pg_has_role(:name, r.oid, 'set')",
    }
    for what, where in wrong.items():
        assert prepared.value("admin", f"select count(*) from {where}", name=f"clearance_{role}") == 0, what


def test_functions_are_for_services_alone(prepared: LibraryDb) -> None:
    """A definer function that anybody may call is a hole: PUBLIC may run none, and each has a fixed search_path."""
    loose = (
        "select count(*) from pg_proc p where pronamespace = 'clearance'::regnamespace and ("
        " has_function_privilege('public', p.oid, 'execute')"
        " or proconfig is null or not proconfig @> array['search_path=\"\"'])"
    )
    assert prepared.value("admin", loose) == 0


COUNTS = {
    "live rows": "select n_live_tup from pg_stat_user_tables where relname = 'chunk'",
    "rows added": "select n_tup_ins from pg_stat_all_tables where relname = 'chunk'",
    "rows added by function": "select pg_stat_get_tuples_inserted('chunk'::regclass)",
    "live rows by function": "select pg_stat_get_live_tuples('chunk'::regclass)",
    "rows of the transaction": "select n_tup_ins from pg_stat_xact_all_tables where relname = 'chunk'",
    "reads of an index": "select idx_scan from pg_stat_user_indexes where indexrelname = 'chunk_pkey'",
    "blocks read": "select heap_blks_hit from pg_statio_user_tables where relname = 'chunk'",
    "rows of the database": "select tup_inserted from pg_stat_database where datname = current_database()",
    "size": "select pg_relation_size('chunk')",
    "size of a fork": "select pg_relation_size('chunk', 'fsm')",
    "size with indexes": "select pg_total_relation_size('chunk')",
    "size of the table": "select pg_table_size('chunk')",
    "size of its indexes": "select pg_indexes_size('chunk')",
    "size of the database": "select pg_database_size(current_database())",
    "last number": "select pg_sequence_last_value(pg_get_serial_sequence('chunk', 'id')::regclass)",
    "last number by view": "select last_value from pg_sequences where sequencename like 'chunk%'",
    "last number by table": "select last_value from chunk_id_seq",
    "last number of the session": "select currval(pg_get_serial_sequence('chunk', 'id'))",
    "next number": "select nextval(pg_get_serial_sequence('chunk', 'id'))",
    "common values": "select most_common_vals::text from pg_stats where tablename = 'chunk' limit 1",
    "distinct values": "select n_distinct from pg_stats where tablename = 'document' and attname = 'path'",
    "statistics themselves": "select count(*) from pg_statistic",
    "extended statistics": "select 1 from pg_stats_ext limit 1",
    "write-ahead log": "select wal_records from pg_stat_wal",
    "input and output": "select writes from pg_stat_io limit 1",
    "progress": "select 1 from pg_stat_get_progress_info('VACUUM')",
    "files": "select 1 from pg_ls_dir('base')",
    "pages": "select 1 from pg_stat_file('PG_VERSION')",
}


@pytest.mark.parametrize("role", SERVICES)
def test_no_statistic_tells_how_much_there_is(prepared: LibraryDb, role: str) -> None:
    """Refused, or nothing to see: sizes, counters, numbers of sequences, values of statistics."""
    for what, statement in COUNTS.items():
        assert _tells(prepared, role, statement) in (None, "refused"), what


def test_a_statistic_that_is_open_is_found(prepared: LibraryDb) -> None:
    """Test of the test: as a new PostgreSQL has them."""
    told = {what: _tells(prepared, "admin", statement) for what, statement in COUNTS.items()}
    blind = {what for what, value in told.items() if value in (None, "refused")}
    assert blind <= {"last number of the session", "extended statistics", "progress", "common values"}


def test_a_function_given_back_is_found(prepared: LibraryDb) -> None:
    """The mutant: one privilege of a new PostgreSQL, and the size is told."""
    function = "execute on function pg_relation_size(regclass, text)"
    prepared.run("admin", f"grant {function} to public")
    try:
        assert _tells(prepared, "app", COUNTS["size of a fork"]) not in (None, "refused")
    finally:
        prepared.run("admin", f"revoke {function} from public")


def test_the_backup_still_counts(prepared: LibraryDb) -> None:
    """Who dumps or looks after the database keeps what the services lost."""
    for role in ("backup", "owner"):
        assert _tells(prepared, role, COUNTS["size"]) not in (None, "refused", 0)


RESIDUAL: dict[str, str] = {
    "rows in the catalog": "select reltuples::bigint from pg_class where oid = 'chunk'::regclass",
    "pages in the catalog": "select relpages from pg_class where oid = 'chunk'::regclass",
}


def test_what_is_left_to_see(prepared: LibraryDb) -> None:
    """Known and written down in docs/acl.md: who holds the API's password and speaks SQL can learn how many rows there
    are, from the catalog and from the planner's guesses. When one of these closes, this test and the page change.
    """
    for what, statement in RESIDUAL.items():
        assert _tells(prepared, "app", statement) not in (None, "refused", 0), what
    with psycopg.connect(prepared.db.libpq("app")) as connection:
        plan = connection.execute("explain select 1 from chunk").fetchall()
    assert re.search(r"(on|using \S+ on) chunk .*rows=[1-9]", str(plan))


def _tells(library: LibraryDb, role: str, statement: str) -> object:
    """What a query of one value gives this role: the value, None for none, or "refused"."""
    with contextlib.closing(psycopg.connect(library.db.libpq(role), autocommit=True)) as connection:
        try:
            row = connection.execute(statement.encode()).fetchone()
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState):
            return "refused"
        return None if row is None else row[0]
