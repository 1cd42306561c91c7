"""Erasures of people and documents, which take two people, and legal holds, which keep what they are of."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.people import new_id


class LegalHold(Base):
    """What must not go: a person's words and names, or a document. In force until it is lifted."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("(person is null) <> (document is null)", name="of"),
        CheckConstraint("char_length(reason) between 10 and 1000", name="reason"),
        CheckConstraint("(lifted_by is null) = (lifted_at is null)", name="lifted"),
        Index("legal_hold_person_idx", "person", postgresql_where=text("lifted_at is null")),
        Index("legal_hold_document_idx", "document", postgresql_where=text("lifted_at is null")),
        Index("legal_hold_placed_at_idx", "placed_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    person: Mapped[uuid.UUID | None]
    document: Mapped[uuid.UUID | None]
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[uuid.UUID]
    placed_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    lifted_by: Mapped[uuid.UUID | None]
    lifted_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class Erasure(Base):
    """A request to erase a person, or what kept answers hold of a document that is gone, and what came of it.

    `reason` goes with a person; `counts`: the rows that went.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("char_length(reason) between 10 and 1000", name="reason"),
        CheckConstraint(
            "(decided_by is null) = (decided_at is null) and (decided_by is null) = (approved is null)"
            " and (approved is true) = (counts is not null)",
            name="decided",
        ),
        CheckConstraint("decided_by is distinct from requested_by", name="second"),
        CheckConstraint("(person is null) <> (document is null)", name="of"),
        CheckConstraint(
            "person is distinct from requested_by and (decided_by is null or person is distinct from decided_by)",
            name="own",
        ),
        Index("erasure_person_idx", "person", unique=True, postgresql_where=text("approved is not false")),
        Index("erasure_document_idx", "document", unique=True, postgresql_where=text("approved is not false")),
        Index("erasure_requested_at_idx", "requested_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    person: Mapped[uuid.UUID | None]
    document: Mapped[uuid.UUID | None]
    requested_by: Mapped[uuid.UUID]
    requested_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    approved: Mapped[bool | None] = mapped_column(Boolean)
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
