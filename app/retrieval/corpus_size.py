"""How much a caller may see: from sums kept by scope, so that no passage has to be counted."""

from dataclasses import dataclass

from app.acl.visible import Visible
from app.db.session import ReadSession
from app.retrieval.bm25 import Corpus
from app.scope_index.snapshot import Snapshot


@dataclass(frozen=True)
class VisibleCorpus(Corpus):
    """The visible passages, and bounds of what the reader's transaction sees.

    The reader sees all that `snapshot` sees, and nothing of a transaction numbered `end` or above.
    """

    snapshot: Snapshot
    end: int


def visible_corpus(session: ReadSession, visible: Visible) -> VisibleCorpus:
    """The size of the visible corpus, exact in the transaction that resolved the scopes."""
    reported = Snapshot.parse(visible.snapshot)
    # A standby leaves out the running transactions, so its reader would seem to see what it does not; only those before
    # the first running one are certain. Where the session was opened decides, not what the server says now: a standby
    # promoted since would still give the old snapshot.
    certain = Snapshot(reported.xmin, reported.xmin, frozenset()) if session.on_standby else reported
    passages, terms = (int(visible.sums[name].sum()) for name in ("passages", "terms"))
    return VisibleCorpus(passages, terms, certain, reported.xmax)
