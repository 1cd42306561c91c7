"""LangChain's PGVector with a metadata filter, as most tutorials build it: no vector index, the class makes none."""

import time
from typing import Any

from benchmarks.search.cases import Caller
from benchmarks.search.peers.base import Built, Peer, Place, Searcher, blocks, need
from benchmarks.search.peers.postgres import bytes_of
from benchmarks.search.vectors import Floats, Vectors
from benchmarks.world import PASSWORD


class LangChain(Peer):
    """Its own tables; the visible scopes come with each search."""

    name = "langchain pgvector"
    settings = "PGVector, JSONB metadata {scope}, filter $in, inner product; no ANN index (the class makes none)"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._module = need("langchain_postgres.vectorstores")
        # Never asked: all vectors are given.
        self._fake = need("langchain_core.embeddings").DeterministicFakeEmbedding(size=1)

    def build(self, vectors: Vectors) -> Built:
        self._dimensions = vectors.rows.shape[1]
        store = self.store(pre_delete_collection=True)
        began = time.perf_counter()
        for batch in blocks(vectors):
            store.add_embeddings(
                texts=["" for _ in batch.ids],
                embeddings=batch.rows.tolist(),
                metadatas=[{"scope": s} for s in batch.scopes.tolist()],
                ids=[str(i) for i in batch.ids.tolist()],
            )
        seconds = time.perf_counter() - began
        with self.place.connect() as connection:
            connection.execute("vacuum analyze langchain_pg_embedding")
            return Built(seconds, 0, bytes_of(connection, "langchain_pg_embedding"))

    def store(self, **options: Any) -> Any:
        return self._module.PGVector(
            self._fake,
            connection=f"postgresql+psycopg://postgres:{PASSWORD}@127.0.0.1:{self.place.server.port}/postgres",
            embedding_length=self._dimensions,
            collection_name="vectors",
            distance_strategy=self._module.DistanceStrategy.MAX_INNER_PRODUCT,
            engine_args={"pool_size": 1, "max_overflow": 0},
            **options,
        )

    def searcher(self) -> Searcher:
        return LangChainClient(self.store())


class LangChainClient:
    def __init__(self, store: Any) -> None:
        self._store = store
        with store._engine.connect() as connection:
            self._pid = int(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        where = {"scope": {"$in": list(caller.scopes)}}
        answer = self._store.similarity_search_with_score_by_vector(question.tolist(), k=k, filter=where)
        return [int(document.id) for document, _ in answer]

    def backends(self) -> list[int]:
        return [self._pid]

    def close(self) -> None:
        self._store._engine.dispose()
