"""pgvector's HNSW index: unfiltered (the yardstick), under row-level security, and with role arrays on the rows."""

import time
from typing import Any

import numpy as np
import psycopg

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.peers.pg_base import PgClient, PgPeer, UnderPolicy, whole
from benchmarks.retrieval.postgres import copy_rows, literal
from benchmarks.retrieval.protocol import Batch, Searcher
from benchmarks.retrieval.world import Floats, World

# Purpose: rows with the scope and, for the array filter, the roles that may read them (here one role a scope).
HNSW_ROW = """
drop table if exists hnsw_row;
create table hnsw_row (
  scope_id int not null, chunk_id bigint not null, acl int[] not null, embedding halfvec({d}) not null);
alter table hnsw_row alter embedding set storage plain;
"""
HNSW_KEYS = """
alter table hnsw_row add primary key (chunk_id);
create index on hnsw_row (scope_id);
create index on hnsw_row using gin (acl);
create index hnsw_row_embedding on hnsw_row using hnsw (embedding halfvec_ip_ops) with (m = 16, ef_construction = 64);
"""
# Purpose: nearest by the index.
NEAREST = "select chunk_id from hnsw_row order by embedding <#> %(q)s::halfvec limit %(k)s"
# Purpose: the same for relaxed order, sorted again as pgvector's documentation says.
RELAXED = """
with found as materialized (
  select chunk_id, embedding <#> %(q)s::halfvec as distance from hnsw_row order by distance limit %(k)s)
select chunk_id from found order by distance + 0
"""
# Purpose: nearest among the rows that one of the caller's roles may read.
ACL = """
with found as materialized (
  select chunk_id, embedding <#> %(q)s::halfvec as distance from hnsw_row
  where acl && %(roles)s::int[] order by distance limit %(k)s)
select chunk_id from found order by distance + 0
"""


class HnswPeer(PgPeer):
    """All of these share one table and one index."""

    table = "hnsw_row"
    statement = NEAREST
    session: tuple[str, ...] = ()

    @property
    def copy(self) -> str:
        """With the role array."""
        return "copy hnsw_row (scope_id, chunk_id, acl, embedding) from stdin (format binary)"

    def columns(self, batch: Batch) -> list[Any]:
        """Each scope has one role of its own."""
        return [batch.scopes, batch.ids, batch.scopes[:, None], batch.vectors.astype(np.float16)]

    def make(self, connection: psycopg.Connection[Any], world: World) -> None:
        """Rows first, then the index, as pgvector's documentation advises."""
        connection.execute(HNSW_ROW.format(d=world.dimensions))
        copy_rows(connection, self.copy, self.columns(whole(world)))
        connection.execute(HNSW_KEYS)
        connection.execute(access.policy("hnsw_row"))

    def searcher(self) -> Searcher:
        """As the bound role."""
        return UnderPolicy(self.server.app(), self.session, self.statement)


class Unfiltered(PgClient):
    """One statement without a transaction around it: the least that an index search can cost."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:  # noqa: ARG002  # whoever asks
        """Ids."""
        rows = self.connection.execute(self.statement, {"q": literal(question), "k": k}).fetchall()
        return [row[0] for row in rows]


class HnswUnfiltered(HnswPeer):
    """The yardstick: no permissions at all."""

    name = "pg hnsw unfiltered"
    settings = "m 16, ef_construction 64, ef_search 400; no filter, no RLS, one statement"
    unfiltered = True
    session = ("set hnsw.ef_search = 400",)

    def searcher(self) -> Searcher:
        """As superuser, whom no policy binds."""
        return Unfiltered(self.server.owner(), self.session, self.statement)


class HnswRelaxed(HnswPeer):
    """A shared index under row-level security."""

    name = "pg hnsw rls relaxed"
    settings = "m 16, ef_construction 64, ef_search 100, iterative scan relaxed_order, max_scan_tuples 20000, RLS"
    statement = RELAXED
    session = ("set hnsw.ef_search = 100", "set hnsw.iterative_scan = relaxed_order")


class HnswStrict(HnswPeer):
    """The same in strict order."""

    name = "pg hnsw rls strict"
    settings = "m 16, ef_construction 64, ef_search 100, iterative scan strict_order, max_scan_tuples 20000, RLS"
    session = ("set hnsw.ef_search = 100", "set hnsw.iterative_scan = strict_order")


class AclClient(PgClient):
    """The filter is an argument of the statement."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        given = {"q": literal(question), "k": k, "roles": list(caller.scopes)}
        return [row[0] for row in self.connection.execute(self.statement, given).fetchall()]


class AclArrays(HnswPeer):
    """Role arrays on every row, with a GIN index, no row-level security; the planner chooses the index."""

    name = "pg acl && roles"
    settings = "int[] of roles on each row, GIN and HNSW; ef_search 100, iterative scan relaxed_order"
    statement = ACL
    session = ("set hnsw.ef_search = 100", "set hnsw.iterative_scan = relaxed_order")

    def searcher(self) -> Searcher:
        """As superuser: the filter is all there is."""
        return AclClient(self.server.owner(), self.session, self.statement)

    def regrant(self, caller: Caller, scope: int) -> tuple[int, float] | None:  # noqa: ARG002  # the protocol's
        """Another role may read the scope, and no longer: each time all its rows are written, with all indexes."""
        with self.server.owner() as connection:
            began = time.perf_counter()
            added = connection.execute("update hnsw_row set acl = acl || -1 where scope_id = %s", [scope])
            connection.execute("update hnsw_row set acl = array_remove(acl, -1) where scope_id = %s", [scope])
            seconds = (time.perf_counter() - began) / 2
            connection.execute("vacuum hnsw_row")
            return added.rowcount, seconds


class SelectOne(HnswPeer):
    """Not a retriever: the least that a question to this server costs, as a ruler for all others."""

    name = "select 1"
    settings = "one statement, no rows of any table"
    unfiltered = True
    statement = "select 1"

    def searcher(self) -> Searcher:
        """The same client as the yardstick's."""
        return One(self.server.owner(), (), self.statement)


class One(PgClient):
    """The way of the yardstick's client, without a question."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:  # noqa: ARG002  # asks for nothing
        """No ids."""
        self.connection.execute(self.statement).fetchall()
        return []
