"""What each feature counts: fitted on questions that the authors of two handbooks asked and answered themselves.

`python -m benchmarks.answers.quotes` prints what they reach, each handbook with the weights of the other one, and what
each feature brings; docs/answers.md has the table.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.answer.quotes.candidates import FEATURES

WEIGHTS = {
    "meaning": 5.7, "meaning behind": 0.9, "words": 1.7, "words with headings": 2.6, "words in passage": 0.9,
    "document score": 1.8, "hit score": 1.1, "evidence": 0.7, "yes or no": 2.0, "row": -1.0, "item": -0.8,
    "question heading": 0.6,
}  # fmt: skip
if tuple(WEIGHTS) != FEATURES:
    raise RuntimeError("each feature has one weight, in their order")
# Taken from a block's score for each block of the same passage that is shown already: the next best says more.
REPEATED = 0.7


def scores(features: NDArray[np.float64], weights: Mapping[str, float] = WEIGHTS) -> NDArray[np.float64]:
    """The score of each candidate: differences count, as the logarithm of odds."""
    result: NDArray[np.float64] = features @ np.array([weights[name] for name in FEATURES], np.float64)
    return result
