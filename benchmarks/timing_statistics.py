"""How far apart two samples of latencies lie, and how far they would lie by chance. Values are milliseconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.timings import quantile

RESAMPLES = 2_000


@dataclass(frozen=True)
class Ratio:
    """A ratio and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float

    @property
    def covers_one(self) -> bool:
        """Whether no difference lies in the interval."""
        return self.low <= 1.0 <= self.high

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Compared:
    """Two samples of equal length, taken in pairs.

    `distance` is that of Kolmogorov and Smirnov, which is also the most by which a threshold on one answer's time can
    do better than a coin at telling the two apart; `line` is what chance exceeds in 5 % of cases.
    """

    n: int
    distance: float
    line: float
    medians: tuple[float, float]
    p95s: tuple[float, float]
    median_ratio: Ratio
    p95_ratio: Ratio

    @property
    def above(self) -> bool:
        """Whether the distance is more than chance gives in 95 % of cases."""
        return self.distance > self.line


def ks_distance(a: Sequence[float], b: Sequence[float]) -> float:
    """The largest difference of the two empirical distributions, from 0 to 1; ties count on both sides at once."""
    if not len(a) or not len(b):
        raise ValueError("a distance needs values on both sides")
    first, second = np.sort(np.asarray(a, float)), np.sort(np.asarray(b, float))
    both = np.concatenate([first, second])
    below = np.searchsorted(first, both, side="right") / len(first)
    return float(np.abs(below - np.searchsorted(second, both, side="right") / len(second)).max())


def noise_line(n: int, m: int, alpha: float = 0.05) -> float:
    """The distance that two samples of one continuous distribution exceed with probability `alpha` (large n and m)."""
    return math.sqrt(-math.log(alpha / 2) / 2) * math.sqrt((n + m) / (n * m))


def paired_ratio(a: Sequence[float], b: Sequence[float], share: float, rng: np.random.Generator) -> Ratio:
    """b's quantile over a's, with an interval that draws whole pairs, so that what both rounds shared cancels out."""
    first, second = np.asarray(a, float), np.asarray(b, float)
    if first.shape != second.shape:
        raise ValueError("pairs need equal lengths")
    drawn = rng.integers(0, len(first), (RESAMPLES, len(first)))
    ratios = _quantiles(second[drawn], share) / _quantiles(first[drawn], share)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Ratio(quantile(b, share) / quantile(a, share), float(low), float(high))


def compare(a: Sequence[float], b: Sequence[float], rng: np.random.Generator) -> Compared:
    """All figures of two samples whose n-th values were taken one after the other."""
    return Compared(
        n=len(a),
        distance=ks_distance(a, b),
        line=noise_line(len(a), len(b)),
        medians=(quantile(a, 0.5), quantile(b, 0.5)),
        p95s=(quantile(a, 0.95), quantile(b, 0.95)),
        median_ratio=paired_ratio(a, b, 0.5, rng),
        p95_ratio=paired_ratio(a, b, 0.95, rng),
    )


def _quantiles(rows: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Of each row, by nearest rank as `quantile` does it."""
    place = round(share * (rows.shape[1] - 1))
    return np.asarray(np.partition(rows, place, axis=1)[:, place])
