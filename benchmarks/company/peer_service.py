"""Search under permissions as tutorials build it: FastAPI, LangChain's PGVector, and a metadata filter.

Runs in an environment of its own (requirements.txt), and knows of ours only the embedder. `fill FILE` writes the
passages of a .npz file through LangChain; `serve PORT` answers POST /search with the documents of the given scopes. The
database is that of PEER_URL.
"""

import os
import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from langchain_core.embeddings import Embeddings  # type: ignore[import-not-found]  # in the peer's environment
from langchain_postgres.vectorstores import PGVector  # type: ignore[import-not-found]  # in the peer's too
from pydantic import BaseModel

from app.embedding.hashed import HashedEmbedder

AT_ONCE = 1_000


class SearchIn(BaseModel):
    """A question, and the scopes that its asker may read, as a gateway in front would have looked them up."""

    query: str
    scopes: list[int]
    k: int = 10


class Hashed(Embeddings):  # type: ignore[misc]  # unknown outside the peer's environment
    """The product's hashed embedder as LangChain wants one."""

    def __init__(self) -> None:
        self._embedder = HashedEmbedder()

    def embed_query(self, text: str) -> list[float]:
        return [float(value) for value in self._embedder.embed_query(text)]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


def store() -> Any:
    return PGVector(
        Hashed(),
        connection=os.environ["PEER_URL"],
        embedding_length=HashedEmbedder.dimensions,
        collection_name="passages",
    )


def fill(path: str) -> None:
    """Write all passages: the vectors are those of the file."""
    rows, vectors = np.load(path), store()
    for begin in range(0, len(rows["scopes"]), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        vectors.add_embeddings(
            texts=rows["texts"][part].tolist(),
            embeddings=rows["vectors"][part].astype(np.float32).tolist(),
            metadatas=[{"scope": scope} for scope in rows["scopes"][part].tolist()],
            ids=[str(begin + n) for n in range(len(rows["scopes"][part]))],
        )


def service() -> FastAPI:
    app, vectors = FastAPI(), store()

    @app.get("/healthz")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/search")
    def search(body: SearchIn) -> list[dict[str, Any]]:
        found = vectors.similarity_search_with_score(body.query, k=body.k, filter={"scope": {"$in": body.scopes}})
        return [{"id": document.id, "text": document.page_content, "score": score} for document, score in found]

    return app


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(sys.argv[2])
    else:
        uvicorn.run(service(), port=int(sys.argv[2]), access_log=False)
