"""Peers inside PostgreSQL: exact, pgvector's HNSW unfiltered and under row-level security, arrays of roles on rows."""

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import psycopg
from pgvector import HalfVector

from benchmarks.search.bulk import copy_rows
from benchmarks.search.cases import Caller
from benchmarks.search.peers.base import APP, Batch, Built, Peer, Searcher, whole
from benchmarks.search.vectors import Floats, Vectors

# Who may see which scope, how much lies in each, and the scopes of the caller of this transaction. In the product who
# calls is signed.
ACCESS = f"""
create table caller_scope (caller int, scope_id int, primary key (caller, scope_id));
create table scope_volume (scope_id int primary key, chunks int not null);
create function my_scopes() returns int[] language sql stable parallel safe security definer
  set search_path = public, pg_temp as $$
    select coalesce(array_agg(scope_id), '{{}}') from caller_scope
    where caller = nullif(current_setting('bench.caller', true), '')::int $$;
grant select on scope_volume to {APP};
"""
AS_CALLER = "select set_config('bench.caller', %s, true)"
# How many rows the caller sees.
VOLUME = "select coalesce(sum(chunks), 0) from scope_volume where scope_id = any ((select my_scopes())::int[])"
# Evaluated once, and usable as an index condition.
POLICY = f"""
alter table {{table}} enable row level security;
create policy readable on {{table}} for select to {APP} using (scope_id = any ((select my_scopes())::int[]));
grant select on {{table}} to {APP};
"""
TABLE = """
create table {table} (scope_id int not null, chunk_id bigint not null, {more} embedding halfvec({d}) not null);
alter table {table} alter embedding set storage plain;
"""
# The nearest visible rows; `+ 0` keeps approximate indexes out, ties go to the lower id.
EXACT = "select chunk_id from vector_row order by (embedding <#> %(q)s::halfvec) + 0, chunk_id limit %(k)s"
NEAREST = "select chunk_id from hnsw_row order by embedding <#> %(q)s::halfvec limit %(k)s"
# Relaxed order is sorted again, as pgvector's documentation says.
RELAXED = """
with near as materialized (
  select chunk_id, embedding <#> %(q)s::halfvec as distance from hnsw_row {where} order by distance limit %(k)s)
select chunk_id from near order by distance + 0
"""
# From so many visible rows on a bitmap is faster; the planner takes the caller's scopes for ten.
MANY = 5_000
BY_BITMAP = "set local enable_indexscan = off"


def bytes_of(connection: psycopg.Connection[Any], table: str) -> int:
    """Table, TOAST and indexes on disk."""
    row = connection.execute("select pg_total_relation_size(%s)", [table]).fetchone()
    return int(row[0]) if row else 0


class PgClient:
    """A connection with the peer's settings. Under a policy each search is a transaction that says who asks."""

    def __init__(self, connection: psycopg.Connection[Any], peer: "PgPeer") -> None:
        self.connection, self._peer = connection, peer
        for setting in peer.session:
            connection.execute(setting.encode())

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        given = {"q": HalfVector(question).to_text(), "k": k, "roles": list(caller.scopes)}
        if not self._peer.bound:
            return self._ids(given)
        with self.connection.transaction():
            self.connection.execute(AS_CALLER, [str(caller.id)])
            if self._peer.by_volume:
                (rows,) = self.connection.execute(VOLUME).fetchone() or (0,)
                if rows > MANY:
                    self.connection.execute(BY_BITMAP)
            return self._ids(given)

    def _ids(self, given: dict[str, Any]) -> list[int]:
        rows = self.connection.execute(self._peer.statement.encode(), given).fetchall()
        return [row[0] for row in rows]

    def backends(self) -> list[int]:
        return [self.connection.info.backend_pid]

    def close(self) -> None:
        self.connection.close()


class PgPeer(Peer):
    """One table that peers share, grants beside it, one connection for each client."""

    table: ClassVar[str]
    more: ClassVar[str] = ""  # columns
    keys: ClassVar[str]
    statement: ClassVar[str]
    session: ClassVar[tuple[str, ...]] = ()
    bound: ClassVar[bool] = True  # by row-level security
    by_volume: ClassVar[bool] = False  # asks how much the caller sees

    def build(self, vectors: Vectors) -> Built:
        """Rows first, then keys and indexes; or the table that another peer made, whose seconds count here too."""
        with self.place.connect() as connection:
            if self.table not in self.place.made:
                began = time.perf_counter()
                self._make(connection, vectors)
                self.place.made[self.table] = time.perf_counter() - began
            connection.execute(f"vacuum analyze {self.table}".encode())
            return Built(self.place.made[self.table], 0, bytes_of(connection, self.table))

    def _make(self, connection: psycopg.Connection[Any], vectors: Vectors) -> None:
        if connection.execute("select to_regclass('caller_scope')").fetchone() == (None,):
            connection.execute(ACCESS.encode())
            scopes = np.arange(len(vectors.volumes), dtype=np.int32)
            copy_rows(connection, "scope_volume", [scopes, vectors.volumes.astype(np.int32)])
        connection.execute(TABLE.format(table=self.table, more=self.more, d=vectors.rows.shape[1]).encode())
        self.write(whole(vectors))
        connection.execute(self.keys.encode())
        connection.execute(POLICY.format(table=self.table).encode())

    def admit(self, callers: Sequence[Caller]) -> None:
        pairs = np.asarray([(caller.id, scope) for caller in callers for scope in caller.scopes], np.int32)
        with self.place.connect() as connection:
            connection.execute("truncate caller_scope")
            copy_rows(connection, "caller_scope", [pairs[:, 0], pairs[:, 1]])
            connection.execute("vacuum analyze caller_scope")

    def write(self, batch: Batch) -> None:
        """COPY with all indexes in place."""
        with self.place.connect() as connection:
            copy_rows(connection, self.table, self.columns(batch))

    def columns(self, batch: Batch) -> list[Any]:
        return [batch.scopes, batch.ids.astype(np.int64), batch.rows.astype(np.float16)]

    def searcher(self) -> Searcher:
        """As the bound role, or as the superuser, whom no policy binds."""
        return PgClient(self.place.connect(APP if self.bound else "postgres"), self)


class PgExact(PgPeer):
    """Interned scopes, a B-tree on them, row-level security in the form of an index condition."""

    name = "pg exact"
    settings = f"halfvec, B-tree on scope (bitmap from {MANY} visible rows on), RLS; no vector index"
    table = "vector_row"
    keys = "alter table vector_row add primary key (chunk_id); create index on vector_row (scope_id);"
    statement = EXACT
    by_volume = True


class Hnsw(PgPeer):
    """Shares one table and one index; each scope has one role that may read it."""

    table = "hnsw_row"
    more = "acl int[] not null,"
    keys = """
    alter table hnsw_row add primary key (chunk_id);
    create index on hnsw_row (scope_id);
    create index on hnsw_row using gin (acl);
    create index on hnsw_row using hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 64);
    """

    def columns(self, batch: Batch) -> list[Any]:
        return [batch.scopes, batch.ids.astype(np.int64), batch.scopes[:, None], batch.rows.astype(np.float16)]


class HnswUnfiltered(Hnsw):
    """The yardstick: no permissions at all, one statement without a transaction around it."""

    name = "pg hnsw unfiltered"
    settings = "m 16, ef_construction 64, ef_search 400; no filter, no RLS, one statement"
    unfiltered = True
    bound = False
    statement = NEAREST
    session: ClassVar[tuple[str, ...]] = ("set hnsw.ef_search = 400",)


class SelectOne(HnswUnfiltered):
    """Not a retriever: the least that a question to this server costs, as a ruler for all others."""

    name = "select 1"
    settings = "one statement, no rows of any table"
    statement = "select 1"
    session = ()


class HnswRelaxed(Hnsw):
    """A shared index under row-level security."""

    name = "pg hnsw rls relaxed"
    settings = "m 16, ef_construction 64, ef_search 100, iterative scan relaxed_order, max_scan_tuples 20000, RLS"
    statement = RELAXED.format(where="")
    session = ("set hnsw.ef_search = 100", "set hnsw.iterative_scan = relaxed_order")


class HnswStrict(Hnsw):
    """The same in strict order."""

    name = "pg hnsw rls strict"
    settings = "m 16, ef_construction 64, ef_search 100, iterative scan strict_order, max_scan_tuples 20000, RLS"
    statement = NEAREST
    session = ("set hnsw.ef_search = 100", "set hnsw.iterative_scan = strict_order")


class AclArrays(Hnsw):
    """Role arrays on every row, with a GIN index, no row-level security; the planner chooses the index."""

    name = "pg acl && roles"
    settings = "int[] of roles on each row, GIN and HNSW; ef_search 100, iterative scan relaxed_order"
    statement = RELAXED.format(where="where acl && %(roles)s::int[]")
    session = HnswRelaxed.session
    bound = False

    def regrant(self, scope: int) -> tuple[int, float]:
        """Another role may read the scope, and no longer: each time all its rows are written, with all indexes."""
        with self.place.connect() as connection:
            began = time.perf_counter()
            added = connection.execute("update hnsw_row set acl = acl || -1 where scope_id = %s", [scope])
            connection.execute("update hnsw_row set acl = array_remove(acl, -1) where scope_id = %s", [scope])
            seconds = (time.perf_counter() - began) / 2
            connection.execute("vacuum hnsw_row")
            return added.rowcount, seconds
