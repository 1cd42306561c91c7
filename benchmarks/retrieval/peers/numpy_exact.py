"""Exact in memory with numpy: the floor, without database, transaction or policy."""

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers.inprocess import InProcess
from benchmarks.retrieval.protocol import Batch, Built, Place
from benchmarks.retrieval.world import Floats, Integers, World


class NumpyExact(InProcess):
    """Vectors sorted by scope; a search goes through the visible runs."""

    name = "numpy exact"
    settings = "float32 in memory, sorted by scope, one thread; the visible scopes are an argument"
    exact = True

    def __init__(self, place: Place) -> None:  # noqa: ARG002  # others need one
        self._ids: Integers = np.empty(0, np.int64)
        self._vectors: Floats = np.empty((0, 0), np.float32)
        self._starts: Integers = np.empty(0, np.int64)

    def build(self, world: World) -> Built:
        """Sort; what takes the time is copying."""
        began = time.perf_counter()
        self._lay(np.arange(world.size), world.vectors, world.scopes, len(world.topical))
        return Built(time.perf_counter() - began, self._vectors.nbytes + self._ids.nbytes, 0)

    def reopen(self, world: World) -> None:
        """Nothing is kept on disk."""
        self.build(world)

    def _lay(self, ids: Integers, vectors: Floats, scopes: NDArray[np.int32], count: int) -> None:
        order = np.argsort(scopes, kind="stable")
        self._ids, self._vectors = ids[order], vectors[order]
        self._starts = np.searchsorted(scopes[order], np.arange(count + 1)).astype(np.int64)

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first; ties go to the lower id."""
        runs = [slice(self._starts[s], self._starts[s + 1]) for s in caller.scopes]
        # Run by run: gathering the rows first would copy them.
        scores = np.concatenate([self._vectors[run] @ question for run in runs])
        rows = np.concatenate([np.arange(run.start, run.stop) for run in runs])
        if len(rows) > k:
            line = np.partition(scores, len(rows) - k)[len(rows) - k]
            kept = scores >= line
            rows, scores = rows[kept], scores[kept]
        ids = self._ids[rows]
        found: list[int] = ids[np.lexsort((ids, -scores))][:k].tolist()
        return found

    def write(self, batch: Batch) -> None:
        """Sort all again."""
        count = len(self._starts) - 1
        scopes = np.repeat(np.arange(count, dtype=np.int32), np.diff(self._starts))
        ids = np.concatenate([self._ids, batch.ids])
        vectors = np.concatenate([self._vectors, batch.vectors])
        self._lay(ids, vectors, np.concatenate([scopes, batch.scopes]), count)

    def remove(self, batch: Batch) -> None:
        """Sort all again without them."""
        count = len(self._starts) - 1
        kept = ~np.isin(self._ids, batch.ids)
        scopes = np.repeat(np.arange(count, dtype=np.int32), np.diff(self._starts))
        self._lay(self._ids[kept], self._vectors[kept], scopes[kept], count)
