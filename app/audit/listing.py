"""Reads the ordered log for an auditor. Row-level security shows it to nobody else: without the capability, 0 rows."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, Row, any_, cast, exists, select, text
from sqlalchemy.orm import Session

from app.audit.query import EVERYTHING, LogQuery
from app.audit.search import PAGE_SECONDS, LogSearch, find, prepare
from app.db.paging import Page
from app.db.tables.audit import AuditEntry, AuditHead, AuditLeaf
from app.db.tables.retention import AuditPruned
from app.errors import Conflict
from app.evidence.merkle import EMPTY_ROOT, Head

# Of an export: rows in memory at once, and about how long one transaction looks for them.
FETCH = 500
PIECE_SECONDS = 2.0
# In the order of their numbers, along two keys; what has no text was pruned.
ALL_ENTRIES = text("""
    with entry as (
      (select seq, leaf_hash, leaf_id, cast(null as timestamptz) as at, cast(null as bigint) as record from audit_entry
        where seq >= :first and seq < :end order by seq limit :limit)
      union all
      (select seq, leaf_hash, null, at, record from audit_pruned
        where seq >= :first and seq < :end order by seq limit :limit)
      order by seq limit :limit
    )
    select e.seq, coalesce(e.at, l.at) as at, e.leaf_hash, l.body, e.record
    from entry e left join audit_leaf l on l.id = e.leaf_id
    order by e.seq
""")


@dataclass(frozen=True)
class Entry:
    """A record in its place. `body` is its canonical text, verbatim; `at` is the database's clock."""

    seq: int
    at: dt.datetime
    leaf_hash: bytes
    body: str


@dataclass(frozen=True)
class PrunedEntry:
    """What is left of a record that a rule of retention removed; `at` is when it was removed."""

    seq: int
    at: dt.datetime
    leaf_hash: bytes


@dataclass(frozen=True)
class Listing:
    """A page of entries. `reached` is where the next one begins, if there may be more: not always the last entry."""

    entries: list[Entry]
    reached: int | None


def list_events(
    session: Session,
    query: LogQuery = EVERYTHING,
    *,
    after_seq: int | None = None,
    limit: int,
    newest_first: bool = False,
) -> Listing:
    """One page of at most `limit` entries; `after_seq` is what the page before reached, in the same direction.

    Names in the query are ids (`app.audit.names`). A page may end early, so that it ends in time where few are found.
    """
    search = prepare(session, query)
    if after_seq is not None:
        search = search.within(0, after_seq) if newest_first else search.within(after_seq + 1, search.end)
    numbers = find(session, search, limit=limit + 1, newest_first=newest_first, seconds=PAGE_SECONDS)
    shown = numbers.found[:limit]
    more = len(numbers.found) > limit
    return Listing(_entries(session, shown, newest_first=newest_first), shown[-1] if more else numbers.reached)


def next_entries(
    session: Session, search: LogSearch, *, after_seq: int
) -> tuple[list[Entry | PrunedEntry], int | None]:
    """The next entries behind `after_seq`, at most FETCH, and the number that was reached; None: there are no more.

    What stands below a head never changes, so that pieces read one by one, each in a transaction of its own, are what
    one snapshot would give, but for records that are pruned meanwhile. Of all records, those that were are among them,
    so that a whole log has no gap. A piece may be short, or empty, and not the last.
    """
    if search.query == EVERYTHING:
        return _all_entries(session, after_seq + 1, search.end)
    numbers = find(session, search.within(after_seq + 1, search.end), limit=FETCH, seconds=PIECE_SECONDS)
    return list(_entries(session, numbers.found, newest_first=False)), numbers.reached


def _all_entries(session: Session, first: int, end: int) -> tuple[list[Entry | PrunedEntry], int | None]:
    """The first FETCH of all entries between two numbers, those that were pruned among them.

    Raises Conflict where one was pruned only now: the record that says so is behind `end`.
    """
    rows = session.execute(ALL_ENTRIES, {"first": first, "end": end, "limit": FETCH}).all()
    if any(row.record is not None and row.record >= end for row in rows):
        raise Conflict("Records were pruned while this was read: ask for it once more.")
    entries = [PrunedEntry(row.seq, row.at, bytes(row.leaf_hash)) if row.body is None else _entry(row) for row in rows]
    return entries, entries[-1].seq if len(entries) == FETCH else None


def is_pruned(session: Session, seq: int) -> bool:
    """Whether a rule of retention removed the record of this number."""
    return session.get(AuditPruned, seq) is not None


def find_entry(session: Session, seq: int) -> Entry | None:
    """The entry of this number, None if there is none."""
    return next(iter(_entries(session, [seq], newest_first=False)), None)


def find_number(session: Session, record: uuid.UUID) -> int | None:
    """The number of the record of this id; None while it has none."""
    return session.scalar(select(AuditEntry.seq).where(AuditEntry.leaf_id == record))


def find_numbers(session: Session, records: set[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The numbers of those of these records that have one."""
    wanted = select(AuditEntry.leaf_id, AuditEntry.seq).where(AuditEntry.leaf_id.in_(records))
    found: dict[uuid.UUID, int] = dict(session.execute(wanted).all())
    return found


def is_recorded(session: Session, record: uuid.UUID) -> bool:
    """Whether there is a record of this id, with a number or still without."""
    return bool(session.scalar(select(exists().where(AuditLeaf.id == record))))


def list_trail(session: Session, trail: uuid.UUID, *, limit: int) -> list[Entry]:
    """The first `limit` entries of a trail, in order."""
    numbers = select(AuditEntry.seq).where(AuditEntry.trail == trail).order_by(AuditEntry.seq).limit(limit)
    return _entries(session, list(session.scalars(numbers)), newest_first=False)


def list_neighbours(session: Session, seq: int, *, reach: int) -> tuple[list[Entry], list[Entry]]:
    """The entries before and behind this one, `reach` on each side, in order."""
    before = [number for number in range(seq - reach, seq) if number >= 0]
    behind = list(range(seq + 1, seq + 1 + reach))
    return _entries(session, before, newest_first=False), _entries(session, behind, newest_first=False)


def list_heads(session: Session, page: Page) -> list[tuple[Head, dt.datetime]]:
    """One page of the published heads with their times, the newest first."""
    query = select(AuditHead.size, AuditHead.root, AuditHead.at)
    rows = page.rows(session, query, [AuditHead.size], descending=True)
    return [(Head(size, bytes(root)), at) for size, root, at in rows]


def latest_head(session: Session) -> tuple[Head, dt.datetime | None]:
    """The newest head and when it was published; of an empty log, the head of nothing."""
    newest = select(AuditHead.size, AuditHead.root, AuditHead.at).order_by(AuditHead.size.desc()).limit(1)
    row = session.execute(newest).first()
    return (Head(row.size, bytes(row.root)), row.at) if row else (Head(0, EMPTY_ROOT), None)


def find_head(session: Session, size: int) -> tuple[Head, dt.datetime | None]:
    """The published head of this size and when it was; of size 0, the head of nothing. Raises LookupError if none."""
    if size == 0:
        return Head(0, EMPTY_ROOT), None
    row = session.execute(select(AuditHead.root, AuditHead.at).where(AuditHead.size == size)).first()
    if row is None:
        raise LookupError(f"no head of {size} entries was published")
    return Head(size, bytes(row.root)), row.at


def _entries(session: Session, numbers: list[int], *, newest_first: bool) -> list[Entry]:
    statement = (
        select(AuditEntry.seq, AuditLeaf.at, AuditEntry.leaf_hash, AuditLeaf.body)
        .join(AuditLeaf, AuditLeaf.id == AuditEntry.leaf_id)
        .where(AuditEntry.seq == any_(cast(numbers, ARRAY(BigInteger))))
        .order_by(AuditEntry.seq.desc() if newest_first else AuditEntry.seq)
    )
    return [_entry(row) for row in session.execute(statement)]


def _entry(row: Row[int, dt.datetime, bytes, str]) -> Entry:
    return Entry(row[0], row[1], bytes(row[2]), row[3])
