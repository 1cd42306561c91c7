"""Users, roles and API keys. Ids are immutable; names are labels."""

import datetime as dt
import uuid

from sqlalchemy import ARRAY, DateTime, ForeignKey, LargeBinary, SmallInteger, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base

new_id = text("gen_random_uuid()")


class User(Base):
    """A person or service. `clearance` is the highest label it may read; `capabilities` what it may do."""

    __tablename__ = "app_user"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    name: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    clearance: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Role(Base):
    """A group of people."""

    __tablename__ = "role"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RoleInside(Base):
    """Nesting: members of `role_id` are members of `inside_id` too. Cycles are refused when written."""

    __tablename__ = "role_inside"

    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True)
    inside_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True)


class Membership(Base):
    """A user in a role."""

    __tablename__ = "membership"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True)


class ApiKey(Base):
    """A key by which a caller is known. Only its SHA-256 is kept: of 256 random bits, no slow hash is needed.

    What a caller may do is what both the key and its user may do.
    """

    __tablename__ = "api_key"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(Text, server_default=text("''"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
