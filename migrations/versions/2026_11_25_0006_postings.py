"""Inverted lists, packed by document, of terms by language and field.

Revision: 0006, after 0005
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Integer, LargeBinary

from app.db.backfill import BackFillTouchedNothing
from app.indexing.analysis.headings import beside
from app.indexing.postings import packed_rows
from app.indexing.terms import field_terms

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"
BATCH = 100
# Documents by their numbers, with their passages in order. Terms are made again from the text: the terms before were of
# English alone, and a search asks for the new ones.
PAGE = text(
    """
    select d.id as document, d.scope_id, o.title, c.id, c.heading_path, c.text
    from (select id, scope_id from document where id > :after order by id limit :limit) d
    join original o on o.document_id = d.id
    left join chunk c on c.document_id = d.id
    order by d.id, c.ordinal
    """
)
PUT = text(
    """
    insert into posting (term, document_id, scope_id, entries)
    select p.term, p.document_id, p.scope_id, p.entries
    from unnest(cast(:terms as bigint[]), cast(:documents as bigint[]), cast(:scopes as int[]),
                cast(:entries as bytea[])) as p (term, document_id, scope_id, entries)
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("terms", "documents")),
    bindparam("scopes", type_=ARRAY(Integer)),
    bindparam("entries", type_=ARRAY(LargeBinary)),
)
LENGTHS = text(
    "update vector_row v set terms = l.terms"
    " from unnest(cast(:chunks as bigint[]), cast(:lengths as int[])) as l (chunk_id, terms)"
    " where v.chunk_id = l.chunk_id and v.terms <> l.terms"
).bindparams(bindparam("chunks", type_=ARRAY(BigInteger)), bindparam("lengths", type_=ARRAY(Integer)))


def upgrade() -> None:
    """The script inside Alembic's transaction, then the lists of what is there."""
    op.get_bind().connection.cursor().execute((SQL / "postings.sql").read_text("utf-8"))
    if not add_postings(op.get_bind()):
        # Every table under the lock has the start-up probe's row: a lock hides rows from us.
        raise BackFillTouchedNothing("no passage was seen by its owner; nothing was migrated.")
    # Other lengths are other volumes: one sum for each scope again, as the start-up probe wants it of its own.
    op.get_bind().execute(text("select clearance.fold_volumes()"))


def add_postings(connection: Connection) -> int:
    """Make the lists and lengths of all documents from their text; gives the number of passages."""
    after, passages = -1, 0
    while rows := connection.execute(PAGE, {"after": after, "limit": BATCH}).all():
        after = rows[-1].document
        passages += _add(connection, [row for row in rows if row.id is not None])
    return passages


def _add(connection: Connection, rows: Sequence[Any]) -> int:
    # As an upload of the same document would count them: a first heading that is the title again is left out.
    found = {row.id: field_terms(row.title, beside(row.title, row.heading_path), row.text) for row in rows}
    packed = [
        (term, document, scope, entries)
        for (document, scope), group in groupby(rows, key=lambda row: (row.document, row.scope_id))
        for term, entries in packed_rows((row.id, found[row.id]) for row in group)
    ]
    if packed:
        names = ("terms", "documents", "scopes", "entries")
        connection.execute(PUT, dict(zip(names, map(list, zip(*packed, strict=True)), strict=True)))
    if found:
        lengths = [passage.length for passage in found.values()]
        connection.execute(LENGTHS, {"chunks": list(found), "lengths": lengths})
    return len(found)


def downgrade() -> None:
    """Undo it."""
    op.get_bind().connection.cursor().execute((SQL / "down_0006.sql").read_text("utf-8"))
