"""How deep one has to look by code for what is nearest by vector, measured on vectors at hand. Pure.

The codebook knows no document, so how well its codes order a corpus is a matter of the embedder's geometry, and no
figure of ours holds for another one. Codes are scanned by the very scan that the service uses.
"""

import bisect
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.evaluation.measures import Floats, Mean, mean
from app.indexing.quantizer import Codebook
from app.scope_index.protocol import Entries
from app.scope_index.segment import Segment

# What must be found of the nearest 10 and 50, and how much of it: by the lower end of the 95 % interval, for the mean
# of a sample passes by luck every other time.
ENOUGH = {10: 0.995, 50: 0.99}
NEAREST = max(ENOUGH)
DEPTHS = (50, 100, 200, 300, 450, 600, 1_000, 2_000)
# Further down nobody looks: the exact step reads as many rows.
DEEPEST = 5_000
NOT_OWN = -1

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """Unit vectors to ask with, shape (s, dimensions); `own` (s,) are the passages they come from, or NOT_OWN."""

    vectors: Vectors
    own: Ids


@dataclass(frozen=True)
class Block:
    """Some passages: their ids (n,), vectors (n, dimensions) and codes (n, width)."""

    ids: Ids
    vectors: Vectors
    codes: NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """What is found of the nearest 10 and 50 if one looks so deep."""

    depth: int
    recall: dict[int, Mean]


class TooFewPassages(ValueError):
    """There are not NEAREST passages beside the one that asks."""


def ranks(book: Codebook, asked: Asked, blocks: Iterable[Block], *, deepest: int = DEEPEST) -> Ids:
    """The ranks by code, from 1, of the nearest passages of each vector, nearest first: shape (s, NEAREST).

    A rank is one more than the passages whose codes score higher, as the service keeps all that tie at the cut; it is
    right up to `deepest`, and larger than that where it is larger. One block at a time is held. Raises TooFewPassages.
    """
    collected = _Collected.nothing(book, asked, deepest)
    for block in blocks:
        collected.add(block)
    return collected.ranks()


def recall(found: Ids, k: int, depth: int) -> Floats:
    """The share of the `k` nearest of each vector that is found if one looks so deep: shape (s,)."""
    shares: Floats = (found[:, :k] <= depth).mean(1)
    return shares


def table(found: Ids, depths: Iterable[int] = DEPTHS) -> list[Row]:
    """Recall at each of these depths, with 95 % intervals; none may be deeper than the ranks are right."""
    return [Row(depth, {k: mean(recall(found, k, depth)) for k in ENOUGH}) for depth in depths]


def least(found: Ids, *, deepest: int = DEEPEST) -> int | None:
    """The least depth at which the lower ends of the intervals reach ENOUGH; None if that is below `deepest`."""

    def enough(depth: int) -> bool:
        # Intervals come from the same draws at every depth, so their ends only rise with it.
        return all(mean(recall(found, k, depth)).low >= share for k, share in ENOUGH.items())

    depth = 1 + bisect.bisect_left(range(1, deepest + 1), True, key=enough)
    return depth if depth <= deepest else None


@dataclass
class _Collected:
    """For each vector the nearest passages so far with their codes, and the highest scores by code."""

    book: Codebook
    asked: Asked
    turned: Vectors
    near: Vectors
    near_ids: Ids
    near_codes: NDArray[np.uint8]
    scores: Vectors

    @classmethod
    def nothing(cls, book: Codebook, asked: Asked, deepest: int) -> "_Collected":
        count = len(asked.vectors)
        return cls(
            book=book,
            asked=asked,
            turned=book.rotate(asked.vectors),
            near=np.full((count, NEAREST), -np.inf, np.float32),
            near_ids=np.full((count, NEAREST), NOT_OWN, np.int64),
            near_codes=np.zeros((count, NEAREST, book.width), np.uint8),
            scores=np.full((count, deepest), -np.inf, np.float32),
        )

    def add(self, block: Block) -> None:
        # As the database compares: it is given the question in half precision.
        exact = self.asked.vectors.astype(np.float16).astype(np.float32) @ block.vectors.T
        exact[block.ids[None] == self.asked.own[:, None]] = -np.inf
        segment = _segment(self.book, block.ids, block.codes)
        for row in range(len(exact)):
            self._add_near(row, exact[row], block)
            found, scores = _scanned(segment, self.turned[row], self.scores.shape[1] + 1)
            both = np.concatenate((self.scores[row], scores[found != self.asked.own[row]]))
            self.scores[row] = -np.partition(-both, self.scores.shape[1] - 1)[: self.scores.shape[1]]

    def _add_near(self, row: int, exact: Vectors, block: Block) -> None:
        best = _highest(exact)
        both = np.concatenate((self.near[row], exact[best]))
        ids = np.concatenate((self.near_ids[row], block.ids[best]))
        codes = np.concatenate((self.near_codes[row], block.codes[best]))
        order = np.lexsort((ids, -both))[:NEAREST]
        self.near[row], self.near_ids[row], self.near_codes[row] = both[order], ids[order], codes[order]

    def ranks(self) -> Ids:
        if not np.isfinite(self.near).all():
            raise TooFewPassages(f"each vector needs {NEAREST} passages beside its own")
        found = np.empty(self.near_ids.shape, np.int64)
        for row, codes in enumerate(self.near_codes):
            places, given = _scanned(_segment(self.book, np.arange(NEAREST), codes), self.turned[row], NEAREST)
            scores = np.empty(NEAREST, np.float32)
            scores[places] = given
            # A score is a function of vector and code alone: the same one in every segment.
            found[row] = 1 + (self.scores[row][None] > scores[:, None]).sum(1)
        return found


def _segment(book: Codebook, ids: Ids, codes: NDArray[np.uint8]) -> Segment:
    return Segment(book, Entries(ids, np.zeros(len(ids), np.int32), codes))


def _scanned(segment: Segment, turned: Vectors, depth: int) -> tuple[Ids, Vectors]:
    found = segment.scan(turned[None], np.zeros(1, np.int32), depth)
    return np.concatenate([f.ids for f in found]), np.concatenate([f.scores for f in found])


def _highest(values: Vectors) -> NDArray[np.intp]:
    """Where the NEAREST highest values are, in no order."""
    if len(values) <= NEAREST:
        return np.arange(len(values))
    return np.argpartition(-values, NEAREST - 1)[:NEAREST]
