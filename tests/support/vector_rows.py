"""Passages by the hundred with vectors of our choice, written past the worker but under every key and trigger."""

import uuid
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, LargeBinary, Text

from ingest.embed import codes_of
from tests.support.library_db import LibraryDb

DIMENSIONS = 128

ADD_DOCUMENT = text(
    "insert into document (collection_id, scope_id, path, media_type, size, sha256, version)"
    " values (:collection, :scope, :path, 'text/plain', 1, sha256(''), 1) returning id"
)
ADD_CHUNKS = text(
    "insert into chunk (document_id, scope_id, ordinal, heading_path, text, tokens)"
    " select :document, :scope, n, '{}', 'passage ' || n, 1 from generate_series(1, :count) n order by n returning id"
)
ADD_VECTORS = text(
    "insert into vector_row (chunk_id, scope_id, terms, embedding, code)"
    " select v.id, :scope, 3, cast(v.embedding as halfvec), v.code"
    " from unnest(cast(:ids as bigint[]), cast(:embeddings as text[]), cast(:codes as bytea[])) v (id, embedding, code)"
).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("embeddings", type_=ARRAY(Text)),
    bindparam("codes", type_=ARRAY(LargeBinary)),
)


def unit(rng: np.random.Generator, n: int, *, near: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Unit vectors of shape (n, DIMENSIONS); about `near` if it is given."""
    drawn = rng.standard_normal((n, DIMENSIONS)).astype(np.float32)
    if near is not None:
        drawn = near + 0.05 * drawn
    made: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return made


@dataclass
class Stacks:
    """Documents of many passages in a library."""

    library: LibraryDb
    made: int = field(default=0)

    def add(self, collection: uuid.UUID, scope: int, vectors: NDArray[np.float32]) -> int:
        """A document with a passage for each vector, committed; gives its number."""
        with self.library.session("admin") as session:
            return self.put(session, collection, scope, vectors)

    def put(self, session: Session, collection: uuid.UUID, scope: int, vectors: NDArray[np.float32]) -> int:
        """The same in the caller's transaction."""
        document = session.scalars(
            ADD_DOCUMENT, {"collection": collection, "scope": scope, "path": f"stack-{uuid.uuid4()}"}
        ).one()
        ids = list(session.scalars(ADD_CHUNKS, {"document": document, "scope": scope, "count": len(vectors)}))
        given = {
            "scope": scope,
            "ids": ids,
            "embeddings": [HalfVector(v).to_text() for v in vectors],
            "codes": codes_of(vectors, DIMENSIONS),
        }
        session.execute(ADD_VECTORS, given)
        return int(document)
