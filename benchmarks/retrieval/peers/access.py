"""What all peers inside PostgreSQL share: who may see which scope, the policy over it, tables that are made once."""

import statistics
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psycopg

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.postgres import APP, Server, copy_rows
from benchmarks.retrieval.world import World

# Purpose: grants as interned scopes, the scopes of the caller of this transaction, and how much lies in each.
ACCESS = f"""
create table if not exists caller_scope (caller int, scope_id int, primary key (caller, scope_id));
create table if not exists scope_volume (scope_id int primary key, chunks int not null);
create table if not exists made (name text primary key, seconds float8 not null);
create or replace function my_scopes() returns int[] language sql stable parallel safe security definer
  set search_path = public, pg_temp as $$
    select coalesce(array_agg(scope_id), '{{}}') from caller_scope
    where caller = nullif(current_setting('bench.caller', true), '')::int $$;
grant select on scope_volume to {APP};
"""
# Purpose: the caller of this transaction. In the product this value is signed.
AS_CALLER = "select set_config('bench.caller', %s, true)"
# Purpose: the scopes of the caller, and how many vectors they hold.
SCOPES = """
select s.mine, (select coalesce(sum(chunks), 0) from scope_volume where scope_id = any (s.mine))
from (select my_scopes() as mine) s
"""
# Purpose: what a change of access costs: one row, committed.
REVOKE = "delete from caller_scope where caller = %s and scope_id = %s"
GRANT = "insert into caller_scope values (%s, %s)"
REGRANTS = 20


def prepare(connection: psycopg.Connection[Any], world: World) -> None:
    """Make the access tables if they are not there."""
    connection.execute(ACCESS)
    if connection.execute("select 1 from scope_volume limit 1").fetchone() is None:
        scopes = np.arange(len(world.volumes), dtype=np.int32)
        copy_rows(connection, "copy scope_volume from stdin (format binary)", [scopes, world.volumes.astype(np.int32)])


def policy(table: str) -> str:
    """Row-level security in the form that is evaluated once and usable as an index condition."""
    return f"""
    alter table {table} enable row level security;
    create policy readable on {table} for select to {APP} using (scope_id = any ((select my_scopes())::int[]));
    grant select on {table} to {APP};
    """


def once(connection: psycopg.Connection[Any], name: str, make: Callable[[], None]) -> float:
    """Seconds that making took; several peers share a table, and an earlier run may have made it."""
    row = connection.execute("select seconds from made where name = %s", [name]).fetchone()
    if row is None:
        began = time.perf_counter()
        make()
        seconds = time.perf_counter() - began
        connection.execute("insert into made values (%s, %s)", [name, seconds])
        return seconds
    return float(row[0])


def admit(server: Server, callers: Sequence[Caller]) -> None:
    """Write the grants. Peers share the table, so equal ones are written once."""
    pairs = sorted((caller.id, scope) for caller in callers for scope in caller.scopes)
    digest = f"grants-{zlib.crc32(repr(pairs).encode()):08x}"
    with server.owner() as connection:
        if connection.execute("select 1 from made where name = %s", [digest]).fetchone():
            return
        connection.execute("delete from made where name like 'grants-%'")
        connection.execute("truncate caller_scope")
        columns = np.asarray(pairs, np.int32)
        copy_rows(connection, "copy caller_scope from stdin (format binary)", [columns[:, 0], columns[:, 1]])
        connection.execute("vacuum analyze caller_scope")
        connection.execute("insert into made values (%s, 0)", [digest])


def regrant(server: Server, caller: Caller, scope: int) -> tuple[int, float]:
    """Take one scope from a caller and give it back: one row of the grants each, no row of vectors. The median time."""
    times = []
    with server.owner() as connection:
        for _ in range(REGRANTS):
            for statement in (REVOKE, GRANT):
                began = time.perf_counter()
                connection.execute(statement, [caller.id, scope])
                times.append(time.perf_counter() - began)
    return 0, statistics.median(times)


def bytes_of(connection: psycopg.Connection[Any], table: str) -> int:
    """Table, TOAST and indexes on disk."""
    row = connection.execute("select pg_total_relation_size(%s)", [table]).fetchone()
    return int(row[0]) if row else 0
