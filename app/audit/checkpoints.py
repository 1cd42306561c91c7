"""Reads signed heads for an auditor. Row-level security shows them to nobody else."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.db.paging import Page
from app.db.tables.audit import AuditCheckpoint, AuditCosignature


@dataclass(frozen=True)
class KeptCheckpoint:
    """A head as it was signed: `note` is the whole text, with the signatures of those witnesses that saw it."""

    size: int
    at: dt.datetime
    note: str


def list_checkpoints(session: Session, page: Page) -> list[KeptCheckpoint]:
    """One page of the checkpoints, the newest first."""
    query = select(AuditCheckpoint.size, AuditCheckpoint.at, AuditCheckpoint.note)
    return _whole(session, page.rows(session, query, [AuditCheckpoint.size], descending=True))


def find_checkpoint(session: Session, *, at_least: int = 0, at_most: int | None = None) -> KeptCheckpoint | None:
    """The newest checkpoint of so many entries that a witness saw, or, where none saw any, the newest; None: none is
    there.

    The newest and not the first: what somebody with the sequencer's password may have put there is overtaken.
    """
    found = (_newest(session, table, at_least, at_most) for table in (AuditCosignature, AuditCheckpoint))
    size = next((each for each in found if each is not None), None)
    query = select(AuditCheckpoint.size, AuditCheckpoint.at, AuditCheckpoint.note).where(AuditCheckpoint.size == size)
    return next(iter(_whole(session, session.execute(query))), None)


def _newest(
    session: Session, table: type[AuditCosignature | AuditCheckpoint], at_least: int, at_most: int | None
) -> int | None:
    """The largest size of the table between these, by its key."""
    query = select(func.max(table.size)).where(table.size >= at_least)
    return session.scalar(query if at_most is None else query.where(table.size <= at_most))


def _whole(session: Session, rows: Iterable[Row[int, dt.datetime, str]]) -> list[KeptCheckpoint]:
    """The checkpoints with the lines of their witnesses, in the order in which they came."""
    found = list(rows)
    sizes = [row[0] for row in found]
    lines = select(AuditCosignature.size, AuditCosignature.line).where(AuditCosignature.size.in_(sizes))
    signed: dict[int, str] = {}
    for size, line in session.execute(lines.order_by(AuditCosignature.at, AuditCosignature.signer)):
        signed[size] = signed.get(size, "") + line
    return [KeptCheckpoint(size, at, note + signed.get(size, "")) for size, at, note in found]
