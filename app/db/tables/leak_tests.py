"""Leak tests that were started from the service."""

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base
from app.db.tables.people import new_id

LeakTestState = Literal["running", "ended", "failed"]


class LeakTestRow(Base):
    """One run: who started it, how far it is, and its report. `beat_at`: when its process was last heard of."""

    __tablename__ = "leak_test_run"
    __table_args__ = (
        CheckConstraint("state in ('running', 'ended', 'failed')", name="state"),
        CheckConstraint("(state = 'running') = (ended_at is null)", name="ended"),
        Index("leak_test_run_running_idx", "state", unique=True, postgresql_where=text("state = 'running'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=new_id)
    started_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    state: Mapped[LeakTestState] = mapped_column(Text, server_default=text("'running'"))
    step: Mapped[str] = mapped_column(Text, server_default=text("''"))
    done: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    total: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    beat_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int | None] = mapped_column(Integer)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
