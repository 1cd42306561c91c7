"""How people sign in, and what directories say: sessions, links, passkeys, identities. Secrets are kept as SHA-256."""

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.people import new_id

SignInMeans = Literal["provider", "link", "passkey", "sample"]


class SignInIdentity(Base):
    """Whom a provider's subject stands for, and the groups of the last claim; None: it did not say."""

    __tablename__ = "sign_in_identity"
    __table_args__ = (
        CheckConstraint("subject <> '' and octet_length(subject) <= 255", name="subject"),
        CheckConstraint("issuer <> '' and octet_length(issuer) <= 500", name="issuer"),
    )

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    groups: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    groups_until: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SignInSession(Base):
    """A signed-in browser. It ends when it is idle, at `expires_at`, or when somebody ends it."""

    __tablename__ = "sign_in_session"
    __table_args__ = (
        CheckConstraint("means in ('provider', 'link', 'passkey')", name="means"),
        CheckConstraint("idle_seconds > 0 and idle_until <= expires_at", name="idle"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        Index(
            "sign_in_session_provider_session_idx",
            "source",
            "provider_session",
            postgresql_where=text("ended_at is null"),
        ),
        Index("sign_in_session_created_at_id_idx", "created_at", "id", postgresql_where=text("ended_at is null")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    means: Mapped[SignInMeans] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    provider_session: Mapped[str | None] = mapped_column(Text)
    id_token: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    idle_seconds: Mapped[int] = mapped_column(Integer)
    idle_until: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)


class SignInLink(Base):
    """A link by which one person signs in once."""

    __tablename__ = "sign_in_link"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    created_by: Mapped[uuid.UUID]
    loopback: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class Passkey(Base):
    """A WebAuthn credential of a person: its public half alone."""

    __tablename__ = "passkey"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    label: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class SignInAttempt(Base):
    """A sign-in on its way, by the hash of its state: good once, for the browser that began it."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (CheckConstraint("kind in ('provider', 'passkey', 'passkey.new')", name="kind"),)

    state: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), index=True)


class UsedLogoutToken(Base):
    """A logout token that was taken: each is good once."""

    __tablename__ = "used_logout_token"

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    jti: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))


class DirectoryProfile(Base):
    """What a directory said of a person or group beyond our columns, given back to it as it was.

    `name_key` is the userName or displayName as directories compare it; of people it is unique within their source.
    """

    __tablename__ = "directory_profile"
    __table_args__ = (
        CheckConstraint("octet_length(attributes::text) <= 65536", name="size"),
        CheckConstraint("kind in ('user', 'group')", name="kind"),
        Index("directory_profile_source_name_key_idx", "source", "kind", "name_key"),
        Index(
            "directory_profile_user_name_idx",
            "source",
            "name_key",
            unique=True,
            postgresql_where=text("kind = 'user'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(Text, server_default=text("clearance.provisioned()"))
    kind: Mapped[str] = mapped_column(Text, server_default=text("'user'"))
    name_key: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    changed_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class DirectoryState(Base):
    """What a directory that is fetched said last, and until when that holds."""

    __tablename__ = "directory_state"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    cursor: Mapped[str | None] = mapped_column(Text)
    synced_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    fresh_until: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)
    error_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    people: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    groups: Mapped[int] = mapped_column(Integer, server_default=text("0"))
