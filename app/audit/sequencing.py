"""Puts committed leaves in order and closes trails that nobody closed. Functions on a Session; they never commit.

Both need `lock`, which one sequencer at a time holds until its transaction ends. Writers never take it.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.events.answers import AnswerClosed
from app.audit.events.base import Actor
from app.audit.log import record
from app.db.audit_writers import SEQUENCER as SEQUENCER_NAME
from app.evidence.merkle import Head

BATCH = 5_000
SEQUENCER = Actor.service(SEQUENCER_NAME)
# A leaf may commit after its own time: look back further than any transaction lasts.
OVERLAP = dt.timedelta(hours=1)
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# The oldest transaction that may still add leaves, and the next one to start.
SNAPSHOT = text("""
    select pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint
    from (select pg_current_snapshot()) as v (s)
""")

# Committed leaves without a place. The horizon only spares the scan of older ones; the absence of an entry decides.
UNPLACED = text("""
    select l.id from audit_leaf l
    where l.xid >= cast(cast(:horizon as text) as xid8)
      and not exists (select 1 from audit_entry e where e.leaf_id = l.id)
    order by l.at, l.id
    limit :batch
""")

# The database numbers them and computes the head itself: nobody else writes either.
PLACE = text("select size, root from clearance.place_leaves(:ids)")

# Answers opened long enough ago and closed by nobody: their process died.
OPEN_TRAILS = text("""
    select o.trail from audit_leaf o
    where o.kind = 'answer.opened' and o.trail is not null and o.at >= :since and o.at < :until
      and not exists (select 1 from audit_leaf c where c.kind = 'answer.closed' and c.trail = o.trail)
    order by o.at
    limit :batch
""")


@dataclass(frozen=True)
class AppendedBatch:
    """What one pass did: how many leaves got a place, from where the next looks, and whether more are waiting."""

    count: int
    horizon: int
    more: bool
    head: Head | None


def lock(session: Session) -> bool:
    """Become the one sequencer until this transaction ends; False where another is. Never waits."""
    return bool(session.scalar(text("select clearance.take_audit_turn()")))


def append_batch(session: Session, *, horizon: int = 0, batch: int = BATCH) -> AppendedBatch:
    """Append the committed leaves that have no place yet, up to `batch`, and publish a head over them.

    `horizon` is a transaction id below which every leaf is known to have its place: 0 looks at all of them.
    READ COMMITTED: the snapshot is read before the leaves, so a leaf below the new horizon was visible to this pass.
    """
    oldest, following = session.execute(SNAPSHOT).one()
    if horizon > following:
        horizon = 0  # the database was restored from a backup and counts transactions anew
    leaves = session.execute(UNPLACED, {"horizon": horizon, "batch": batch}).all()
    more = len(leaves) == batch
    horizon = horizon if more else oldest
    if not leaves:
        return AppendedBatch(0, horizon, more=False, head=None)
    published = session.execute(PLACE, {"ids": [row.id for row in leaves]}).one()
    return AppendedBatch(len(leaves), horizon, more, Head(published.size, bytes(published.root)))


def close_abandoned(
    session: Session, *, older_than: dt.timedelta, since: dt.datetime = BEGINNING
) -> tuple[list[uuid.UUID], dt.datetime]:
    """Close, as abandoned, the trails opened more than `older_than` ago; gives them, and from when the next pass looks.

    An answer that closes by itself after all adds its own record: both stand, and the later one tells how it ended.
    """
    now = session.scalars(text("select clock_timestamp()")).one()
    until = now - older_than
    trails = list(session.scalars(OPEN_TRAILS, {"since": since, "until": until, "batch": BATCH}))
    for trail in trails:
        reason = f"not closed within {older_than.total_seconds():.0f} s"
        record(session, AnswerClosed(actor=SEQUENCER, trail=trail, outcome="abandoned", reason=reason))
    return trails, since if len(trails) == BATCH else max(since, until - OVERLAP)
