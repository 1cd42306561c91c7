"""Chroma: a metadata filter beside its HNSW index."""

import shutil
import time
from typing import Any

import numpy as np

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers.inprocess import InProcess, bytes_below
from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.protocol import Batch, Built, Place
from benchmarks.retrieval.world import Floats, World

BLOCK = 2_000


class Chroma(InProcess):
    """An embedded collection on disk."""

    name = "chroma where"
    settings = "PersistentClient, hnsw defaults (ef_search 100, max_neighbors 16), where scope $in"

    def __init__(self, place: Place) -> None:
        self._chromadb = need("chromadb")
        self._folder = place.folder / "chroma"
        self._collection: Any = None

    def build(self, world: World) -> Built:
        """Add in batches."""
        shutil.rmtree(self._folder, ignore_errors=True)
        began = time.perf_counter()
        self._collection = self._client().create_collection(
            "vectors", configuration={"hnsw": {"space": "ip"}}, embedding_function=None
        )
        for begin in range(0, world.size, BLOCK):
            ids = np.arange(begin, min(begin + BLOCK, world.size))
            self.write(Batch(ids, world.vectors[ids], world.scopes[ids]))
        return Built(time.perf_counter() - began, 0, bytes_below(self._folder))

    def reopen(self, world: World) -> None:  # noqa: ARG002  # the protocol's
        """The collection of an earlier run."""
        self._collection = self._client().get_collection("vectors", embedding_function=None)

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        found = self._collection.query(
            query_embeddings=[question], n_results=k, where={"scope": {"$in": list(caller.scopes)}}, include=[]
        )
        return [int(i) for i in found["ids"][0]]

    def write(self, batch: Batch) -> None:
        """Add."""
        self._collection.add(
            ids=[str(i) for i in batch.ids.tolist()],
            embeddings=batch.vectors,
            metadatas=[{"scope": s} for s in batch.scopes.tolist()],
        )

    def remove(self, batch: Batch) -> None:
        """By id."""
        self._collection.delete(ids=[str(i) for i in batch.ids.tolist()])

    def _client(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = need("chromadb.config").Settings(anonymized_telemetry=False)
        return self._chromadb.PersistentClient(path=str(self._folder), settings=settings)
