"""FAISS indexes over all vectors, with a bitmap of the visible rows as selector."""

import time
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers.inprocess import InProcess
from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.protocol import Batch, Built, Place
from benchmarks.retrieval.world import Floats, World


class FaissPeer(InProcess):
    """The bitmap is made for each search: a search of some microseconds would be unfair without it."""

    name: ClassVar[str]
    settings: ClassVar[str]

    def __init__(self, place: Place) -> None:
        self.faiss = need("faiss")
        self.faiss.omp_set_num_threads(1)
        self._file = place.folder / "index.faiss"
        self.index: Any = None
        self._scopes = np.empty(0, np.int32)
        self._count = 0

    def build(self, world: World) -> Built:
        """In memory; a copy goes to disk for the next run, which is not timed."""
        began = time.perf_counter()
        self.index = self.make(world)
        seconds = time.perf_counter() - began
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self.faiss.write_index(self.index, str(self._file))
        self._scopes, self._count = world.scopes, len(world.topical)
        return Built(seconds, self._file.stat().st_size, 0)

    def reopen(self, world: World) -> None:
        """Read the copy."""
        self.index = self.faiss.read_index(str(self._file))
        self._scopes, self._count = world.scopes, len(world.topical)

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first; fewer than k where the walk ends early."""
        allowed = np.zeros(self._count, np.bool_)
        allowed[list(caller.scopes)] = True
        bits = np.packbits(allowed[self._scopes], bitorder="little")
        _, found = self.index.search(question[None], k, params=self.parameters(self.faiss.IDSelectorBitmap(bits)))
        return [i for i in found[0].tolist() if i >= 0]

    def write(self, batch: Batch) -> None:
        """Ids must go on where the index ends: these indexes number their rows themselves."""
        if batch.ids[0] != len(self._scopes):
            raise ValueError("FAISS numbers rows itself: ids must go on")
        self.index.add(batch.vectors)
        self._scopes = np.concatenate([self._scopes, batch.scopes])

    def remove(self, batch: Batch) -> None:
        """No HNSW of FAISS can remove: the rows are masked, as an application would do."""
        self._scopes = self._scopes[: batch.ids[0]]
        self.forget(batch)

    def forget(self, batch: Batch) -> None:
        """Take the rows out where the index can."""

    @abstractmethod
    def make(self, world: World) -> Any:
        """The filled index."""

    @abstractmethod
    def parameters(self, selector: Any) -> Any:
        """Of one search."""


class FaissHnsw(FaissPeer):
    """A graph over everything, walked with a selector."""

    name = "faiss hnsw + selector"
    settings = "IndexHNSWFlat M 32, efConstruction 64, efSearch 400, IDSelectorBitmap"

    def make(self, world: World) -> Any:
        """Insert one by one."""
        index = self.faiss.IndexHNSWFlat(world.dimensions, 32, self.faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 64
        index.add(world.vectors)
        return index

    def parameters(self, selector: Any) -> Any:
        """The beam of the yardstick."""
        return self.faiss.SearchParametersHNSW(sel=selector, efSearch=400)


class FaissIvf(FaissPeer):
    """Clusters trained on everything, the same number probed whoever asks."""

    name = "faiss ivf + selector"
    settings = "IndexIVFFlat nlist 4·√N (FAISS's guideline), nprobe 64, IDSelectorBitmap"

    def make(self, world: World) -> Any:
        """Train on 40 vectors a list, then add."""
        lists = max(1, int(4 * np.sqrt(world.size)))
        quantizer = self.faiss.IndexFlatIP(world.dimensions)
        index = self.faiss.IndexIVFFlat(quantizer, world.dimensions, lists, self.faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.seed, index.cp.min_points_per_centroid = 10, 7, 1
        sample = np.random.default_rng(7).choice(world.size, min(world.size, 40 * lists), replace=False)
        index.train(world.vectors[np.sort(sample)])
        index.add(world.vectors)
        return index

    def parameters(self, selector: Any) -> Any:
        """The same probes for all."""
        return self.faiss.SearchParametersIVF(sel=selector, nprobe=64)

    def forget(self, batch: Batch) -> None:
        """These lists can."""
        self.index.remove_ids(batch.ids)
