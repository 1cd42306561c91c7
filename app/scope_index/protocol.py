"""The vector index as the dense leg uses it: candidates among some scopes for a reader of some snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.scope_index.snapshot import Snapshot


@dataclass(frozen=True)
class Entries:
    """Rows of the index: chunk ids (n,), their scopes (n,), their codes (n, width)."""

    ids: NDArray[np.int64]
    scopes: NDArray[np.int32]
    codes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def join(cls, *parts: "Entries") -> "Entries":
        """The rows of all parts, in this order."""
        return cls(
            np.concatenate([p.ids for p in parts]),
            np.concatenate([p.scopes for p in parts]),
            np.concatenate([p.codes for p in parts]),
        )

    def pick(self, where: NDArray[np.bool_]) -> "Entries":
        """The rows for which `where` (n,) is true."""
        return Entries(self.ids[where], self.scopes[where], self.codes[where])


@dataclass(frozen=True)
class ScanResult:
    """Scored entries, best first, and the bound down to which they are complete.

    `ids` (n,) are chunk ids and may repeat; `scores` (n,) inner products with the codes, float32. Every entry whose
    score is above `bound` is included, of those equal to it only some; it is minus infinity if nothing was left out.

    They include all that the reader's snapshot sees in those scopes, and maybe what it does not see: entries that were
    deleted, moved, or are too new. Only the database can tell.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    bound: float


class IndexUnavailable(Exception):
    """The index gave a view and cannot answer through it any more: PostgreSQL has to."""


class IndexView(Protocol):
    """The index as one reader may use it."""

    @property
    def since(self) -> Snapshot:
        """The snapshot that the index is complete for; the reader supplies the rows newer than it (the delta)."""

    def scan(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> ScanResult:
        """At least the `depth` best entries of ascending `scopes` for a unit vector of shape (dimensions,).

        Raises IndexUnavailable.
        """

    def score(self, query: NDArray[np.float32], delta: Entries) -> ScanResult:
        """All entries of the delta with the scores that they would have in the index."""


class VectorIndex(Protocol):
    """The vector index. Safe to call from several threads at once."""

    def view(self, snapshot: Snapshot) -> IndexView | None:
        """The index for a reader of this snapshot; None if it is not loaded or lacks what the reader still sees."""

    def close(self) -> None:
        """Stop the work in the background."""


class NoIndex:
    """For an installation without a scope index: PostgreSQL answers every query."""

    def view(self, snapshot: Snapshot) -> None:
        del snapshot

    def close(self) -> None:
        """Does nothing."""


def merge(scans: Sequence[ScanResult], depth: int) -> ScanResult:
    """The best `depth` of the scans of several parts of the index, each complete above its own bound. Pure."""
    ids = np.concatenate([np.empty(0, np.int64), *(scan.ids for scan in scans)])
    scores = np.concatenate([np.empty(0, np.float32), *(scan.scores for scan in scans)])
    order = np.lexsort((ids, -scores))
    bound = max((scan.bound for scan in scans), default=-np.inf)
    if len(order) > depth:
        bound = max(bound, float(scores[order[depth - 1]]))
    kept = order[: np.count_nonzero(scores >= bound)]
    return ScanResult(ids[kept], scores[kept], float(bound))
