"""How long records are kept, and what is left of those that were removed."""

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.people import new_id

# By the word before the dot of a kind. Not among them are records of what was removed, held, opened and signed.
PRUNABLE_KINDS = (
    *("answer", "search", "conversation", "document", "upload", "policy", "change", "plan", "key", "delegation"),
    *("user", "role", "audit", "session", "signin", "link", "passkey", "delivery", "leaktest", "review", "guardrail"),
)
MIN_DAYS, MAX_DAYS = 30, 36_500


class RetentionRule(Base):
    """For how many days records of a kind, or answers of a label, are kept; None: for ever. In force is the one that
    was approved last.

    By it `pruned` records were removed, all of before `pruned_before`.
    """

    __tablename__ = "retention_rule"
    __table_args__ = (
        CheckConstraint("kind in (" + ", ".join(f"'{kind}'" for kind in PRUNABLE_KINDS) + ")", name="kind"),
        CheckConstraint(
            "label is null or kind = 'answer' and label in ('public', 'internal', 'confidential', 'restricted')",
            name="label",
        ),
        CheckConstraint(f"days between {MIN_DAYS} and {MAX_DAYS}", name="days"),
        CheckConstraint("char_length(reason) between 10 and 1000", name="reason"),
        CheckConstraint(
            "(decided_by is null) = (decided_at is null) and (decided_by is null) = (approved is null)", name="decided"
        ),
        CheckConstraint("decided_by is distinct from requested_by", name="second"),
        Index(
            "retention_rule_waiting_idx",
            "kind",
            text("coalesce(label, '')"),
            unique=True,
            postgresql_where=text("decided_by is null"),
        ),
        Index("retention_rule_requested_at_idx", "requested_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    kind: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)
    days: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[uuid.UUID]
    requested_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    approved: Mapped[bool | None] = mapped_column(Boolean)
    pruned_before: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    pruned: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class AuditPruned(Base):
    """A record that was removed: its number, its leaf hash, when it went, and the number of the record that says so."""

    __tablename__ = "audit_pruned"
    __table_args__ = (
        CheckConstraint("record > seq", name="record"),
        CheckConstraint("octet_length(leaf_hash) = 32", name="leaf_hash"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary)
    record: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
