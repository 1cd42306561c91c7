"""Reads the ordered log for an auditor. Row-level security shows it to nobody else: without the capability, 0 rows."""

import datetime as dt
import uuid
from dataclasses import dataclass, fields

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.db.tables.audit import AuditEntry, AuditHead, AuditLeaf
from app.evidence.merkle import EMPTY_ROOT, Head

FETCH = 500  # rows in memory at once, and in one transaction of an export


@dataclass(frozen=True)
class Entry:
    """A record in its place. `body` is its canonical text, verbatim; `at` is the database's clock."""

    seq: int
    at: dt.datetime
    leaf_hash: bytes
    body: str


@dataclass(frozen=True)
class Filters:
    """Which entries: of one user, of one kind, from `since` on, before `until`. Without any: all of them."""

    user: uuid.UUID | None = None
    kind: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def as_text(self) -> dict[str, str]:
        """Those that are set, for the record of this reading and for the header of an export."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, dt.datetime) else str(value)
            for name, value in given.items()
            if value is not None
        }


ALL = Filters()


def list_events(
    session: Session, filters: Filters = ALL, *, after_seq: int | None = None, limit: int, newest_first: bool = False
) -> list[Entry]:
    """One page of at most `limit` entries; `after_seq` is the last one of the page before, in the same direction."""
    statement = _entries(filters)
    if after_seq is not None:
        statement = statement.where(AuditEntry.seq < after_seq if newest_first else AuditEntry.seq > after_seq)
    order = AuditEntry.seq.desc() if newest_first else AuditEntry.seq
    return [_entry(row) for row in session.execute(statement.order_by(order).limit(limit))]


def chunk(session: Session, filters: Filters, *, size: int, after_seq: int) -> list[Entry]:
    """The next FETCH entries behind `after_seq` and below `size`. What stands below a head never changes, so that
    chunks read one by one, each in a transaction of its own, are what one snapshot would give.
    """
    statement = _entries(filters).where(AuditEntry.seq < size, AuditEntry.seq > after_seq)
    return [_entry(row) for row in session.execute(statement.order_by(AuditEntry.seq).limit(FETCH))]


def latest_head(session: Session) -> tuple[Head, dt.datetime | None]:
    """The newest head and when it was published; of an empty log, the head of nothing."""
    newest = select(AuditHead.size, AuditHead.root, AuditHead.at).order_by(AuditHead.size.desc()).limit(1)
    row = session.execute(newest).first()
    return (Head(row.size, bytes(row.root)), row.at) if row else (Head(0, EMPTY_ROOT), None)


def _entries(filters: Filters) -> Select[int, dt.datetime, bytes, str]:
    statement = select(AuditEntry.seq, AuditLeaf.at, AuditEntry.leaf_hash, AuditLeaf.body).join(
        AuditLeaf, AuditLeaf.id == AuditEntry.leaf_id
    )
    if filters.user is not None:
        statement = statement.where(AuditLeaf.actor == filters.user)
    if filters.kind is not None:
        statement = statement.where(AuditLeaf.kind == filters.kind)
    if filters.since is not None:
        statement = statement.where(AuditLeaf.at >= filters.since)
    if filters.until is not None:
        statement = statement.where(AuditLeaf.at < filters.until)
    return statement


def _entry(row: Row[int, dt.datetime, bytes, str]) -> Entry:
    return Entry(row[0], row[1], bytes(row[2]), row[3])
