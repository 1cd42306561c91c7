"""Writes one version of a document in the caller's transaction: all of it, or nothing.

Every row stands under the scope that the upload names; the foreign keys see to it that no derived row can stand under
another one. Large inserts are one statement each: COPY is not possible under row-level security.
"""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pgvector import HalfVector
from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, undefer
from sqlalchemy.types import BigInteger, Integer, LargeBinary, Text

from app.db.tables.access import Scope
from app.db.tables.library import Chunk, Document, IndexProfile, IngestJob, Original
from app.indexing.block_vectors import pack_blocks
from app.indexing.postings import packed_rows
from ingest.embed import IndexedPassage

# Passages in their order; their ids ascend with it, and search breaks ties by id.
ADD_CHUNKS = text(
    """
    insert into chunk (document_id, scope_id, ordinal, heading_path, page, text, tokens, blocks)
    select :document, :scope, c.ordinal, array(select jsonb_array_elements_text(c.headings)), c.page, c.text, c.tokens,
           c.blocks
    from unnest(cast(:ordinals as int[]), cast(:headings as jsonb[]), cast(:pages as int[]), cast(:texts as text[]),
                cast(:tokens as int[]), cast(:blocks as bytea[]))
      as c (ordinal, headings, page, text, tokens, blocks)
    order by c.ordinal
    returning id, ordinal
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("ordinals", "pages", "tokens")),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("headings", "texts")),
    bindparam("blocks", type_=ARRAY(LargeBinary)),
)

# One vector for each passage, with its length in terms.
ADD_VECTORS = text(
    """
    insert into vector_row (chunk_id, scope_id, terms, embedding, code)
    select v.chunk_id, :scope, v.terms, cast(v.embedding as halfvec), v.code
    from unnest(cast(:chunks as bigint[]), cast(:terms as int[]), cast(:embeddings as text[]), cast(:codes as bytea[]))
      as v (chunk_id, terms, embedding, code)
    """
).bindparams(
    bindparam("codes", type_=ARRAY(LargeBinary)),
    bindparam("chunks", type_=ARRAY(BigInteger)),
    bindparam("terms", type_=ARRAY(Integer)),
    bindparam("embeddings", type_=ARRAY(Text)),
)

# The inverted lists: a row for each term, with its passages packed.
ADD_POSTINGS = text(
    """
    insert into posting (term, document_id, scope_id, entries)
    select p.term, :document, :scope, p.entries
    from unnest(cast(:terms as bigint[]), cast(:entries as bytea[])) as p (term, entries)
    """
).bindparams(bindparam("terms", type_=ARRAY(BigInteger)), bindparam("entries", type_=ARRAY(LargeBinary)))

# A document is put and moved by the database, as the upload says: the worker's role may write no place and no scope.
LOCK_MOVE = text("select clearance.hold_move(:job)")
LOCK_PLACE = text("select clearance.hold_place(:job)")
MOVE = text("select clearance.move_document(:job)")
PUT = text("select id, public_id, scope_id from clearance.put_document(:job, :media_type, :version)")


@dataclass(frozen=True)
class WrittenVersion:
    """The version that stands now, by its public ids."""

    document: uuid.UUID
    version: uuid.UUID
    scope: uuid.UUID


@dataclass(frozen=True)
class NewVersion:
    """What extraction gave, apart from the passages."""

    title: str
    media_type: str
    content: bytes


def claim_job(session: Session, job_id: uuid.UUID) -> IngestJob | None:
    """The upload with its bytes, locked and marked as running; None if it has ended or is gone."""
    job = session.scalar(
        select(IngestJob)
        .options(undefer(IngestJob.content))
        .where(IngestJob.id == job_id, IngestJob.state.in_(("queued", "running")))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if job is not None:
        job.state = "running"
    return job


def current_document(session: Session, job: IngestJob) -> Document | None:
    """The document at the upload's path, locked, as it is now."""
    session.execute(LOCK_PLACE, {"job": job.id})
    return session.scalar(
        select(Document)
        .where(Document.collection_id == job.collection_id, Document.path == job.path)
        .execution_options(populate_existing=True)
    )


def effective_scope(document: Document | None, job: IngestJob) -> int:
    """The scope that the upload's tags give; the document's own if it was ruled after the upload was sent."""
    if document is not None and job.created_at is not None and job.created_at < document.ruled_at:
        return document.scope_id
    return job.scope_id


def lock_move(session: Session, job_id: uuid.UUID) -> bool:
    """Hold back other changes of rules if this upload will move its document. Call it before `take`: who changes rules
    takes these locks in the same order, and neither waits for the other in a circle.
    """
    return bool(session.scalar(LOCK_MOVE, {"job": job_id}))


def move_to_scope(session: Session, job: IngestJob) -> None:
    """Put a document under the upload's scope; all that was derived from it follows, and nothing is embedded again.

    The database does it, as the upload says and in no other way, raises the policy epoch and leaves a record.
    """
    session.execute(MOVE, {"job": job.id})


def write_version(
    session: Session, job: IngestJob, version: NewVersion, indexed: Sequence[IndexedPassage]
) -> WrittenVersion:
    """Replace what stands at the upload's path by this version."""
    session.flush()
    before = current_document(session, job)
    if before is not None:
        session.execute(delete(Chunk).where(Chunk.document_id == before.id))
        session.execute(delete(Original).where(Original.document_id == before.id))
    version_id = uuid.uuid4()
    put = {"job": job.id, "media_type": version.media_type, "version": version_id}
    document_id, public_id, scope_id = session.execute(PUT, put).one()
    session.add(Original(document_id=document_id, scope_id=scope_id, title=version.title, content=version.content))
    session.flush()
    if indexed:
        _put_passages(session, document_id, scope_id, indexed)
    return WrittenVersion(public_id, version_id, scope_of(session, scope_id))


def scope_of(session: Session, scope_id: int) -> uuid.UUID:
    return session.scalars(select(Scope.public_id).where(Scope.id == scope_id)).one()


def finish_job(session: Session, job: IngestJob, state: str, *, reason: str | None = None) -> None:
    """Note how an upload ended; the database lets go of its bytes, unless it failed."""
    job.state, job.reason = state, reason
    job.finished_at = dt.datetime.now(dt.UTC)
    session.flush()


def claim_profile(session: Session, embedder: str) -> str:
    """The digest of the embedder whose vectors the index holds; the first one to write decides."""
    session.execute(upsert(IndexProfile).values(embedder=embedder).on_conflict_do_nothing())
    return session.scalars(select(IndexProfile.embedder)).one()


def _put_passages(session: Session, document_id: int, scope_id: int, indexed: Sequence[IndexedPassage]) -> None:
    passages = [i.passage for i in indexed]
    rows = session.execute(
        ADD_CHUNKS,
        {
            "document": document_id,
            "scope": scope_id,
            "ordinals": [p.ordinal for p in passages],
            "headings": [_json(p.heading_path) for p in passages],
            "pages": [p.page for p in passages],
            "texts": [p.text for p in passages],
            "tokens": [p.tokens for p in passages],
            "blocks": [pack_blocks(i.blocks) for i in indexed],
        },
    )
    chunk_of = {row.ordinal: row.id for row in rows}
    session.execute(
        ADD_VECTORS,
        {
            "scope": scope_id,
            "chunks": [chunk_of[p.ordinal] for p in passages],
            "terms": [i.terms.total() for i in indexed],
            "embeddings": [HalfVector(i.vector).to_text() for i in indexed],
            "codes": [i.code for i in indexed],
        },
    )
    postings = list(packed_rows((chunk_of[i.passage.ordinal], i.terms) for i in indexed))
    if postings:
        terms, entries = zip(*postings, strict=True)
        session.execute(
            ADD_POSTINGS,
            {"document": document_id, "scope": scope_id, "terms": list(terms), "entries": list(entries)},
        )


def _json(headings: tuple[str, ...]) -> str:
    return json.dumps(headings, ensure_ascii=False)
