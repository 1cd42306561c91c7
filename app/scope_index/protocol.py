"""What the dense leg asks of the lists: who could be near, among these scopes, for a reader of this snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.scope_index.snapshot import Snapshot


@dataclass(frozen=True)
class Entries:
    """Rows of the lists: chunk ids (n,), their scopes (n,), their codes (n, width)."""

    ids: NDArray[np.int64]
    scopes: NDArray[np.int32]
    codes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def join(cls, *parts: "Entries") -> "Entries":
        """All of them, in this order."""
        return cls(
            np.concatenate([p.ids for p in parts]),
            np.concatenate([p.scopes for p in parts]),
            np.concatenate([p.codes for p in parts]),
        )

    def pick(self, where: NDArray[np.bool_]) -> "Entries":
        """Those for which `where` (n,) is true."""
        return Entries(self.ids[where], self.scopes[where], self.codes[where])


@dataclass(frozen=True)
class Candidates:
    """Entries of the lists, best first, and how far they are known.

    `ids` (n,) are chunk ids and may repeat; `scores` (n,) inner products with the codes, float32. Every entry whose
    score is above `bound` is among them, of those that are equal to it only some; it is minus infinity when nothing
    was left out.

    They hold all that the reader's snapshot sees in those scopes, and may hold what it does not see: entries that
    were deleted, moved, or are too new. Only the database can tell.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    bound: float


class ListsLost(Exception):
    """The lists cannot answer any more, though a view was given: PostgreSQL has to."""


class View(Protocol):
    """The lists as one reader may use them."""

    @property
    def since(self) -> Snapshot:
        """What the reader sees and this snapshot does not, the lists may lack: the reader brings it along."""

    def candidates(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> Candidates:
        """At least the `depth` best entries of ascending `scopes` for a unit vector of shape (dimensions,).

        Raises ListsLost.
        """

    def scored(self, query: NDArray[np.float32], fresh: Entries) -> Candidates:
        """What the reader brings along, all of it, with the scores that it would have in the lists."""


class Lists(Protocol):
    """The vector index. Safe to call from several threads at once."""

    def view(self, snapshot: Snapshot) -> View | None:
        """The lists for a reader of this snapshot; None if they are not loaded, or have dropped what it still sees."""

    def close(self) -> None:
        """Stop what runs in the background."""


class NoLists:
    """For an installation without them: PostgreSQL answers every query."""

    def view(self, snapshot: Snapshot) -> None:
        """There is none."""
        del snapshot

    def close(self) -> None:
        """Nothing runs."""


def merge(found: Sequence[Candidates], depth: int) -> Candidates:
    """The candidates of several parts of the lists, each complete above its own bound, as those of the whole. Pure."""
    ids = np.concatenate([np.empty(0, np.int64), *(n.ids for n in found)])
    scores = np.concatenate([np.empty(0, np.float32), *(n.scores for n in found)])
    order = np.lexsort((ids, -scores))
    bound = max((near.bound for near in found), default=-np.inf)
    if len(order) > depth:
        # Nobody asked for more.
        bound = max(bound, float(scores[order[depth - 1]]))
    reached = order[: np.count_nonzero(scores >= bound)]
    return Candidates(ids[reached], scores[reached], float(bound))
