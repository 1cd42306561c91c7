"""The audit log: leaves as they come, their order, the heads over them, and the keys that seal personal words.

Privileges, triggers and row-level security are in `audit.sql` of the migrations; `app.audit` alone writes these tables.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.db.tables.base import Base

now = func.clock_timestamp()


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id. Compared in the database, never computed with here."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


# So that Alembic knows the type when it compares.
ischema_names["xid8"] = Xid8


class AuditLeaf(Base):
    """One record. `body` is its canonical JSON; kind, trail and actor repeat it for look-up and are held to it."""

    __tablename__ = "audit_leaf"
    __table_args__ = (
        CheckConstraint("octet_length(kind) <= 100", name="kind"),
        CheckConstraint(r"leaf_hash = sha256('\x00'::bytea || convert_to(body, 'UTF8'))", name="leaf_hash"),
        CheckConstraint(
            "body::jsonb @> jsonb_build_object('id', id, 'kind', kind, 'trail', trail,"
            " 'actor', jsonb_build_object('user', actor))",
            name="body",
        ),
        CheckConstraint("writer is null or clearance.is_record(body, kind, writer)", name="record"),
        Index("audit_leaf_xid_idx", "xid"),
        Index("audit_leaf_opened_idx", "at", postgresql_where=text("kind = 'answer.opened'")),
        Index("audit_leaf_closed_idx", "trail", postgresql_where=text("kind = 'answer.closed'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)
    xid: Mapped[str] = mapped_column(Xid8(), server_default=func.pg_current_xact_id())
    kind: Mapped[str] = mapped_column(Text)
    trail: Mapped[uuid.UUID | None]
    actor: Mapped[uuid.UUID | None]
    body: Mapped[str] = mapped_column(Text)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary)
    # The database role that wrote it, which stands in the body too; null for records of before this was noted.
    writer: Mapped[str | None] = mapped_column(Text, server_default=text("session_user"))


class AuditEntry(Base):
    """The place of a leaf in the log, `seq`, which counts from 0 without a gap; and by what its record is found."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("seq >= 0", name="seq"),
        CheckConstraint("octet_length(leaf_hash) = 32", name="leaf_hash"),
        Index("audit_entry_actor_kind_seq_idx", "actor", "kind", "seq"),
        Index("audit_entry_kind_seq_idx", "kind", "seq"),
        *(
            Index(f"audit_entry_{'_'.join(names)}_idx", *names, postgresql_where=text(f"{names[0]} is not null"))
            for names in (("trail", "kind", "seq"), ("via", "seq"), ("outcome", "seq"), ("address", "seq"))
        ),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leaf_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("audit_leaf.id", deferrable=True), unique=True)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str] = mapped_column(Text)
    trail: Mapped[uuid.UUID | None]
    actor: Mapped[uuid.UUID | None]
    via: Mapped[uuid.UUID | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)


class AuditDocument(Base):
    """A record that names this document; or the end of an answer, or a word on it, whose opening named it."""

    __tablename__ = "audit_document"
    __table_args__ = (Index("audit_document_seq_idx", "seq"),)

    document: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(ForeignKey("audit_entry.seq"), primary_key=True, autoincrement=False)


class AuditTag(Base):
    """A value by which a record is found, of the qualifier `label`, `finding`, `model`, `collection` or `opened`, or of
    `ruled`, `indexed` or `job`, by which it is told who made a grant.

    The end of an answer, and a word on it, have those of its opening too.
    """

    __tablename__ = "audit_tag"
    __table_args__ = (Index("audit_tag_seq_idx", "seq"),)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(ForeignKey("audit_entry.seq"), primary_key=True, autoincrement=False)


class AuditName(Base):
    """A name under which this user stands in a record, with an empty kind; or, with the zero UUID, that of a part of
    ours, which is no user, with a kind of its records.
    """

    __tablename__ = "audit_name"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    actor: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)


class AuditDay(Base):
    """The documents that somebody was shown on a day (UTC), in any way or, for the way `downloaded`, by downloading;
    and how many they are. At most 10,000.
    """

    __tablename__ = "audit_day"
    __table_args__ = (CheckConstraint("way in ('shown', 'downloaded')", name="way"),)

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    actor: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    way: Mapped[str] = mapped_column(Text, primary_key=True)
    documents: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    number: Mapped[int] = mapped_column(Integer, Computed("cardinality(documents)", persisted=True))


class AuditNode(Base):
    """The root of the perfect subtree over the 2^level entries from place * 2^level on; of 256 entries and more."""

    __tablename__ = "audit_node"
    __table_args__ = (
        CheckConstraint("level >= 8", name="level"),
        CheckConstraint("octet_length(hash) = 32", name="hash"),
    )

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(Base):
    """The Merkle root over the first `size` entries, and the perfect subtrees from which to go on."""

    __tablename__ = "audit_head"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("octet_length(root) = 32", name="root"),
        CheckConstraint("cardinality(frontier) = bit_count(size::bit(64))", name="frontier"),
    )

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    frontier: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)


class AuditCheckpoint(Base):
    """A head under the signature of the log, as a note. What it says of the head is held to the head."""

    __tablename__ = "audit_checkpoint"
    __table_args__ = (CheckConstraint("octet_length(note) <= 8192", name="note"),)

    size: Mapped[int] = mapped_column(ForeignKey("audit_head.size"), primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)


class AuditCosignature(Base):
    """The line by which a witness signed a checkpoint; `signer` is its key as text."""

    __tablename__ = "audit_cosignature"
    __table_args__ = (CheckConstraint(r"octet_length(line) <= 1024 and line ~ E'^\u2014 [^\n]+\n$'", name="line"),)

    size: Mapped[int] = mapped_column(ForeignKey("audit_checkpoint.size"), primary_key=True, autoincrement=False)
    signer: Mapped[str] = mapped_column(Text, primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)


class DocumentKey(Base):
    """The wrapped key of a document, by its public id: what holds its text is sealed under this one too. It outlives
    the document.
    """

    __tablename__ = "document_key"

    document: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)


class AuditTimestamp(Base):
    """The token by which a time stamping authority, named by its URL, dates a checkpoint."""

    __tablename__ = "audit_timestamp"
    __table_args__ = (
        CheckConstraint("octet_length(authority) <= 1024", name="authority"),
        CheckConstraint("octet_length(token) <= 32768", name="token"),
        Index("audit_timestamp_authority_size_idx", "authority", "size"),
    )

    size: Mapped[int] = mapped_column(ForeignKey("audit_checkpoint.size"), primary_key=True, autoincrement=False)
    authority: Mapped[str] = mapped_column(Text, primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)


class PersonKey(Base):
    """The wrapped key that seals one person's words; it names the user without a foreign key and outlives the row."""

    __tablename__ = "person_key"

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=now)
