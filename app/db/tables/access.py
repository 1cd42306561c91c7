"""Collections, rules and scopes: who may read what, apart from the content itself."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.people import new_id


class Rule(Base):
    """An interned, immutable rule: a label and a set of grants, known by the digest of its canonical form.

    Its grants are those in `rule_grant` under `own_id` and under `above_id`; without `own_id`, under its own number. So
    an own rule of hundreds of grants is written once, and re-granting what lies above it writes one row that refers to
    both. Such a part is a row of its own, to which no scope points: it alone has `grant_digests`. The grants of a part
    above are marked as `inherited`.
    """

    __tablename__ = "rule"
    __table_args__ = (
        Index("rule_own_idx", func.coalesce(text("own_id"), text("id"))),
        Index("rule_own_id_idx", "own_id", postgresql_where=text("own_id is not null")),
        Index("rule_above_id_idx", "above_id", postgresql_where=text("above_id is not null")),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    label: Mapped[int] = mapped_column(SmallInteger)
    own_id: Mapped[int | None] = mapped_column(ForeignKey("rule.id"))
    above_id: Mapped[int | None] = mapped_column(ForeignKey("rule.id"))
    grant_digests: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of a part: the digests of its grants behind one another, ascending, of which those of unions are made."""


class RuleGrant(Base):
    """One grant of a rule, or of all rules that it is a part of.

    `principal_id` is the zero UUID for `everyone`, so that no NULL ever means everything.
    """

    __tablename__ = "rule_grant"
    __table_args__ = (
        CheckConstraint("effect in ('allow', 'deny')", name="effect"),
        CheckConstraint("principal_kind in ('everyone', 'role', 'user')", name="principal_kind"),
        Index("rule_grant_principal_idx", "principal_kind", "principal_id"),
    )

    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    effect: Mapped[str] = mapped_column(Text)
    principal_kind: Mapped[str] = mapped_column(Text)
    principal_id: Mapped[uuid.UUID]
    starts_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    inherited: Mapped[bool] = mapped_column(server_default=text("false"))


class Collection(Base):
    """A collection. `own_rule` is its canonical rule as a value; the documents in it inherit it."""

    __tablename__ = "collection"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    name: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    own_rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Curator(Base):
    """Who may curate a collection: upload, replace, delete and re-rule its documents. Curating is not reading."""

    __tablename__ = "curator"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    collection_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Folder(Base):
    """A folder with a rule of its own; folders without one are parts of paths and nothing else.

    `path` has no slash at either end. Documents inherit from the nearest folder above them.
    """

    __tablename__ = "folder"
    __table_args__ = (
        UniqueConstraint("collection_id", "path"),
        UniqueConstraint("id", "collection_id"),
        CheckConstraint("clearance.is_normal_path(path)", name="path"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text(collation="C"))
    own_rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Steward(Base):
    """To whom a role is delegated: they put people into it and take them out, though not themselves."""

    __tablename__ = "steward"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True)


class AccessPlan(Base):
    """A change before it is made: its steps, what they would do, and whether a second administrator has to agree."""

    __tablename__ = "access_plan"
    __table_args__ = (CheckConstraint("state in ('open', 'applied', 'withdrawn')", name="state"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    effects: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    needs_second: Mapped[bool]
    state: Mapped[str] = mapped_column(Text, server_default=text("'open'"))
    ended_by: Mapped[uuid.UUID | None]
    ended_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class Scope(Base):
    """A set of documents under one access rule: one collection or folder, one own rule (empty: plain inheritance).

    `rule_id` is the effective rule, own and inherited: re-granting a collection changes it and touches no document.
    A scope without folder is directly in its collection.
    """

    __tablename__ = "scope"
    __table_args__ = (
        UniqueConstraint("collection_id", "folder_id", "own_digest", postgresql_nulls_not_distinct=True),
        UniqueConstraint("id", "collection_id"),
        ForeignKeyConstraint(["folder_id", "collection_id"], ["folder.id", "folder.collection_id"], ondelete="CASCADE"),
        Index("scope_rule_id_idx", "rule_id"),
        Index("scope_own_part_id_idx", "own_part_id", postgresql_where=text("own_part_id is not null")),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(unique=True, server_default=new_id)
    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"))
    folder_id: Mapped[uuid.UUID | None]
    own_digest: Mapped[bytes] = mapped_column(LargeBinary)
    own_rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"))
    own_part_id: Mapped[int | None] = mapped_column(ForeignKey("rule.id"))
    """The grants of `own_rule`, interned; NULL where a row was written without them, never for "no grants"."""
    own_inherits: Mapped[bool | None] = mapped_column(
        Computed("(own_rule ->> 'inherits'::text)::boolean", persisted=True)
    )
    own_label: Mapped[str | None] = mapped_column(Text, Computed("own_rule ->> 'label'::text", persisted=True))


class PolicyEpoch(Base):
    """One row: the counter of access changes, raised by triggers in every transaction that makes one."""

    __tablename__ = "policy_epoch"
    __table_args__ = (CheckConstraint("single", name="one_row"),)

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    number: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
