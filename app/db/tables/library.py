"""Documents and what is derived from them. Every table here is under row-level security; few modules may import it.

Derived rows carry the scope of what they derive from, held by composite foreign keys that cascade on update: to move
a document to another scope is to change one column of one row, and no derived row can ever stand under another rule.
"""

import datetime as dt
import uuid
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.audit import Xid8
from app.db.tables.base import Base
from app.db.tables.people import new_id

NO_BLOCKS = text("''::bytea")
SCOPE = ("scope.id", "scope.collection_id")


def derived_from(table: str, column: str) -> ForeignKeyConstraint:
    """The foreign key that binds a derived row to its parent and to its parent's scope."""
    return ForeignKeyConstraint(
        [column, "scope_id"], [f"{table}.id", f"{table}.scope_id"], onupdate="CASCADE", ondelete="CASCADE"
    )


def _by_change(place: str, other: str) -> Index:
    """The index of a list by change, of a scope or of a collection."""
    name = f"document_{place}_updated_at_idx"
    return Index(name, place, "updated_at", "public_id", postgresql_include=[other, "path", "id"])


class Document(Base):
    """A document's place and state, without its text. Also shown to those who curate its collection."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("collection_id", "path", postgresql_include=["scope_id", "id"]),
        UniqueConstraint("id", "scope_id"),
        CheckConstraint("clearance.is_normal_path(path)", name="path"),
        ForeignKeyConstraint(["scope_id", "collection_id"], SCOPE, name="document_scope_id_fkey"),
        Index("document_scope_id_idx", "scope_id", "path", postgresql_include=["collection_id", "id"]),
        _by_change("scope_id", "collection_id"),
        _by_change("collection_id", "scope_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(unique=True, server_default=new_id)
    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"))
    scope_id: Mapped[int] = mapped_column(Integer)
    path: Mapped[str] = mapped_column(Text(collation="C"))
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(Integer)
    version_id: Mapped[uuid.UUID] = mapped_column(server_default=new_id)
    # When the rule it stands under was given: an upload that was sent before then does not bring its old tags back.
    ruled_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Original(Base):
    """The title and the original bytes of a document: text, so only for its readers."""

    __tablename__ = "original"
    __table_args__ = (derived_from("document", "document_id"),)

    document_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope_id: Mapped[int] = mapped_column(Integer, index=True)
    title: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Chunk(Base):
    """A passage. `terms` is its length in terms, for BM25."""

    __tablename__ = "chunk"
    __table_args__ = (
        UniqueConstraint("document_id", "ordinal"),
        UniqueConstraint("id", "scope_id"),
        derived_from("document", "document_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(unique=True, server_default=new_id)
    document_id: Mapped[int] = mapped_column(BigInteger)
    scope_id: Mapped[int] = mapped_column(Integer, index=True)
    ordinal: Mapped[int] = mapped_column(Integer)
    heading_path: Mapped[list[str]] = mapped_column(ARRAY(Text))
    page: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    tokens: Mapped[int] = mapped_column(Integer)
    # Its blocks with their vectors, packed (`app.indexing.block_vectors`); empty where it has none. Quotes read them.
    blocks: Mapped[bytes] = mapped_column(LargeBinary, server_default=NO_BLOCKS, deferred=True, deferred_raiseload=True)


class VectorRow(Base):
    """The vector of a chunk, kept narrow and apart from the text: the exact step reads nothing else."""

    __tablename__ = "vector_row"
    __table_args__ = (derived_from("chunk", "chunk_id"),)

    chunk_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope_id: Mapped[int] = mapped_column(Integer, index=True)
    terms: Mapped[int] = mapped_column(Integer)
    embedding: Mapped[Any] = mapped_column(HALFVEC())
    # For the scope lists; null where vectors of this length have no code.
    code: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The transaction that last put the row where it stands.
    changed: Mapped[str] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"), index=True)


class ScopeVolume(Base):
    """How much came to a scope and went, as sums: added up over visible scopes they give the visible volume."""

    __tablename__ = "scope_volume"
    __table_args__ = (Index("scope_volume_scope_id_idx", "scope_id", postgresql_include=["chunks", "terms"]),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scope.id", ondelete="CASCADE"))
    chunks: Mapped[int] = mapped_column(Integer)
    terms: Mapped[int] = mapped_column(BigInteger)


class Posting(Base):
    """An inverted list, or a part of it: a term, as a 64-bit hash, and the passages of one document it stands in.

    `entries` is packed (`app.indexing.postings`). Frequencies are counted over visible rows, at query time.
    """

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("length(entries) >= 8 and length(entries) <= 2000 and length(entries) % 8 = 0", name="entries"),
        Index("posting_term_scope_id_idx", "term", "scope_id", postgresql_include=["entries"]),
        derived_from("document", "document_id"),
    )

    term: Mapped[int] = mapped_column(BigInteger)
    document_id: Mapped[int] = mapped_column(BigInteger, index=True)
    scope_id: Mapped[int] = mapped_column(Integer)
    entries: Mapped[bytes] = mapped_column(LargeBinary)
    # The database keeps no primary key here: its index would be as large as the lists.
    __mapper_args__ = {"primary_key": [term, document_id, entries]}  # noqa: RUF012


class IngestJob(Base):
    """An uploaded file on its way: seen by its uploader and by no other reader; its bytes go when it ends well."""

    __tablename__ = "ingest_job"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'indexed', 'unchanged', 'failed')", name="state"),
        CheckConstraint("clearance.is_normal_path(path)", name="path"),
        ForeignKeyConstraint(["scope_id", "collection_id"], SCOPE, name="ingest_job_scope_id_fkey", ondelete="CASCADE"),
        Index("ingest_job_uploaded_by_created_at_id_idx", "uploaded_by", "created_at", "id"),
        Index("ingest_job_collection_id_path_created_at_idx", "collection_id", "path", "created_at"),
        Index("ingest_job_retried_by_idx", "retried_by", postgresql_where=text("retried_by is not null")),
        Index("ingest_job_running_idx", "collection_id", "path", postgresql_where=text("state = 'running'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"))
    scope_id: Mapped[int] = mapped_column(Integer)
    path: Mapped[str] = mapped_column(Text(collation="C"))
    uploaded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    # Deferred: the API may add the bytes and not read them again.
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default=text("'queued'"))
    reason: Mapped[str | None] = mapped_column(Text)
    document_id: Mapped[uuid.UUID | None]
    stages: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # What the file hides, by kind: left out, and counted for the one who uploaded it.
    hidden: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # Passages that speak to a model or have characters that hide a text, by kind: indexed, and counted likewise.
    findings: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    finished_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    # Never inserted: the database alone writes it.
    retried_by: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("ingest_job.id", ondelete="SET NULL"), server_default=FetchedValue()
    )


class IndexProfile(Base):
    """One row: the digest of the embedder whose vectors the index holds; another one is refused."""

    __tablename__ = "index_profile"
    __table_args__ = (CheckConstraint("single", name="one_row"),)

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    embedder: Mapped[str] = mapped_column(Text)
