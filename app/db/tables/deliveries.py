"""Where the log is delivered to, how far each target is, and the records that a target refused."""

import datetime as dt
from typing import Literal

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base

TargetKind = Literal["folder", "s3", "syslog", "http"]
DeliveryForm = Literal["jsonl", "ocsf", "cef"]


class Delivery(Base):
    """A target. All numbers below `delivered` were acknowledged or put aside; up to `pending` a batch is under way."""

    __tablename__ = "audit_delivery"
    __table_args__ = (
        CheckConstraint("target ~ '^[a-z0-9][a-z0-9._-]{0,62}$'", name="target"),
        CheckConstraint("kind in ('folder', 's3', 'syslog', 'http')", name="kind"),
        CheckConstraint("form in ('jsonl', 'ocsf', 'cef')", name="form"),
        CheckConstraint("pending > delivered", name="pending"),
        CheckConstraint("octet_length(error) <= 200", name="error"),
    )

    target: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[TargetKind] = mapped_column(Text)
    form: Mapped[DeliveryForm] = mapped_column(Text)
    configured: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    delivered: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    pending: Mapped[int | None] = mapped_column(BigInteger)
    signed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    delivered_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)
    failed_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class DeadLetter(Base):
    """A record that a target refused for what it is. `retry`: it is to be sent again."""

    __tablename__ = "audit_dead_letter"
    __table_args__ = (
        CheckConstraint("octet_length(reason) <= 200", name="reason"),
        Index("audit_dead_letter_seq_idx", "seq"),
    )

    target: Mapped[str] = mapped_column(ForeignKey("audit_delivery.target"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, ForeignKey("audit_entry.seq"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    retry: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
