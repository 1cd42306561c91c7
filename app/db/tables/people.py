"""Users, roles, API keys and delegations. Ids, sources and kinds never change; names are labels within a source."""

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    case,
    func,
    or_,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base

new_id = text("gen_random_uuid()")

# The source of users and roles that were made here; any other came from elsewhere, and its name is written in front.
LOCAL = "local"
Kind = Literal["person", "service"]


class Sourced:
    """Has a name that is unique within its source: the same name from another source is somebody else."""

    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, server_default=text(f"'{LOCAL}'"))

    @hybrid_property
    def shown(self) -> str:
        """The name as people write it: `engineering`, or `okta:engineering` from another source."""
        return self.name if self.source == LOCAL else f"{self.source}:{self.name}"

    @shown.inplace.expression
    @classmethod
    def _shown(cls) -> ColumnElement[str]:
        return case((cls.source == LOCAL, cls.name), else_=cls.source + ":" + cls.name)


class User(Sourced, Base):
    """A person or service. `clearance` is the highest label it may read; `capabilities` what it may do.

    A service reads nothing by itself and is in no role: it acts for a person by a Delegation alone, or it keeps the
    people and roles of the source that `provisions` names. `external_id` is what the person's source calls them.
    """

    __tablename__ = "app_user"
    __table_args__: Any = (UniqueConstraint("source", "name"), UniqueConstraint("source", "external_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    kind: Mapped[Kind] = mapped_column(Text, server_default=text("'person'"))
    display_name: Mapped[str] = mapped_column(Text)
    clearance: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    external_id: Mapped[str | None] = mapped_column(Text)
    provisions: Mapped[str | None] = mapped_column(Text)
    held: Mapped[bool] = mapped_column(server_default=text("false"))
    """Switched off by an administrator: the source cannot switch this person on again."""
    deleted_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    """Gone from the source: switched off for good, kept for the log."""
    former_external_id: Mapped[str | None] = mapped_column(Text)
    """What the source called somebody who is gone."""
    former_display_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """Of before: what is found where they are to be erased."""
    tokens_after: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    """A provider's tokens from before it are dead."""


class Role(Sourced, Base):
    """A role. `external_id` is what its source calls the group that it stands for."""

    __tablename__ = "role"
    __table_args__: Any = (UniqueConstraint("source", "name"), UniqueConstraint("source", "external_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    external_id: Mapped[str | None] = mapped_column(Text)


class RoleInside(Base):
    """Nesting: members of `role_id` are members of `inside_id` too. Cycles are refused when written."""

    __tablename__ = "role_inside"

    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True)
    inside_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Membership(Base):
    """Who is in a role, and until when: what a claim or a directory gave ends by itself unless it is confirmed."""

    __tablename__ = "membership"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True)
    ends_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))

    @classmethod
    def current(cls, at: ColumnElement[dt.datetime] | None = None) -> ColumnElement[bool]:
        """Whether a membership counts at that moment; now by the transaction's clock."""
        return or_(cls.ends_at.is_(None), cls.ends_at > (func.now() if at is None else at))


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


class Delegation(Base):
    """What a person lets one service do for them, until `expires_at`. Only the SHA-256 of its token is kept.

    It holds together with a living key of that service alone, and ends with the person's key that it was made with; one
    that was made in a session ends by its time alone.
    """

    __tablename__ = "delegation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    service_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    key_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("api_key.id", ondelete="CASCADE"), index=True)
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
