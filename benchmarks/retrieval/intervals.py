"""Quantiles, ratios and growth with intervals. Pure; times are milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float


def quantile(values: Sequence[float], share: float, *, seed: int = 0) -> Interval:
    """The value below which this share lies, linear between neighbours. Raises ValueError for no values."""
    given = _given(values)
    drawn = _quantiles(_resampled(given, seed), share)
    return Interval(float(np.quantile(given, share)), *_bounds(drawn))


def mean(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The mean. Raises ValueError for no values."""
    given = _given(values)
    return Interval(float(given.mean()), *_bounds(_resampled(given, seed).mean(axis=1)))


def ratio(values: Sequence[float], ruler: Sequence[float], share: float, *, seed: int = 0) -> Interval:
    """A quantile over the same quantile of the ruler's times; both are drawn anew, independently."""
    over, under = _given(values), _given(ruler)
    drawn = _quantiles(_resampled(over, seed), share) / _quantiles(_resampled(under, seed + 1), share)
    return Interval(float(np.quantile(over, share) / np.quantile(under, share)), *_bounds(drawn))


@dataclass(frozen=True)
class Growth:
    """`value = factor · size ** exponent`, with the standard error of the exponent (nan for two points)."""

    factor: float
    exponent: float
    error: float


def growth(sizes: Sequence[float], values: Sequence[float]) -> Growth:
    """Least squares in logarithms. Raises ValueError for fewer than two sizes or values that are not positive."""
    across, up = np.asarray(sizes, float), np.asarray(values, float)
    if len(across) != len(up) or len(set(across.tolist())) < 2 or (across <= 0).any() or (up <= 0).any():
        raise ValueError("a power law needs two sizes and positive values")
    x, y = np.log(across), np.log(up)
    exponent, intercept = np.polyfit(x, y, 1)
    left = y - (exponent * x + intercept)
    error = float("nan")
    if len(x) > 2:
        error = float(np.sqrt((left @ left) / (len(x) - 2) / ((x - x.mean()) @ (x - x.mean()))))
    return Growth(float(np.exp(intercept)), float(exponent), error)


def _given(values: Sequence[float]) -> NDArray[np.float64]:
    given = np.asarray(values, np.float64)
    if given.ndim != 1 or not len(given):
        raise ValueError("no values")
    return given


def _resampled(given: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.asarray(given[rng.integers(len(given), size=(RESAMPLES, len(given)))])


def _quantiles(rows: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return np.asarray(np.quantile(rows, share, axis=1))


def _bounds(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(drawn, LEVEL)
    return float(low), float(high)
