"""What stands before and after a passage in its document: under the same rules, since it is the same document."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from app.acl.visible import Visible
from app.db.session import ReadSession, prepared

# The first lock on the passage found, and on the one beside it. How far to look is worked out before: a sum is not
# leakproof, and all passages of the document would be read to find those few.
BESIDE = prepared(
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


@dataclass(frozen=True)
class Beside:
    """A passage near another one: its public id and its text."""

    chunk: uuid.UUID
    text: str


@dataclass
class Around:
    """The passages before and after one, in the order of the document."""

    before: list[Beside] = field(default_factory=list)
    after: list[Beside] = field(default_factory=list)


def around(
    session: ReadSession, visible: Visible, chunks: Sequence[uuid.UUID], *, reach: int
) -> dict[uuid.UUID, Around]:
    """For each of these passages up to `reach` passages on either side."""
    found: dict[uuid.UUID, Around] = defaultdict(Around)
    if not reach or not chunks:
        return found
    given = {"hits": list(chunks), "reach": reach, "scopes": visible.scope_array}
    rows = session.execute(BESIDE, given)
    for hit, place, chunk, other, words in rows:
        side = found[hit].before if other < place else found[hit].after
        side.append(Beside(chunk, words))
    return found
