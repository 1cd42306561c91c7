"""Quantiles, bootstrap intervals and distances of samples. Pure; times are milliseconds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 1_000
LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 3 if self.high <= 1.005 else 2 if self.value < 10 else 1 if self.value < 100 else 0
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}–{self.high:.{digits}f}]"


def bootstrap(
    statistic: Callable[..., Any], *samples: Sequence[float], paired: bool = False, seed: int = 0
) -> Interval:
    """`statistic` of the samples, along the last axis, and of samples drawn from them with replacement.

    `paired` draws the n-th values of all samples together, so that what they share cancels out. Raises ValueError for
    an empty sample, and for pairs of unequal lengths.
    """
    given = [np.asarray(sample, np.float64) for sample in samples]
    if not all(map(len, given)):
        raise ValueError("no values")
    if paired and len({len(sample) for sample in given}) > 1:
        raise ValueError("pairs need equal lengths")
    rng = np.random.default_rng(seed)
    places = [rng.integers(len(sample), size=(RESAMPLES, len(sample))) for sample in given]
    drawn = [sample[places[0] if paired else place] for sample, place in zip(given, places, strict=True)]
    low, high = np.quantile(statistic(*drawn), LEVEL)
    return Interval(float(statistic(*given)), float(low), float(high))


def quantile(values: Sequence[float], share: float) -> Interval:
    """The value below which this share lies, linear between neighbours."""
    return bootstrap(lambda rows: np.quantile(rows, share, axis=-1), values)


def mean(values: Sequence[float]) -> Interval:
    return bootstrap(lambda rows: rows.mean(axis=-1), values)


def ratio(over: Sequence[float], under: Sequence[float], share: float, *, paired: bool = False) -> Interval:
    """A quantile of one sample over the same quantile of the other."""

    def divided(a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
        return np.quantile(a, share, axis=-1) / np.quantile(b, share, axis=-1)

    return bootstrap(divided, over, under, paired=paired)


def p50_p95(values: Sequence[float], digits: int = 2) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in np.quantile(values, (0.5, 0.95)))


def ks_distance(a: ArrayLike, b: ArrayLike) -> float:
    """The largest difference of the two empirical distributions, from 0 to 1 (Kolmogorov and Smirnov).

    It is also the most by which a threshold on one value can do better than a coin at telling the two apart.
    """
    first, second = np.sort(np.asarray(a, float)), np.sort(np.asarray(b, float))
    if not len(first) or not len(second):
        raise ValueError("a distance needs values on both sides")
    both = np.concatenate([first, second])
    below = np.searchsorted(first, both, side="right") / len(first)
    return float(np.abs(below - np.searchsorted(second, both, side="right") / len(second)).max())


def noise_line(n: int, m: int, alpha: float = 0.05) -> float:
    """The distance that two samples of one continuous distribution exceed with probability `alpha` (large n and m)."""
    return math.sqrt(-math.log(alpha / 2) / 2) * math.sqrt((n + m) / (n * m))
