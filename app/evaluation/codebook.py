"""Measures how many candidates by code are needed to include the nearest by vector. Pure.

The codebook knows no document, so how well its codes order a corpus depends on the embedder's geometry, and no figure
of ours holds for another one. Codes are scanned as the service scans them.
"""

import bisect
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.evaluation.measures import Floats, Mean, mean
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries
from app.scope_index.segment import Segment

# The recall required of the nearest 10 and 50: for the lower end of the 95 % interval, since the mean of a sample
# passes by luck every other time.
TARGET_RECALL = {10: 0.995, 50: 0.99}
NEAREST = max(TARGET_RECALL)
DEPTHS = (50, 100, 200, 300, 450, 600, 1_000, 2_000)
# The exact step reads as many rows, so no greater depth is measured.
MAX_DEPTH = 5_000
NOT_OWN = -1

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class SampleVectors:
    """Unit vectors to search with, shape (s, dimensions); `own` (s,) are the passages they come from, or NOT_OWN."""

    vectors: Vectors
    own: Ids


@dataclass(frozen=True)
class VectorBlock:
    """Some passages: their ids (n,), vectors (n, dimensions) and codes (n, width)."""

    ids: Ids
    vectors: Vectors
    codes: NDArray[np.uint8]


@dataclass(frozen=True)
class DepthRecall:
    """Recall of the nearest 10 and 50 at a depth."""

    depth: int
    recall: dict[int, Mean]


class TooFewPassages(ValueError):
    """There are fewer than NEAREST passages besides the sampled one."""


def ranks(
    quantizer: ProductQuantizer, sample: SampleVectors, blocks: Iterable[VectorBlock], *, max_depth: int = MAX_DEPTH
) -> Ids:
    """The ranks by code, from 1, of the nearest passages of each vector, nearest first: shape (s, NEAREST).

    A rank is one more than the number of passages whose codes score higher, as the service keeps all that tie at the
    cut. It is exact up to `max_depth`; beyond, only known to be larger. One block at a time is held. Raises
    TooFewPassages.
    """
    collector = _RankCollector.create(quantizer, sample, max_depth)
    for block in blocks:
        collector.add(block)
    return collector.ranks()


def recall(found: Ids, k: int, depth: int) -> Floats:
    """The share of the `k` nearest of each vector that is found at this depth: shape (s,)."""
    shares: Floats = (found[:, :k] <= depth).mean(1)
    return shares


def table(found: Ids, depths: Iterable[int] = DEPTHS) -> list[DepthRecall]:
    """Recall at each of these depths, with 95 % intervals; none may exceed the ranks' `max_depth`."""
    return [DepthRecall(depth, {k: mean(recall(found, k, depth)) for k in TARGET_RECALL}) for depth in depths]


def required_depth(found: Ids, *, max_depth: int = MAX_DEPTH) -> int | None:
    """The least depth at which the lower ends of the intervals reach TARGET_RECALL; None if above `max_depth`."""

    def enough(depth: int) -> bool:
        # Intervals use the same bootstrap samples at every depth, so their ends rise with the depth.
        return all(mean(recall(found, k, depth)).low >= share for k, share in TARGET_RECALL.items())

    depth = 1 + bisect.bisect_left(range(1, max_depth + 1), True, key=enough)
    return depth if depth <= max_depth else None


@dataclass
class _RankCollector:
    """For each vector the nearest passages so far with their codes, and the highest scores by code."""

    quantizer: ProductQuantizer
    sample: SampleVectors
    rotated: Vectors
    near: Vectors
    near_ids: Ids
    near_codes: NDArray[np.uint8]
    scores: Vectors

    @classmethod
    def create(cls, quantizer: ProductQuantizer, sample: SampleVectors, max_depth: int) -> "_RankCollector":
        count = len(sample.vectors)
        return cls(
            quantizer=quantizer,
            sample=sample,
            rotated=quantizer.rotate(sample.vectors),
            near=np.full((count, NEAREST), -np.inf, np.float32),
            near_ids=np.full((count, NEAREST), NOT_OWN, np.int64),
            near_codes=np.zeros((count, NEAREST, quantizer.width), np.uint8),
            scores=np.full((count, max_depth), -np.inf, np.float32),
        )

    def add(self, block: VectorBlock) -> None:
        # The database gets the query in half precision too.
        exact = self.sample.vectors.astype(np.float16).astype(np.float32) @ block.vectors.T
        exact[block.ids[None] == self.sample.own[:, None]] = -np.inf
        segment = _segment(self.quantizer, block.ids, block.codes)
        for row in range(len(exact)):
            self._add_near(row, exact[row], block)
            found, scores = _scan(segment, self.rotated[row], self.scores.shape[1] + 1)
            both = np.concatenate((self.scores[row], scores[found != self.sample.own[row]]))
            self.scores[row] = -np.partition(-both, self.scores.shape[1] - 1)[: self.scores.shape[1]]

    def _add_near(self, row: int, exact: Vectors, block: VectorBlock) -> None:
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
            places, scanned = _scan(_segment(self.quantizer, np.arange(NEAREST), codes), self.rotated[row], NEAREST)
            scores = np.empty(NEAREST, np.float32)
            scores[places] = scanned
            # A score is a function of vector and code alone, so it is the same in every segment.
            found[row] = 1 + (self.scores[row][None] > scores[:, None]).sum(1)
        return found


def _segment(quantizer: ProductQuantizer, ids: Ids, codes: NDArray[np.uint8]) -> Segment:
    return Segment(quantizer, Entries(ids, np.zeros(len(ids), np.int32), codes))


def _scan(segment: Segment, rotated: Vectors, depth: int) -> tuple[Ids, Vectors]:
    found = segment.scan(rotated[None], np.zeros(1, np.int32), depth)
    return np.concatenate([f.ids for f in found]), np.concatenate([f.scores for f in found])


def _highest(values: Vectors) -> NDArray[np.intp]:
    """The indices of the NEAREST highest values, in no order."""
    if len(values) <= NEAREST:
        return np.arange(len(values))
    return np.argpartition(-values, NEAREST - 1)[:NEAREST]
