"""Conversations: for their asker alone, under row-level security. `app.answer.conversation_store` is the one door.

An answer is text derived from documents. `turn_source` names each document that an answer was made from and follows it
from scope to scope; `conversations.sql` of the migrations hides the answer as soon as one of them is not visible.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
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

from app.db.tables.base import Base
from app.db.tables.library import derived_from
from app.db.tables.people import new_id


def part_of(table: str, column: str) -> ForeignKeyConstraint:
    """The foreign key that binds a row to its parent and to its parent's person."""
    return ForeignKeyConstraint([column, "user_id"], [f"{table}.id", f"{table}.user_id"], ondelete="CASCADE")


class Conversation(Base):
    """One person's conversation; it goes with its turns. Without a title its first question stands for it."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("id", "user_id"),
        CheckConstraint("char_length(title) between 1 and 200", name="title"),
        Index("conversation_user_id_created_at_idx", "user_id", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    title: Mapped[str | None] = mapped_column(Text)


class Turn(Base):
    """A question as it was asked (credentials masked), and its vector, little-endian float32, of the embedder with this
    digest. `id` is the trail that the audit log knows its answer by.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("id", "user_id"),
        part_of("conversation", "conversation_id"),
        Index("turn_conversation_id_at_idx", "conversation_id", "at"),
        CheckConstraint("mode in ('generate', 'quote')", name="mode"),
        CheckConstraint(
            "outcome in ('answered', 'quoted', 'may_help', 'nothing', 'asked_back', 'refused', 'failed', 'hung_up')",
            name="outcome",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID]
    question: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    policy_epoch: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    embedder: Mapped[str | None] = mapped_column(Text)


class TurnAnswer(Base):
    """What was said, as the guardrail released it. `made_from` is how many documents stand behind it; `shown` the
    sources as they were given with it, `details` all else; `vector` that of the text, as in `Turn`: it goes where the
    text goes.
    """

    __tablename__ = "turn_answer"
    __table_args__ = (part_of("turn", "turn_id"), CheckConstraint("made_from >= 0", name="made_from"))

    turn_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID]
    made_from: Mapped[int] = mapped_column(Integer)
    answer: Mapped[str] = mapped_column(Text)
    shown: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    redactions: Mapped[dict[str, int]] = mapped_column(JSONB)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)


class TurnSource(Base):
    """A document behind an answer: of its context, cited or not, or behind an earlier turn that the model was shown."""

    __tablename__ = "turn_source"
    __table_args__ = (
        part_of("turn", "turn_id"),
        derived_from("document", "document_id"),
        Index("turn_source_document_id_idx", "document_id"),
    )

    turn_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[uuid.UUID]
