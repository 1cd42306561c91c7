"""Reads signed heads for an auditor. Row-level security shows them to nobody else."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from app.db.paging import Page
from app.db.tables.audit import AuditCheckpoint, AuditCosignature, AuditTimestamp
from app.evidence.checkpoint import Checkpoint
from app.evidence.signed_note import BadNote
from app.evidence.stamps import MAX_STAMPS, StampedHead

# Of each authority so many, spread evenly over its stamps, with the newest among them: in a year, one for a day and a
# half. They are some 2 MB of a file.
STAMPS_EACH = 256
SPREAD = text("""
    with spread as (
      select authority, max(size) as size from (
        select authority, size, ntile(:each) over (partition by authority order by size) as part
        from audit_timestamp where size <= :size
      ) as t
      group by authority, part
      order by 2 desc limit :all
    )
    select c.note, t.token
    from spread s join audit_timestamp t using (authority, size) join audit_checkpoint c using (size)
    order by size, authority
""")


@dataclass(frozen=True)
class KeptCheckpoint:
    """A head as it was signed: `note` is the whole text, with the signatures of those witnesses that saw it, and
    `timestamps` the tokens of authorities, by the URL of each.
    """

    size: int
    at: dt.datetime
    note: str
    timestamps: Mapping[str, bytes]


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


def list_stamps(session: Session, *, at_most: int) -> list[StampedHead]:
    """Time stamps of heads of at most so many entries, from the first on. What is no checkpoint is left out."""
    found, given = [], {"size": at_most, "each": STAMPS_EACH, "all": MAX_STAMPS}
    for note, token in session.execute(SPREAD, given):
        with contextlib.suppress(BadNote):
            found.append(StampedHead(Checkpoint.parse(note), bytes(token)))
    return found


def _newest(
    session: Session, table: type[AuditCosignature | AuditCheckpoint], at_least: int, at_most: int | None
) -> int | None:
    """The largest size of the table between these, by its key."""
    query = select(func.max(table.size)).where(table.size >= at_least)
    return session.scalar(query if at_most is None else query.where(table.size <= at_most))


def _whole(session: Session, rows: Iterable[Row[int, dt.datetime, str]]) -> list[KeptCheckpoint]:
    """The checkpoints with the lines of their witnesses, in the order in which they came, and their time stamps."""
    found = list(rows)
    sizes = [row[0] for row in found]
    lines = select(AuditCosignature.size, AuditCosignature.line).where(AuditCosignature.size.in_(sizes))
    signed: dict[int, str] = {}
    for size, line in session.execute(lines.order_by(AuditCosignature.at, AuditCosignature.signer)):
        signed[size] = signed.get(size, "") + line
    stamped: dict[int, dict[str, bytes]] = {}
    for stamp in session.scalars(select(AuditTimestamp).where(AuditTimestamp.size.in_(sizes))):
        stamped.setdefault(stamp.size, {})[stamp.authority] = stamp.token
    return [KeptCheckpoint(size, at, note + signed.get(size, ""), stamped.get(size, {})) for size, at, note in found]
