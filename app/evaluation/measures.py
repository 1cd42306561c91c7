"""Measures of one ranking, and what their means are worth. Pure.

A ranking lists the documents of the passages found, best first; a document that gave several passages stands there as
often. Recall, nDCG and MRR look at distinct documents, `first_passages` at the passages themselves.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEPTHS = (1, 3, 5, 10, 20)
FIRST = 5
DRAWS = 2_000
SEED = 20_260

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % bootstrap interval, over `count` questions."""

    mean: float
    low: float
    high: float
    count: int


def measure(ranking: Sequence[str], gold: Mapping[str, float]) -> dict[str, float]:
    """All measures of one question. `gold`: documents with gains above zero, at least one."""
    if not gold or min(gold.values()) <= 0:
        raise ValueError("a question needs an answer, and each answer a gain above zero")
    documents = list(dict.fromkeys(ranking))
    measured = {f"recall@{k}": recall(documents, gold, k) for k in DEPTHS}
    return measured | {
        "hit@10": float(any(d in gold for d in documents[:10])),
        "first passages": float(any(d in gold for d in ranking[:FIRST])),
        "nDCG@10": ndcg(documents, gold, 10),
        "MRR@10": reciprocal_rank(documents, gold, 10),
    }


def recall(documents: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """The share of the answers among the first `k` distinct documents."""
    return sum(d in gold for d in documents[:k]) / len(gold)


def ndcg(documents: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """Discounted gain of the first `k` distinct documents, by that of the best order (linear gains, as trec_eval)."""
    found = math.fsum(gold.get(d, 0.0) / math.log2(rank + 1) for rank, d in enumerate(documents[:k], start=1))
    gains = sorted(gold.values(), reverse=True)[:k]
    return found / math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def reciprocal_rank(documents: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """One by the rank of the first answer among the first `k` distinct documents, 0 if there is none."""
    return next((1 / rank for rank, d in enumerate(documents[:k], start=1) if d in gold), 0.0)


def mean(values: Sequence[float] | Floats) -> Mean:
    """The mean of one value a question; the interval is that of questions drawn anew, from a fixed seed."""
    given = np.asarray(values, np.float64)
    if not len(given):
        raise ValueError("there is no mean of nothing")
    low, high = np.quantile(_resampled(given), (0.025, 0.975))
    return Mean(float(given.mean()), float(low), float(high), len(given))


def difference(values: Sequence[float] | Floats, others: Sequence[float] | Floats) -> Mean:
    """The mean of what one system has over another on the same questions, in the same order."""
    given, against = np.asarray(values, np.float64), np.asarray(others, np.float64)
    if given.shape != against.shape:
        raise ValueError("systems are compared on the same questions")
    return mean(given - against)


def _resampled(values: Floats) -> Floats:
    """Means of DRAWS samples of the same size, with repeats: shape (DRAWS,)."""
    random = np.random.default_rng(SEED)
    means: Floats = np.array([values[random.integers(0, len(values), len(values))].mean() for _ in range(DRAWS)])
    return means
