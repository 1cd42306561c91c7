"""Is there anything visible that answers the question? A pure function of the hits, with a threshold set from data."""

from collections.abc import Sequence

from app.retrieval.passage import Hit

# A hit's support is its cosine plus a share of its term coverage. How the threshold was set and what it costs on each
# side: docs/answers.md; `clearance eval --answers quote` measures it.
COVERAGE_WEIGHT = 0.75
THRESHOLD = 0.62
# A question that leans on earlier turns and is supported less than this even with them is asked back.
ASK_BACK_BELOW = 0.70


def support(hit: Hit) -> float:
    """How well one passage supports an answer: from about 0 (unrelated) to 1.75 (the question itself)."""
    return hit.similarity + COVERAGE_WEIGHT * hit.coverage


def supported(hits: Sequence[Hit]) -> bool:
    """Whether any hit supports an answer well enough to give one."""
    return best_support(hits) >= THRESHOLD


def best_support(hits: Sequence[Hit]) -> float:
    """The support of the hit that supports an answer best; 0 without hits."""
    return max((support(hit) for hit in hits), default=0.0)
