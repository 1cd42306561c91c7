"""Access reviews: who went through the grants of a collection, and what they decided of each."""

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
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
from app.db.tables.people import new_id

ReviewState = Literal["open", "closed"]
ReviewPlace = Literal["collection", "folder", "documents"]
ReviewDecision = Literal["keep", "withdraw"]


class AccessReview(Base):
    """A review of a collection. Closed, it has its manifest, and the SHA-256 of that."""

    __tablename__ = "access_review"
    __table_args__ = (
        UniqueConstraint("id", "collection_id"),
        CheckConstraint("state in ('open', 'closed')", name="state"),
        CheckConstraint(
            "num_nulls(closed_at, manifest, digest) = case state when 'closed' then 0 else 3 end", name="closed"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(Text)
    opened_by: Mapped[uuid.UUID | None]
    opened_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    state: Mapped[ReviewState] = mapped_column(Text, server_default=text("'open'"))
    closed_by: Mapped[uuid.UUID | None]
    closed_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)


class AccessReviewItem(Base):
    """One grant: of the collection itself, of a folder, or of the documents of a scope, by its public id."""

    __tablename__ = "access_review_item"
    __table_args__ = (
        UniqueConstraint("review_id", "ordinal"),
        ForeignKeyConstraint(
            ["review_id", "collection_id"], ["access_review.id", "access_review.collection_id"], ondelete="CASCADE"
        ),
        CheckConstraint(
            "case place when 'collection' then folder is null and scope is null"
            " when 'folder' then folder is not null and scope is null"
            " when 'documents' then folder is null and scope is not null else false end",
            name="place",
        ),
        CheckConstraint("decision in ('keep', 'withdraw')", name="decision"),
        CheckConstraint("(decision is null) = (decided_at is null)", name="decided"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    review_id: Mapped[uuid.UUID]
    collection_id: Mapped[uuid.UUID]
    ordinal: Mapped[int] = mapped_column(Integer)
    place: Mapped[ReviewPlace] = mapped_column(Text)
    folder: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[uuid.UUID | None]
    grant_value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    documents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    people: Mapped[int] = mapped_column(Integer)
    decision: Mapped[ReviewDecision | None] = mapped_column(Text)
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
