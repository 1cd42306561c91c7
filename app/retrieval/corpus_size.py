"""How much a caller may see: from sums kept by scope, so that no passage has to be counted."""

from dataclasses import dataclass

from app.acl.visible import Visible
from app.db.session import ReadSession
from app.scope_index.snapshot import Snapshot


@dataclass(frozen=True)
class Volume:
    """Visible passages, their length in terms together, and what the reader sees.

    All that `snapshot` sees the reader sees too; nothing of a transaction from `end` on.
    """

    passages: int
    terms: int
    snapshot: Snapshot
    end: int


def volume(session: ReadSession, visible: Visible) -> Volume:
    """The visible volume, exact in the snapshot of the transaction that resolved the scopes."""
    told = Snapshot.parse(visible.snapshot)
    # A standby leaves out who is running: as told, its reader would see transactions that it does not see. Those before
    # the first that runs are sure. Where the session was opened decides, not what the server says now: promoted since,
    # it would still tell the old snapshot.
    sure = Snapshot(told.xmin, told.xmin, frozenset()) if session.on_standby else told
    return Volume(int(visible.sums["passages"].sum()), int(visible.sums["terms"].sum()), sure, told.xmax)
