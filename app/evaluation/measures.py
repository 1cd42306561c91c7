"""Measures of one ranking, and means with confidence intervals. Pure.

A ranking lists the documents of the passages found, best first; a document with several passages is repeated. Recall,
nDCG and MRR count distinct documents, `first passages` the passages themselves.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEPTHS = (1, 3, 5, 10, 20)
FIRST_PASSAGES = 5
ALL_MEASURES = (*(f"recall@{k}" for k in DEPTHS), "hit@10", "first passages", "nDCG@10", "MRR@10")
BOOTSTRAP_SAMPLES = 2_000
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
    """All measures of one question. `gold` has at least one document, with gains above 0; else raises ValueError."""
    if not gold or min(gold.values()) <= 0:
        raise ValueError("a question needs an answer, and each answer a gain above zero")
    documents = list(dict.fromkeys(ranking))
    measured = {f"recall@{k}": recall(documents, gold, k) for k in DEPTHS}
    return measured | {
        "hit@10": float(any(d in gold for d in documents[:10])),
        "first passages": float(any(d in gold for d in ranking[:FIRST_PASSAGES])),
        "nDCG@10": ndcg(documents, gold, 10),
        "MRR@10": reciprocal_rank(documents, gold, 10),
    }


def recall(documents: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """The share of the answers among the first `k` distinct documents."""
    return sum(d in gold for d in documents[:k]) / len(gold)


def ndcg(documents: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """Discounted gain of the first `k` distinct documents, by the best possible (linear gains, as trec_eval)."""
    gained = math.fsum(gold.get(d, 0.0) / math.log2(rank + 1) for rank, d in enumerate(documents[:k], start=1))
    gains = sorted(gold.values(), reverse=True)[:k]
    return gained / math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def reciprocal_rank(documents: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """The inverse rank of the first answer among the first `k` distinct documents, 0 if there is none."""
    return next((1 / rank for rank, d in enumerate(documents[:k], start=1) if d in gold), 0.0)


def mean(values: Sequence[float] | Floats) -> Mean:
    """The mean of one value per question; the interval is a bootstrap over questions with a fixed seed."""
    array = np.asarray(values, np.float64)
    if not len(array):
        raise ValueError("there is no mean of nothing")
    low, high = np.quantile(_resampled_means(array), (0.025, 0.975))
    return Mean(float(array.mean()), float(low), float(high), len(array))


def difference(values: Sequence[float] | Floats, others: Sequence[float] | Floats) -> Mean:
    """The mean advantage of one system over another on the same questions, in the same order."""
    ours, theirs = np.asarray(values, np.float64), np.asarray(others, np.float64)
    if ours.shape != theirs.shape:
        raise ValueError("systems are compared on the same questions")
    return mean(ours - theirs)


def _resampled_means(values: Floats) -> Floats:
    """Means of samples of the same size, with replacement: shape (BOOTSTRAP_SAMPLES,)."""
    random = np.random.default_rng(SEED)
    means: Floats = np.array(
        [values[random.integers(0, len(values), len(values))].mean() for _ in range(BOOTSTRAP_SAMPLES)]
    )
    return means
