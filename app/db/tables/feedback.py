"""What askers say of answers, under row-level security: `feedback.sql` of the migrations says who reads it."""

import datetime as dt
import uuid

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.library import derived_from
from app.db.tables.people import new_id


class AnswerFeedback(Base):
    """Whether an answer helped its asker. `block` is the number of one of its quotes, 0 is the whole answer; `words` is
    the question, where its asker shares it. The service cannot read `user_id`.
    """

    __tablename__ = "answer_feedback"
    __table_args__ = (
        UniqueConstraint("id", "user_id"),
        UniqueConstraint("user_id", "trail", "block", name="answer_feedback_trail_block_key"),
        CheckConstraint("block >= 0", name="block"),
        CheckConstraint("reason in ('wrong', 'incomplete', 'outdated', 'unclear', 'hidden')", name="reason"),
        Index("answer_feedback_at_idx", "at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    trail: Mapped[uuid.UUID]
    block: Mapped[int] = mapped_column(Integer)
    helpful: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str | None] = mapped_column(Text)
    words: Mapped[str | None] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


class AnswerFeedbackSource(Base):
    """A document behind what was said; it follows the document from scope to scope."""

    __tablename__ = "answer_feedback_source"
    __table_args__ = (
        ForeignKeyConstraint(
            ["feedback_id", "user_id"], ["answer_feedback.id", "answer_feedback.user_id"], ondelete="CASCADE"
        ),
        derived_from("document", "document_id"),
        Index("answer_feedback_source_document_id_idx", "document_id"),
        Index("answer_feedback_source_scope_id_idx", "scope_id"),
    )

    feedback_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope_id: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[uuid.UUID]
