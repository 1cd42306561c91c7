"""Reads passages, and the documents they stand in, by the numbers of the passages: key by key, under both filters.

A plan that is kept is made for any number of passages and of scopes. Written as one condition, the planner took the
index of the scopes where tables are middling, and read all that is visible to find a hundred passages. Key by key it
has no choice.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

import numpy as np
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from app.acl.visible import Visible
from app.db.engine import BINARY, prepared
from app.db.session import ReadSession
from app.identity.subject import Label
from app.indexing.block_vectors import unpack_blocks
from app.retrieval.passage import Passage
from app.retrieval.reader import ReaderSnapshot, array_text

# The document of each passage, packed. The scope filter is applied here, as `= any` walks all scopes for each row.
DOCUMENT_IDS = prepared(
    """
    select string_agg(int8send(k.id) || int8send(k.document_id) || int4send(k.scope_id), '')
    from unnest(cast(:chunks as bigint[])) as c (id)
    cross join lateral (select id, document_id, scope_id from chunk where chunk.id = c.id limit 1) as k
    """
).execution_options(**BINARY)

PASSAGES = prepared(
    """
    select k.*, d.*, o.title, n.name
    from unnest(cast(:chunks as bigint[])) as c (id)
    cross join lateral (
      select id, public_id as chunk, document_id, scope_id, ordinal, heading_path, page, text, tokens, blocks
      from chunk where chunk.id = c.id and chunk.scope_id = any (cast(:scopes as int[])) limit 1
    ) as k
    cross join lateral (
      select public_id as document, version_id, collection_id, path, updated_at
      from document where document.id = k.document_id limit 1
    ) as d
    cross join lateral (select title from original where original.document_id = k.document_id limit 1) as o
    cross join lateral (select name from collection where collection.id = d.collection_id limit 1) as n
    """
).execution_options(**BINARY)

# The numbers of passages by their public ids.
NUMBERS = prepared(
    """
    select k.id
    from unnest(:chunks) as c (id)
    cross join lateral (
      select id from chunk where chunk.public_id = c.id and chunk.scope_id = any (cast(:scopes as int[])) limit 1
    ) as k
    """
).bindparams(bindparam("chunks", type_=ARRAY(Uuid())))

ROW = np.dtype([("chunk", ">i8"), ("document", ">i8"), ("scope", ">i4")])


def document_ids(reader: ReaderSnapshot, chunks: Sequence[int]) -> dict[int, int]:
    """The document of each of these passages that is visible."""
    packed = reader.session.execute(DOCUMENT_IDS, {"chunks": array_text(chunks)}).scalar_one()
    rows = np.frombuffer(packed or b"", ROW)
    rows = rows[reader.sees(rows["scope"])]
    return dict(zip(rows["chunk"].tolist(), rows["document"].tolist(), strict=True))


def find_passages(
    session: ReadSession, visible: Visible, chunks: Sequence[uuid.UUID], dimensions: int
) -> list[Passage]:
    """Those of these passages, by their public ids, that are visible, in no order; else as `read_passages`."""
    numbers = session.scalars(NUMBERS, {"chunks": list(chunks), "scopes": visible.scope_array}).all()
    return list(read_passages(session, visible, numbers, dimensions).values())


def read_passages(session: ReadSession, visible: Visible, chunks: Sequence[int], dimensions: int) -> dict[int, Passage]:
    """Those of these passages that are visible, by their numbers; `dimensions` are those of their blocks' vectors."""
    rows = session.execute(PASSAGES, {"chunks": array_text(chunks), "scopes": visible.scope_array})
    return {
        row.id: Passage(
            chunk=row.chunk,
            document=row.document,
            version=row.version_id,
            collection=row.name,
            path=row.path,
            title=row.title,
            heading_path=tuple(row.heading_path),
            page=row.page,
            text=row.text,
            tokens=row.tokens,
            label=Label(visible.labels[row.scope_id]),
            ordinal=row.ordinal,
            blocks=unpack_blocks(row.blocks, dimensions),
            date=row.updated_at.astimezone(dt.UTC).date(),
        )
        for row in rows
    }
