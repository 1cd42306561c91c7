"""How much a caller may see: from sums kept by scope, so that no passage has to be counted."""

from dataclasses import dataclass

from sqlalchemy import text

from app.acl.visible import Visible
from app.db.session import ReadSession
from app.retrieval.lists.snapshot import Snapshot

# Passages in the visible scopes, their whole length in terms, and the snapshot in which this is so. From here on the
# transaction reads by plain index scans: what makes the planner take a bitmap is statistics of all rows (promise N3).
VOLUME = text(
    """
    select coalesce(sum(chunks), 0) as passages, coalesce(sum(terms), 0) as terms,
           cast(pg_current_snapshot() as text) as snapshot, set_config('enable_bitmapscan', 'off', true)
    from scope_volume
    where scope_id = any (cast(:scopes as int[]))
    """
)


@dataclass(frozen=True)
class Volume:
    """Visible passages, their length in terms together, and the reader's snapshot."""

    passages: int
    terms: int
    snapshot: Snapshot


def volume(session: ReadSession, visible: Visible) -> Volume:
    """The visible volume, exact in the snapshot of this transaction."""
    row = session.execute(VOLUME, {"scopes": visible.scope_array}).one()
    return Volume(int(row.passages), int(row.terms), Snapshot.parse(row.snapshot))
