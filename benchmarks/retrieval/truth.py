"""The exact answer over the visible vectors, and what an answer of a peer is worth against it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.retrieval.cases import Case, mask
from benchmarks.retrieval.world import Floats, Integers, World

# Peers add up the products in other orders: scores this close count as tied.
TIED = 1e-5


@dataclass(frozen=True)
class Judged:
    """`recall` from 0 to 1, rows that the caller may not see, and rows that are missing."""

    recall: float
    hidden: int
    short: int


@dataclass(frozen=True)
class Truth:
    """The best visible ids of a case, best first, and the similarities of all vectors to its question."""

    best: Integers
    scores: Floats

    def judge(self, world: World, case: Case, found: Sequence[int], k: int) -> Judged:
        """An id counts as right if its similarity is at least that of the k-th best, so that ties are no mistakes."""
        wanted = min(k, len(self.best))
        rows = np.unique(np.asarray(found[:k], np.int64))
        rows = rows[(rows >= 0) & (rows < world.size)]
        allowed = np.isin(world.scopes[rows], case.caller.scopes)
        line = self.scores[self.best[wanted - 1]] - TIED
        right = int((allowed & (self.scores[rows] >= line)).sum())
        return Judged(min(1.0, right / wanted), int((~allowed).sum()), max(0, wanted - len(rows)))


def truth_of(world: World, case: Case, scores: Floats, depth: int) -> Truth:
    """Exact, given the `scores` (n,) of all vectors; ties go to the lower id."""
    seen = np.flatnonzero(mask(world, case.caller))
    order = np.lexsort((seen, -scores[seen]))[:depth] if len(seen) <= 4 * depth else _top(scores, seen, depth)
    return Truth(seen[order], scores)


def _top(scores: Floats, seen: Integers, depth: int) -> Integers:
    part = np.argpartition(-scores[seen], 2 * depth)[: 2 * depth]
    return np.asarray(part[np.lexsort((seen[part], -scores[seen[part]]))][:depth], np.int64)
