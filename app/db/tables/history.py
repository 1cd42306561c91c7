"""What was so, from when until when: written by triggers of the database, read to explain the past.

`valid_to` is null for what is so now. Scopes and documents are named without foreign keys: history outlives them.
"""

import datetime as dt
import uuid
from typing import Literal

from sqlalchemy import BigInteger, ColumnElement, DateTime, Identity, Index, Integer, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base


class Kept:
    """From when until when a row was so: `valid_from` included, `valid_to` excluded."""

    valid_from: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    valid_to: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)


class UserHistory(Kept, Base):
    """A user's clearance and state."""

    __tablename__ = "user_history"

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    clearance: Mapped[int] = mapped_column(SmallInteger)
    active: Mapped[bool]


class NameHistory(Kept, Base):
    """What a user or a role was called, with its source in front unless that is `local`."""

    __tablename__ = "name_history"

    kind: Mapped[Literal["user", "role"]] = mapped_column(Text)
    subject: Mapped[uuid.UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(Text, index=True)


class MembershipHistory(Kept, Base):
    """Who was in a role, and when it would have ended by itself."""

    __tablename__ = "membership_history"
    __table_args__ = (Index("membership_history_user_id_role_id_idx", "user_id", "role_id"),)

    user_id: Mapped[uuid.UUID]
    role_id: Mapped[uuid.UUID] = mapped_column(index=True)
    ends_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class NestingHistory(Kept, Base):
    """Which roles lay inside which."""

    __tablename__ = "nesting_history"

    role_id: Mapped[uuid.UUID] = mapped_column(index=True)
    inside_id: Mapped[uuid.UUID]


class ScopeHistory(Kept, Base):
    """Which rule decided for a scope."""

    __tablename__ = "scope_history"

    scope_id: Mapped[int] = mapped_column(Integer, index=True)
    rule_id: Mapped[int] = mapped_column(Integer, index=True)


class DocumentHistory(Kept, Base):
    """Under which scope a document stood."""

    __tablename__ = "document_history"

    document: Mapped[uuid.UUID] = mapped_column(index=True)
    collection_id: Mapped[uuid.UUID]
    scope_id: Mapped[int] = mapped_column(Integer)


def valid_at(table: type[Kept], at: dt.datetime) -> ColumnElement[bool]:
    """Whether a row of history was so at that moment."""
    return (table.valid_from <= at) & (table.valid_to.is_(None) | (table.valid_to > at))
