"""What stands before and after a passage in its document: under the same rules, since it is the same document."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased
from sqlalchemy.types import Uuid

from app.acl.visible import Visible
from app.db.session import ReadSession
from app.db.tables.library import Chunk

HITS = bindparam("hits", type_=ARRAY(Uuid()))
# The first lock, on the passage found and on the one beside it.
VISIBLE = text("chunk.scope_id = any (cast(:scopes as int[])) and beside.scope_id = any (cast(:scopes as int[]))")


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
    beside = aliased(Chunk, name="beside")
    rows = session.execute(
        select(Chunk.public_id, Chunk.ordinal, beside.public_id, beside.ordinal, beside.text)
        .join(beside, beside.document_id == Chunk.document_id)
        .where(
            Chunk.public_id == any_(HITS),
            beside.ordinal.between(Chunk.ordinal - reach, Chunk.ordinal + reach),
            beside.ordinal != Chunk.ordinal,
            VISIBLE,
        )
        .order_by(beside.document_id, beside.ordinal),
        {"hits": list(chunks), "scopes": visible.scope_array},
    )
    for hit, place, chunk, other, words in rows:
        side = found[hit].before if other < place else found[hit].after
        side.append(Beside(chunk, words))
    return found
