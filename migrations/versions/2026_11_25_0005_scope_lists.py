"""Codes for the scope lists, and how much stands in each scope.

Revision: 0005, after 0004
"""

from pathlib import Path

import numpy as np
from alembic import op
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, LargeBinary

from app.db.backfill import back_fill
from app.indexing.quantizer import codebook

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"
BATCH = 2_000
# Passages by their numbers. A vector whose length has no code (the start-up probe's) stays without.
PAGE = text(
    "select chunk_id, embedding::real[] as vector from vector_row"
    " where chunk_id > :after and vector_dims(embedding) % 4 = 0 order by chunk_id limit :limit"
)
PUT = text(
    "update vector_row v set code = c.code"
    " from unnest(cast(:ids as bigint[]), cast(:codes as bytea[])) as c (chunk_id, code) where v.chunk_id = c.chunk_id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("codes", type_=ARRAY(LargeBinary)))


def upgrade() -> None:
    """The scripts inside Alembic's transaction, then the codes of what is there."""
    # Every table under the lock has the start-up probe's row: a lock that hid rows from us would be noticed here.
    back_fill(op.get_bind(), "update vector_row set terms = terms")
    op.get_bind().connection.cursor().execute((SQL / "scope_lists.sql").read_text("utf-8"))
    add_codes(op.get_bind())


def add_codes(connection: Connection) -> None:
    """A code for each vector."""
    after = -1
    while rows := connection.execute(PAGE, {"after": after, "limit": BATCH}).all():
        after = rows[-1].chunk_id
        for dimensions in {len(r.vector) for r in rows}:
            book = codebook(dimensions)
            if book is None:
                continue
            alike = [r for r in rows if len(r.vector) == dimensions]
            codes = book.encode(np.array([r.vector for r in alike], np.float32))
            connection.execute(PUT, {"ids": [r.chunk_id for r in alike], "codes": [c.tobytes() for c in codes]})


def downgrade() -> None:
    """Undo it; codes can be made again."""
    op.get_bind().connection.cursor().execute((SQL / "down_0005.sql").read_text("utf-8"))
