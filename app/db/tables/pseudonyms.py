"""What pseudonyms of answers stand for, under row-level security: `pseudonyms.sql` of the migrations says for whom."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.conversations import part_of
from app.db.tables.library import derived_from
from app.db.tables.people import new_id


class KeptPseudonym(Base):
    """A pseudonym of an answer, which is known by its trail, and its value, sealed under the key of who asked."""

    __tablename__ = "pseudonym"
    __table_args__ = (
        UniqueConstraint("id", "user_id"),
        UniqueConstraint("trail", "kind", "number", name="pseudonym_trail_kind_number_key"),
        CheckConstraint("char_length(kind) >= 1 and char_length(kind) <= 40 and kind <> 'credential'", name="kind"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint(
            "expires_at > created_at and expires_at <= created_at + interval '720 hours'", name="expires_at"
        ),
        Index("pseudonym_user_id_idx", "user_id"),
        Index("pseudonym_expires_at_idx", "expires_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    trail: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    sealed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))


class PseudonymPassage(Base):
    """A passage in which the value stands; it follows the passage from scope to scope."""

    __tablename__ = "pseudonym_passage"
    __table_args__ = (
        part_of("pseudonym", "pseudonym_id"),
        derived_from("chunk", "chunk_id"),
        Index("pseudonym_passage_chunk_id_idx", "chunk_id"),
    )

    pseudonym_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    chunk_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[uuid.UUID]
