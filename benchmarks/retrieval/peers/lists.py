"""Scope lists end to end: scopes from PostgreSQL, a scan of their codes, exact distances under row-level security.

The seam is `Coding`: a prototype stands beside the product's own codebook and segment, on the same table.
"""

import time
from typing import Any, ClassVar, Protocol

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.peers.fastscan import Codes, Prototype
from benchmarks.retrieval.peers.pg_base import PgClient, PgPeer
from benchmarks.retrieval.peers.pg_exact import EXACT
from benchmarks.retrieval.peers.segment import ProductCoding
from benchmarks.retrieval.postgres import literal
from benchmarks.retrieval.protocol import Batch, Built, Place, Searcher
from benchmarks.retrieval.world import Floats, Integers, World

SMALL = 800  # visible rows up to which PostgreSQL alone answers
LEAST = 300  # candidates whose distance is computed exactly
DEEPER = 12  # candidates for each row asked for, if that is more

# Purpose: exact distances of the candidates, under row-level security. As `chunk_id = any (…)` the planner reads the
# whole index on scopes beside the key (a BitmapAnd), and the exact step grows with what is visible.
RERANK = """
select v.chunk_id from unnest(%(ids)s::bigint[]) as c (id) join vector_row v on v.chunk_id = c.id
order by (v.embedding <#> %(q)s::halfvec) + 0, v.chunk_id limit %(k)s
"""


class Laid(Protocol):
    """Codes that are ready to be scanned."""

    @property
    def memory(self) -> int:
        """Bytes, of which none are on disk."""

    def scan(self, question: Floats, scopes: NDArray[np.int32], depth: int) -> Integers:
        """The ids of the best `depth` codes in these scopes (ascending), or of all of them."""


class Coding(Protocol):
    """How vectors become codes, and codes lists."""

    def encode(self, vectors: Floats) -> Codes:
        """(n, bytes)."""

    def lay(self, codes: Codes, scopes: NDArray[np.int32], count: int) -> Laid:
        """Lists of these codes in their scopes (n,), which are below `count`; ids are positions."""


class ListsPeer(PgPeer):
    """The table and the grants are those of `pg exact`."""

    coding: ClassVar[type[Any]]

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._file = place.folder / "codes.npy"
        self._coding: Coding | None = None
        self._laid: Laid | None = None
        # Rows since the lists were built: ids and scopes.
        self.tail: tuple[NDArray[np.int64], NDArray[np.int32]] = (np.empty(0, np.int64), np.empty(0, np.int32))

    @property
    def made(self) -> tuple[Coding, Laid]:
        """What `build` or `reopen` made."""
        if self._coding is None or self._laid is None:
            raise RuntimeError("build or reopen first")
        return self._coding, self._laid

    def build(self, world: World) -> Built:
        """The table, then codes, then lists. Making the codebook does not count: it is shipped."""
        table = super().build(world)
        self._coding = coding = self.coding(world.dimensions, self.folder)
        began = time.perf_counter()
        codes = coding.encode(world.vectors)
        encoded = time.perf_counter() - began
        np.save(self._file, codes)
        began = time.perf_counter()
        self._laid = coding.lay(codes, world.scopes, len(world.topical))
        seconds = table.seconds + encoded + time.perf_counter() - began
        return Built(seconds, self._laid.memory, table.disk)

    def reopen(self, world: World) -> None:
        """Lists from the stored codes."""
        self._coding = self.coding(world.dimensions, self.folder)
        self._laid = self._coding.lay(np.load(self._file), world.scopes, len(world.topical))

    def write(self, batch: Batch) -> None:
        """Rows and codes; the lists stay as they are, and the tail is scanned exactly."""
        self.made[0].encode(batch.vectors)
        super().write(batch)
        self.tail = (np.concatenate([self.tail[0], batch.ids]), np.concatenate([self.tail[1], batch.scopes]))

    def remove(self, batch: Batch) -> None:
        """The tail goes with them."""
        super().remove(batch)
        kept = ~np.isin(self.tail[0], batch.ids)
        self.tail = (self.tail[0][kept], self.tail[1][kept])

    def searcher(self) -> Searcher:
        """As the bound role."""
        return ListsClient(self.server.app(), self)


class PrototypeLists(ListsPeer):
    """As the spike had them."""

    name = "scope lists (prototype)"
    settings = f"PQ 192×4 from noise, one list a scope, {LEAST} candidates exact under RLS; ≤ {SMALL} visible: exact"
    coding = Prototype


class SegmentLists(ListsPeer):
    """With the product's codebook and segment; its snapshots, tails and queries are not in it."""

    name = "scope lists (product's segment)"
    settings = f"app.scope_index.segment, {LEAST} candidates exact under RLS; ≤ {SMALL} visible: exact"
    coding = ProductCoding


class ListsClient(PgClient):
    """One transaction resolves the scopes and computes the distances."""

    def __init__(self, connection: psycopg.Connection[Any], peer: ListsPeer) -> None:
        super().__init__(connection, ["set default_transaction_isolation = 'repeatable read'"], RERANK)
        self._peer = peer

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        given: dict[str, Any] = {"q": literal(question), "k": k}
        with self.connection.transaction():
            self.connection.execute(access.AS_CALLER, [str(caller.id)])
            (scopes, rows) = self.connection.execute(access.SCOPES).fetchone() or ([], 0)
            statement = EXACT
            if rows > SMALL:
                statement, given["ids"] = RERANK, self._candidates(question, np.asarray(scopes, np.int32), k)
            return [row[0] for row in self.connection.execute(statement, given).fetchall()]

    def _candidates(self, question: Floats, scopes: NDArray[np.int32], k: int) -> list[int]:
        scopes = np.sort(scopes)
        found = self._peer.made[1].scan(question, scopes, max(LEAST, DEEPER * k))
        ids, of = self._peer.tail
        if len(ids):
            found = np.concatenate([found, ids[np.isin(of, scopes)]])
        candidates: list[int] = found.tolist()
        return candidates
