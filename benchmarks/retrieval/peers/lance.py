"""LanceDB: a filter on the scope before the search."""

import os
import shutil
import time
from typing import Any, ClassVar

import numpy as np

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers.inprocess import InProcess, bytes_below
from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.protocol import Batch, Built, Place
from benchmarks.retrieval.world import Floats, World

BLOCK = 50_000


class LanceFlat(InProcess):
    """Exhaustive over what the filter leaves."""

    name: ClassVar[str] = "lancedb prefilter"
    settings: ClassVar[str] = "float32, BITMAP scalar index on scope, prefilter, no vector index (exhaustive)"
    exact = True

    def __init__(self, place: Place) -> None:
        # One thread, as for all others.
        os.environ.setdefault("LANCE_CPU_THREADS", "1")
        self._lancedb, self._arrow = need("lancedb"), need("pyarrow")
        self._folder = place.folder / "lance"
        self.table: Any = None

    def build(self, world: World) -> Built:
        """Write blocks, then indexes."""
        shutil.rmtree(self._folder, ignore_errors=True)
        began = time.perf_counter()
        database = self._lancedb.connect(self._folder)
        for begin in range(0, world.size, BLOCK):
            ids = np.arange(begin, min(begin + BLOCK, world.size))
            rows = self._rows(Batch(ids, world.vectors[ids], world.scopes[ids]))
            if begin == 0:
                self.table = database.create_table("vectors", rows)
            else:
                self.table.add(rows)
        self.index(world)
        self.table.optimize()
        return Built(time.perf_counter() - began, 0, bytes_below(self._folder))

    def index(self, world: World) -> None:  # noqa: ARG002  # of the other kind's
        """On the column that is filtered."""
        self.table.create_scalar_index("scope", index_type="BITMAP")

    def reopen(self, world: World) -> None:  # noqa: ARG002  # the protocol's
        """The table of an earlier run."""
        self.table = self._lancedb.connect(self._folder).open_table("vectors")

    def query(self, question: Floats) -> Any:
        """Before the filter."""
        return self.table.search(question, vector_column_name="vector").distance_type("dot")

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        where = f"scope IN ({','.join(map(str, caller.scopes))})"
        found = self.query(question).where(where, prefilter=True).select(["id", "_distance"]).limit(k).to_arrow()
        ids: list[int] = found["id"].to_pylist()
        return ids

    def write(self, batch: Batch) -> None:
        """Append."""
        self.table.add(self._rows(batch))

    def remove(self, batch: Batch) -> None:
        """By id."""
        self.table.delete(f"id >= {batch.ids.min()}")

    def _rows(self, batch: Batch) -> Any:
        arrow = self._arrow
        flat = arrow.array(np.ascontiguousarray(batch.vectors).ravel())
        vectors = arrow.FixedSizeListArray.from_arrays(flat, batch.vectors.shape[1])
        return arrow.table({"id": batch.ids, "scope": batch.scopes, "vector": vectors})


class LanceIvf(LanceFlat):
    """The vector index that its documentation advises for large tables."""

    name = "lancedb ivf_pq"
    settings = "IVF_PQ √N partitions, 48 sub-vectors, nprobes 20, refine_factor 10, BITMAP on scope, prefilter"
    exact = False

    def index(self, world: World) -> None:
        """Both indexes; fewer rows than a codebook needs make no sense of it."""
        super().index(world)
        self.table.create_index(
            metric="dot", num_partitions=max(1, int(np.sqrt(world.size))), num_sub_vectors=48, index_type="IVF_PQ"
        )

    def query(self, question: Floats) -> Any:
        """With an exact second look at ten times as many."""
        return super().query(question).nprobes(20).refine_factor(10)
