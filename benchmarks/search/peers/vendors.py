"""Peers in this process: Chroma and LanceDB with their filters, FAISS with a bitmap of visible rows, numpy."""

import os
import time
from abc import abstractmethod
from typing import Any

import numpy as np

from benchmarks.search.cases import Caller
from benchmarks.search.peers.base import Batch, Built, InProcess, Place, blocks, bytes_below, need, whole
from benchmarks.search.vectors import Floats, Vectors


class Chroma(InProcess):
    name = "chroma where"
    settings = "PersistentClient, hnsw defaults (ef_search 100, max_neighbors 16), where scope $in"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        chromadb = need("chromadb")
        quiet = need("chromadb.config").Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(place.folder), settings=quiet)

    def build(self, vectors: Vectors) -> Built:
        began = time.perf_counter()
        self._collection = self._client.create_collection(
            "vectors", configuration={"hnsw": {"space": "ip"}}, embedding_function=None
        )
        for batch in blocks(vectors):
            self.write(batch)
        return Built(time.perf_counter() - began, 0, bytes_below(self.place.folder))

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        where = {"scope": {"$in": list(caller.scopes)}}
        answer = self._collection.query(query_embeddings=[question], n_results=k, where=where, include=[])
        return [int(i) for i in answer["ids"][0]]

    def write(self, batch: Batch) -> None:
        scopes = [{"scope": s} for s in batch.scopes.tolist()]
        self._collection.add(ids=[str(i) for i in batch.ids.tolist()], embeddings=batch.rows, metadatas=scopes)


class Lance(InProcess):
    """The vector index that its documentation advises for large tables."""

    name = "lancedb ivf_pq"
    settings = "IVF_PQ √N partitions, 48 sub-vectors, nprobes 20, refine_factor 10, BITMAP on scope, prefilter"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        os.environ.setdefault("LANCE_CPU_THREADS", "1")  # as for all others
        self._lancedb, self._arrow = need("lancedb"), need("pyarrow")

    def build(self, vectors: Vectors) -> Built:
        """Write, then index the scope and the vector."""
        began, flat = time.perf_counter(), self._arrow.array(vectors.rows.ravel())
        rows = self._arrow.FixedSizeListArray.from_arrays(flat, vectors.rows.shape[1])
        columns = {"id": np.arange(vectors.size), "scope": vectors.scopes, "vector": rows}
        self._table = self._lancedb.connect(self.place.folder).create_table("vectors", self._arrow.table(columns))
        self._table.create_scalar_index("scope", index_type="BITMAP")
        partitions = max(1, int(np.sqrt(vectors.size)))
        self._table.create_index(metric="dot", num_partitions=partitions, num_sub_vectors=48, index_type="IVF_PQ")
        self._table.optimize()
        return Built(time.perf_counter() - began, 0, bytes_below(self.place.folder))

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """By the filter before the search, with an exact second look at ten times as many."""
        query = self._table.search(question, vector_column_name="vector").distance_type("dot")
        where = f"scope IN ({','.join(map(str, caller.scopes))})"
        near = query.nprobes(20).refine_factor(10).where(where, prefilter=True).select(["id", "_distance"])
        ids: list[int] = near.limit(k).to_arrow()["id"].to_pylist()
        return ids


class Faiss(InProcess):
    """The bitmap of visible rows is made for each search: a search of some microseconds would be unfair without it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.faiss = need("faiss")
        self.faiss.omp_set_num_threads(1)

    def build(self, vectors: Vectors) -> Built:
        began = time.perf_counter()
        self.index = self.make(vectors)
        seconds = time.perf_counter() - began
        self._scopes, self._count = vectors.scopes, len(vectors.topical)
        return Built(seconds, int(self.faiss.serialize_index(self.index).nbytes), 0)

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Fewer than k where the walk ends early."""
        allowed = np.zeros(self._count, np.bool_)
        allowed[list(caller.scopes)] = True
        bits = np.packbits(allowed[self._scopes], bitorder="little")
        _, near = self.index.search(question[None], k, params=self.parameters(self.faiss.IDSelectorBitmap(bits)))
        return [i for i in near[0].tolist() if i >= 0]

    @abstractmethod
    def make(self, vectors: Vectors) -> Any: ...

    @abstractmethod
    def parameters(self, selector: Any) -> Any: ...


class FaissHnsw(Faiss):
    """A graph over everything, walked with a selector."""

    name = "faiss hnsw + selector"
    settings = "IndexHNSWFlat M 32, efConstruction 64, efSearch 400, IDSelectorBitmap"

    def make(self, vectors: Vectors) -> Any:
        index = self.faiss.IndexHNSWFlat(vectors.rows.shape[1], 32, self.faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 64
        index.add(vectors.rows)
        return index

    def parameters(self, selector: Any) -> Any:
        return self.faiss.SearchParametersHNSW(sel=selector, efSearch=400)


class FaissIvf(Faiss):
    """Clusters trained on everything, the same number probed whoever asks."""

    name = "faiss ivf + selector"
    settings = "IndexIVFFlat nlist 4·√N (FAISS's guideline), nprobe 64, IDSelectorBitmap"

    def make(self, vectors: Vectors) -> Any:
        lists = max(1, int(4 * np.sqrt(vectors.size)))
        self._quantizer = self.faiss.IndexFlatIP(vectors.rows.shape[1])  # the index does not keep it alive
        index = self.faiss.IndexIVFFlat(self._quantizer, vectors.rows.shape[1], lists, self.faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.seed, index.cp.min_points_per_centroid = 10, 7, 1
        sample = np.random.default_rng(7).choice(vectors.size, min(vectors.size, 40 * lists), replace=False)
        index.train(vectors.rows[np.sort(sample)])
        index.add(vectors.rows)
        return index

    def parameters(self, selector: Any) -> Any:
        return self.faiss.SearchParametersIVF(sel=selector, nprobe=64)


class NumpyExact(InProcess):
    """Exact in memory, the floor: vectors sorted by scope, a search goes through the visible runs."""

    name = "numpy exact"
    settings = "float32 in memory, sorted by scope, one thread; the visible scopes are an argument"

    def build(self, vectors: Vectors) -> Built:
        """Sort; what takes the time is copying."""
        began = time.perf_counter()
        self._sorted = whole(vectors).at(np.argsort(vectors.scopes, kind="stable"))
        self._starts = np.searchsorted(self._sorted.scopes, np.arange(len(vectors.topical) + 1))
        return Built(time.perf_counter() - began, vectors.rows.nbytes + self._sorted.ids.nbytes, 0)

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ties go to the lower id."""
        runs = [slice(self._starts[s], self._starts[s + 1]) for s in caller.scopes]
        # Run by run: gathering the rows first would copy them.
        scores = np.concatenate([self._sorted.rows[run] @ question for run in runs])
        ids = np.concatenate([self._sorted.ids[run] for run in runs])
        if len(ids) > k:
            near = scores >= np.partition(scores, len(ids) - k)[len(ids) - k]
            ids, scores = ids[near], scores[near]
        best: list[int] = ids[np.lexsort((ids, -scores))][:k].tolist()
        return best
