"""Exact distances of all visible rows, inside PostgreSQL."""

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.peers.pg_base import PgClient, PgPeer
from benchmarks.retrieval.postgres import literal
from benchmarks.retrieval.protocol import Searcher
from benchmarks.retrieval.world import Floats

# Purpose: the nearest visible rows; `+ 0` keeps approximate indexes out, ties go to the lower id.
EXACT = """
select chunk_id from vector_row order by (embedding <#> %(q)s::halfvec) + 0, chunk_id limit %(k)s
"""
# The planner takes the caller's scopes for ten, and walks the index row by row: from here on a bitmap is faster.
MANY = 5_000
BY_BITMAP = "set local enable_indexscan = off"


class PgExact(PgPeer):
    """Interned scopes, a B-tree on them, row-level security in the form of an index condition."""

    name = "pg exact"
    settings = f"halfvec, B-tree on scope (bitmap from {MANY} visible rows on), RLS; no vector index"
    exact = True

    def searcher(self) -> Searcher:
        """As the bound role."""
        return ExactClient(self.server.app(), [], EXACT)


class ExactClient(PgClient):
    """One transaction: who asks, how much that is, then all of it."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        with self.connection.transaction():
            self.connection.execute(access.AS_CALLER, [str(caller.id)])
            (_, rows) = self.connection.execute(access.SCOPES).fetchone() or ([], 0)
            if rows > MANY:
                self.connection.execute(BY_BITMAP)
            found = self.connection.execute(self.statement, {"q": literal(question), "k": k}).fetchall()
        return [row[0] for row in found]
