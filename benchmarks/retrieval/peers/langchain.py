"""LangChain's PGVector with a metadata filter, as most tutorials build it."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.postgres import PASSWORD
from benchmarks.retrieval.protocol import Batch, Built, Place, Searcher
from benchmarks.retrieval.world import Floats, World

BLOCK = 2_000
COLLECTION = "vectors"


class LangChainPgVector:
    """Its own tables, JSONB metadata, no vector index: the class makes none."""

    name = "langchain pgvector"
    settings = "PGVector, JSONB metadata {scope}, filter $in, inner product; no ANN index (the class makes none)"
    exact = True
    unfiltered = False

    def __init__(self, place: Place) -> None:
        self._module = need("langchain_postgres.vectorstores")
        embeddings = need("langchain_core.embeddings")
        self._fake = embeddings.DeterministicFakeEmbedding(size=1)  # never asked: all vectors are given
        self._server = place.server
        self._dimensions = 0

    def build(self, world: World) -> Built:
        """Add in batches through its own method."""
        self._dimensions = world.dimensions
        store = self.store(pre_delete_collection=True)
        began = time.perf_counter()
        for begin in range(0, world.size, BLOCK):
            ids = np.arange(begin, min(begin + BLOCK, world.size))
            _add(store, Batch(ids, world.vectors[ids], world.scopes[ids]))
        seconds = time.perf_counter() - began
        with self._server.owner() as connection:
            connection.execute("vacuum analyze langchain_pg_embedding")
            return Built(seconds, 0, access.bytes_of(connection, "langchain_pg_embedding"))

    def reopen(self, world: World) -> None:
        """All of it lies in the database."""
        self._dimensions = world.dimensions

    def store(self, **options: Any) -> Any:
        """A vector store with one connection."""
        dsn = f"postgresql+psycopg://postgres:{PASSWORD}@127.0.0.1:{self._server.embedded.port}/postgres"
        return self._module.PGVector(
            self._fake,
            connection=dsn,
            embedding_length=self._dimensions,
            collection_name=COLLECTION,
            distance_strategy=self._module.DistanceStrategy.MAX_INNER_PRODUCT,
            engine_args={"pool_size": 1, "max_overflow": 0},
            **options,
        )

    def admit(self, callers: Sequence[Caller]) -> None:
        """The visible scopes come with each search."""

    def searcher(self) -> Searcher:
        """A store of its own."""
        return LangChainClient(self.store())

    def write(self, batch: Batch) -> None:
        """Add."""
        _add(self.store(), batch)

    def remove(self, batch: Batch) -> None:
        """By id."""
        self.store().delete(ids=[str(i) for i in batch.ids.tolist()])

    def regrant(self, caller: Caller, scope: int) -> tuple[int, float] | None:  # noqa: ARG002  # the protocol's
        """Nothing is stored about callers."""
        return None

    def close(self) -> None:
        """Stores close with their engines."""


class LangChainClient:
    """One store, one connection."""

    def __init__(self, store: Any) -> None:
        self._store = store
        with store._engine.connect() as connection:
            self._pid = int(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        where = {"scope": {"$in": list(caller.scopes)}}
        found = self._store.similarity_search_with_score_by_vector(question.tolist(), k=k, filter=where)
        return [int(document.id) for document, _ in found]

    def backends(self) -> list[int]:
        """The server process of its only connection."""
        return [self._pid]

    def close(self) -> None:
        """Close the engine."""
        self._store._engine.dispose()


def _add(store: Any, batch: Batch) -> None:
    store.add_embeddings(
        texts=["" for _ in batch.ids],
        embeddings=batch.vectors.tolist(),
        metadatas=[{"scope": s} for s in batch.scopes.tolist()],
        ids=[str(i) for i in batch.ids.tolist()],
    )
