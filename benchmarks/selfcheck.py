"""The judge of answers, against an example worked out by hand: `python -m benchmarks.selfcheck`."""

import numpy as np

from benchmarks.search.cases import Caller, Case, Judged, truth_of
from benchmarks.search.vectors import Vectors


def check_judge() -> None:
    """Six vectors, of which the caller sees all but the best: ties are no mistakes, hidden rows are no hits."""
    angles = np.array([0.0, 0.1, 0.1, 0.2, 0.3, 1.0])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    scopes = np.array([1, 0, 0, 0, 2, 2], np.int32)
    vectors = Vectors(rows, scopes, np.ones(3, np.bool_), np.array([[1, 0]], np.float32))
    case = Case("tiny", Caller(0, (0, 2)), 0, 5)
    truth = truth_of(vectors, case, rows @ vectors.questions[0], 10)
    assert truth.best.tolist() == [1, 2, 3, 4, 5]
    for answer, k, judged in (
        ([2], 1, Judged(1.0, 0, 0)),
        ([3], 1, Judged(0.0, 0, 0)),
        ([0, 1, 2], 3, Judged(2 / 3, 1, 0)),
        ([1, 1, 2], 3, Judged(2 / 3, 0, 1)),
        ([1, 2, 3, 4, 5], 10, Judged(1.0, 0, 0)),
    ):
        assert truth.judge(vectors, case, answer, k) == judged, answer


if __name__ == "__main__":
    check_judge()
    print("The judge is right.")
