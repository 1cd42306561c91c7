"""What auditors keep for themselves: queries of the log under a name, exports of it, and what they asked to open."""

import datetime as dt
import uuid
from typing import Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.people import new_id

ExportState = Literal["running", "interrupted", "ready", "failed"]


class SavedQuery(Base):
    """A query of the log that an auditor keeps under a name, as it was written."""

    __tablename__ = "saved_query"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    q: Mapped[str] = mapped_column(Text)


class Opening(Base):
    """Sealed words that somebody asked to open: of one record and its trail, or of what a query finds (`resolved`, with
    ids in the place of names). `asker` is whose words they are, where it is one person's.
    """

    __tablename__ = "opening"
    __table_args__ = (
        CheckConstraint("char_length(reason) between 10 and 1000", name="reason"),
        CheckConstraint(
            "(record is null) <> (resolved is null) and (trail is null or record is not null)"
            " and (asker is null) = (record is null)",
            name="scope",
        ),
        CheckConstraint(
            "(decided_by is null) = (decided_at is null) and (decided_by is null) = (approved is null)", name="decided"
        ),
        CheckConstraint("decided_by is distinct from requested_by", name="second"),
        Index("opening_requested_at_idx", "requested_at", "id"),
        Index("opening_requested_by_idx", "requested_by"),
        Index("opening_asker_idx", "asker", "requested_at", "id", postgresql_where=text("asker is not null")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    requested_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    reason: Mapped[str] = mapped_column(Text)
    record: Mapped[uuid.UUID | None]
    trail: Mapped[uuid.UUID | None]
    asker: Mapped[uuid.UUID | None]
    resolved: Mapped[str | None] = mapped_column(Text)
    needs_second: Mapped[bool] = mapped_column(Boolean)
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    approved: Mapped[bool | None] = mapped_column(Boolean)


class LogExport(Base):
    """An export that an auditor asked for: of which query, how far it is. `resolved` has ids in the place of names.

    `size`: how many entries the log had; `reached`: the last of them that was looked at; `beat_at`: when it last went
    on, or ended; `bytes` and `sha256`: of the file, once it is ready.
    """

    __tablename__ = "log_export"
    __table_args__ = (
        CheckConstraint("format in ('jsonl', 'csv', 'parquet', 'ocsf', 'cef')", name="format"),
        CheckConstraint("state in ('running', 'interrupted', 'ready', 'failed')", name="state"),
        CheckConstraint("(state = 'ready') = (sha256 is not null)", name="sha256"),
        Index("log_export_running_idx", "requested_by", unique=True, postgresql_where=text("state = 'running'")),
        Index("log_export_requested_by_idx", "requested_by", "requested_at", "id"),
        Index("log_export_opening_idx", "opening", postgresql_where=text("opening is not null")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    requested_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    format: Mapped[Literal["jsonl", "csv", "parquet", "ocsf", "cef"]] = mapped_column(Text)
    q: Mapped[str] = mapped_column(Text)
    resolved: Mapped[str] = mapped_column(Text)
    opening: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("opening.id", ondelete="CASCADE"))
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ExportState] = mapped_column(Text, server_default=text("'running'"))
    reached: Mapped[int] = mapped_column(BigInteger, server_default=text("-1"))
    records: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    sha256: Mapped[str | None] = mapped_column(Text)
    parts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    beat_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    error: Mapped[str | None] = mapped_column(Text)


class LogExportPart(Base):
    """A part of an export's content, compressed and sealed."""

    __tablename__ = "log_export_part"

    export_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("log_export.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
