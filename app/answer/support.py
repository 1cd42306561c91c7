"""Does anything visible answer the question, and how surely does a block? Pure; thresholds set from data.

How they were set and what they cost on each side: docs/answers.md. `benchmarks.answers.quotes` prints the curves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.answer.events import Confidence
from app.retrieval.passage import Hit

# Logarithm of the odds that a page which answers is among what the asker may read.
ANSWERABLE = {"score": 0.75, "similarity": 3.8, "share": 0.8, "bias": -9.1}
MIN_ANSWERABLE = -1.6
# Logarithm of the odds that a block is from the section that answers: by the share of all candidates' odds that it has,
# and by what speaks for there being an answer.
SURE = {"share of odds": 1.2, "answerable": 0.35, "bias": 0.4}
MIN_HIGH, MIN_MEDIUM = 0.25, -0.9
# A question that leans on earlier turns is asked back if no hit has so much of its cosine and, in this share, of its
# words' weight even with them.
COVERAGE_WEIGHT, ASK_BACK_BELOW = 0.75, 0.70


@dataclass(frozen=True)
class QuoteSupport:
    """What speaks for an answer: the best block's score; over the hits, the best cosine and the best share of BM25."""

    score: float
    similarity: float
    share: float

    @property
    def answerable(self) -> float:
        """The logarithm of the odds that something visible answers."""
        return (
            ANSWERABLE["score"] * self.score
            + ANSWERABLE["similarity"] * self.similarity
            + ANSWERABLE["share"] * self.share
            + ANSWERABLE["bias"]
        )


def gather(hits: Sequence[Hit], scores: NDArray[np.float64]) -> QuoteSupport:
    """What speaks for an answer in these hits and in the scores of their blocks."""
    return QuoteSupport(
        score=float(scores.max(initial=0.0)),
        similarity=max((hit.similarity for hit in hits), default=0.0),
        share=max((hit.ranks.share for hit in hits), default=0.0),
    )


def answerable(found: QuoteSupport) -> bool:
    """Whether to answer at all, or to say that nothing does."""
    return found.answerable >= MIN_ANSWERABLE


def block_odds(found: QuoteSupport, scores: NDArray[np.float64], number: int) -> float:
    """The logarithm of the odds that a block, by its number among the candidates, is from the section that answers."""
    share = float(scores[number]) - math.log(float(np.exp(scores - scores.max()).sum())) - float(scores.max())
    return SURE["share of odds"] * share + SURE["answerable"] * found.answerable + SURE["bias"]


def confidence(odds: float) -> Confidence:
    """The band of a block's odds."""
    return "high" if odds >= MIN_HIGH else "medium" if odds >= MIN_MEDIUM else "low"


def best_support(hits: Sequence[Hit]) -> float:
    """The cosine and the share of the words' weight of the hit that has most of both; 0 without hits."""
    return max((hit.similarity + COVERAGE_WEIGHT * hit.coverage for hit in hits), default=0.0)
