"""What auditors keep for themselves: queries of the log under a name, and exports of it."""

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


class LogExport(Base):
    """An export that an auditor asked for: of which query, how far it is. `resolved` has ids in the place of names.

    `size`: how many entries the log had; `reached`: the last of them that was looked at; `beat_at`: when it last went
    on, or ended.
    """

    __tablename__ = "log_export"
    __table_args__ = (
        CheckConstraint("format in ('jsonl', 'csv')", name="format"),
        CheckConstraint("state in ('running', 'interrupted', 'ready', 'failed')", name="state"),
        Index("log_export_running_idx", "requested_by", unique=True, postgresql_where=text("state = 'running'")),
        Index("log_export_requested_by_idx", "requested_by", "requested_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    requested_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    format: Mapped[Literal["jsonl", "csv"]] = mapped_column(Text)
    q: Mapped[str] = mapped_column(Text)
    resolved: Mapped[str] = mapped_column(Text)
    opened: Mapped[bool] = mapped_column(Boolean)
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ExportState] = mapped_column(Text, server_default=text("'running'"))
    reached: Mapped[int] = mapped_column(BigInteger, server_default=text("-1"))
    records: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    parts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    beat_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    error: Mapped[str | None] = mapped_column(Text)


class LogExportPart(Base):
    """A part of an export's content, compressed and sealed."""

    __tablename__ = "log_export_part"

    export_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("log_export.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
