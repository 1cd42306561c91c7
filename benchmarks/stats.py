"""Quantiles, bootstrap intervals and distances of samples. Pure; times are milliseconds."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 3 if self.high <= 1.005 else 2 if self.value < 10 else 1 if self.value < 100 else 0
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}–{self.high:.{digits}f}]"


def bootstrap(statistic: Callable[..., Any], *samples: Sequence[float], paired: bool = False) -> Interval:
    """`statistic` of the samples, and the percentiles of its bootstrap; it takes `axis`.

    `paired` draws the n-th values of all samples together, so that what they share cancels out. Raises ValueError for
    fewer than two values.
    """
    found = stats.bootstrap(samples, statistic, paired=paired, n_resamples=1_000, method="percentile", rng=0)
    low, high = found.confidence_interval
    return Interval(float(statistic(*map(np.asarray, samples), axis=-1)), float(low), float(high))


def quantile(values: Sequence[float], share: float) -> Interval:
    """The value below which this share lies, linear between neighbours."""
    return bootstrap(functools.partial(np.quantile, q=share), values)


def mean(values: Sequence[float]) -> Interval:
    return bootstrap(np.mean, values)


def ratio(over: Sequence[float], under: Sequence[float], share: float, *, paired: bool = False) -> Interval:
    """A quantile of one sample over the same quantile of the other."""
    return bootstrap(
        lambda a, b, axis: np.quantile(a, share, axis=axis) / np.quantile(b, share, axis=axis),
        over,
        under,
        paired=paired,
    )


def p50_p95(values: Sequence[float], digits: int = 2) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in np.quantile(values, (0.5, 0.95)))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score."""
    if not n:
        return 0.0, 1.0
    z, share = 1.96, hits / n
    centre, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n))


def ks_distance(a: ArrayLike, b: ArrayLike) -> float:
    """The largest difference of the two empirical distributions, from 0 to 1 (Kolmogorov and Smirnov).

    It is also the most by which a threshold on one value can do better than a coin at telling the two apart.
    """
    return float(stats.ks_2samp(a, b, method="asymp").statistic)


def noise_line(n: int, m: int, alpha: float = 0.05) -> float:
    """The distance that two samples of one continuous distribution exceed with probability `alpha` (large n and m)."""
    return float(stats.kstwobign.isf(alpha)) * math.sqrt((n + m) / (n * m))
