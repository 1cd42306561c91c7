"""Nearest passages by exact distance over the visible rows.

The seam for scope lists (design §4): same arguments, same result.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer

from app.acl.visible import Visible
from app.db.session import ReadSession

# Exact nearest rows among the visible ones. `+ 0` keeps approximate indexes out: one shared with hidden rows would let
# them change the result (promise N1). Ties go to the lower id.
NEAREST = text(
    """
    select chunk_id, -((embedding <#> cast(:query as halfvec)) + 0) as similarity
    from vector_row
    where scope_id = any (:scopes)
    order by (embedding <#> cast(:query as halfvec)) + 0, chunk_id
    limit :limit
    """
).bindparams(bindparam("scopes", type_=ARRAY(Integer)))


@dataclass(frozen=True)
class Near:
    """A chunk and its cosine similarity to the query, from -1 to 1."""

    chunk_id: int
    similarity: float


def nearest(session: ReadSession, visible: Visible, query: NDArray[np.float32], *, limit: int) -> list[Near]:
    """The `limit` nearest visible chunks to a unit vector of shape (dimensions,), nearest first."""
    if not visible.scope_ids:
        return []
    rows = session.execute(
        NEAREST, {"query": HalfVector(query).to_text(), "scopes": list(visible.scope_ids), "limit": limit}
    )
    return [Near(row.chunk_id, float(row.similarity)) for row in rows]
