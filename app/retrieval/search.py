"""Search: dense and lexical under the same visible scopes, fused. Nothing invisible is read, counted or ranked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.acl.rules import Label
from app.acl.visible import Visible
from app.db.session import ReadSession
from app.db.tables.access import Collection
from app.db.tables.library import Chunk, Document, Original
from app.embedding.terms import terms
from app.retrieval.dense import nearest
from app.retrieval.fuse import fuse
from app.retrieval.lexical import match
from app.retrieval.passage import Hit, Passage

# Candidates of each kind that enter the fusion.
DEPTH = 60


@dataclass(frozen=True)
class Query:
    """A question as search needs it: its text and its unit vector of shape (dimensions,)."""

    text: str
    vector: NDArray[np.float32]


def search(session: ReadSession, visible: Visible, query: Query, *, limit: int) -> list[Hit]:
    """The `limit` best visible passages, best first; ties go to the passage that was written first."""
    near = {n.chunk_id: n for n in nearest(session, visible, query.vector, limit=DEPTH)}
    matched = {m.chunk_id: m for m in match(session, visible, terms(query.text), limit=DEPTH)}
    ranked = fuse([list(near), list(matched)])[:limit]
    passages = _read(session, visible, [chunk_id for chunk_id, _ in ranked])
    return [
        Hit(
            passages[chunk_id],
            score=score,
            similarity=near[chunk_id].similarity if chunk_id in near else 0.0,
            coverage=matched[chunk_id].coverage if chunk_id in matched else 0.0,
        )
        for chunk_id, score in ranked
        if chunk_id in passages
    ]


def _read(session: ReadSession, visible: Visible, chunk_ids: list[int]) -> dict[int, Passage]:
    rows = session.execute(
        select(Chunk, Document, Original.title, Collection.name)
        .join(Document, Document.id == Chunk.document_id)
        .join(Original, Original.document_id == Document.id)
        .join(Collection, Collection.id == Document.collection_id)
        .where(Chunk.id.in_(chunk_ids), Chunk.scope_id.in_(visible.scope_ids))
    )
    return {
        chunk.id: Passage(
            chunk=chunk.public_id,
            document=document.public_id,
            version=document.version_id,
            collection=collection,
            path=document.path,
            title=title,
            heading_path=tuple(chunk.heading_path),
            page=chunk.page,
            text=chunk.text,
            tokens=chunk.tokens,
            label=Label(visible.labels[chunk.scope_id]),
        )
        for chunk, document, title, collection in rows
    }
