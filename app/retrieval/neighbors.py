"""The passages before and after a passage in its document: under the same rules, since it is the same document."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Uuid

from app.acl.visible import Visible
from app.db.engine import prepared
from app.db.session import ReadSession

# The scope filter stands on the hit and on its neighbors. The range of ordinals is computed first: a sum is not
# leakproof, and with one in the join all passages of the document would be read to find those few.
NEIGHBORS = prepared(
    """
    with hit as materialized (
      select public_id, document_id, ordinal,
             ordinal - cast(:reach as int) as first, ordinal + cast(:reach as int) as last
      from chunk
      where public_id = any (:hits) and scope_id = any (cast(:scopes as int[]))
    )
    select hit.public_id, hit.ordinal, beside.public_id, beside.ordinal, beside.text
    from hit
    join chunk beside on beside.document_id = hit.document_id and beside.ordinal between hit.first and hit.last
    where beside.ordinal <> hit.ordinal and beside.scope_id = any (cast(:scopes as int[]))
    order by beside.document_id, beside.ordinal
    """
).bindparams(bindparam("hits", type_=ARRAY(Uuid())))

# The same by the database's own numbers, one on either side.
NEIGHBOR_IDS = prepared(
    """
    with hit as materialized (
      select document_id, ordinal, ordinal - 1 as first, ordinal + 1 as last
      from chunk
      where id = any (:hits) and scope_id = any (cast(:scopes as int[]))
    )
    select distinct beside.id
    from hit
    join chunk beside on beside.document_id = hit.document_id and beside.ordinal between hit.first and hit.last
    where beside.ordinal <> hit.ordinal and beside.scope_id = any (cast(:scopes as int[]))
    order by beside.id
    """
).bindparams(bindparam("hits", type_=ARRAY(BigInteger)))


@dataclass(frozen=True)
class NeighborPassage:
    """A passage near a hit: its public id and its text."""

    chunk: uuid.UUID
    text: str


@dataclass
class Neighbors:
    """The passages before and after a hit, in the order of the document."""

    before: list[NeighborPassage] = field(default_factory=list)
    after: list[NeighborPassage] = field(default_factory=list)


def find_neighbors(
    session: ReadSession, visible: Visible, chunks: Sequence[uuid.UUID], *, reach: int
) -> dict[uuid.UUID, Neighbors]:
    """Up to `reach` passages on either side of each of these passages."""
    found: dict[uuid.UUID, Neighbors] = defaultdict(Neighbors)
    if not reach or not chunks:
        return found
    rows = session.execute(NEIGHBORS, {"hits": list(chunks), "reach": reach, "scopes": visible.scope_array})
    for hit, hit_ordinal, chunk, ordinal, text in rows:
        side = found[hit].before if ordinal < hit_ordinal else found[hit].after
        side.append(NeighborPassage(chunk, text))
    return found


def neighbor_ids(session: ReadSession, visible: Visible, chunk_ids: Sequence[int]) -> list[int]:
    """The passage before and the one after each of these, ascending; passages of their own among them."""
    if not chunk_ids:
        return []
    return list(session.scalars(NEIGHBOR_IDS, {"hits": list(chunk_ids), "scopes": visible.scope_array}))
