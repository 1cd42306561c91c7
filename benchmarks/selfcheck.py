"""The statistics and the judge of answers, against examples worked out by hand: `python -m benchmarks.selfcheck`."""

import math

import numpy as np

from benchmarks.search.cases import Caller, Case, Judged, truth_of
from benchmarks.search.vectors import Vectors
from benchmarks.stats import ks_distance, mean, noise_line, quantile, ratio


def check_distances() -> None:
    """Of two samples, with ties; and the line that chance exceeds one time in twenty."""
    # At 2 the first has 2/4 and the second 0/5; at 3: 3/4 and 2/5; at 4: 4/4 and 3/5.
    assert math.isclose(ks_distance([1, 2, 3, 4], [2.5, 3, 3.5, 5, 6]), 0.5)
    assert (ks_distance([1, 2, 3], [3, 1, 2]), ks_distance([1, 2], [3, 4])) == (0, 1)
    assert ks_distance([5, 5, 5, 5], [5, 5, 5, 9]) == 0.25
    assert math.isclose(noise_line(400, 400), 1.3581 * (800 / 160_000) ** 0.5, rel_tol=1e-4)
    rng = np.random.default_rng(1)
    above = sum(ks_distance(*rng.lognormal(size=(2, 200))) > noise_line(200, 200) for _ in range(600))
    assert 0.02 * 600 < above < 0.07 * 600


def check_intervals() -> None:
    """They hold the true value about as often as they say; pairs cancel what both samples share."""
    rng = np.random.default_rng(2)
    medians = [quantile(rng.exponential(size=60).tolist(), 0.5) for _ in range(200)]
    assert 175 <= sum(one.low <= math.log(2) <= one.high for one in medians) <= 199
    drift = np.linspace(1, 5, 300)  # the machine gets five times slower during the run
    first, second = (factor * drift * rng.lognormal(0, 0.01, 300) for factor in (1, 1.1))
    found = ratio(second.tolist(), first.tolist(), 0.5, paired=True)
    assert 1.08 < found.low <= found.value <= found.high < 1.12
    assert (mean([0.5] * 9).low, mean([0.5] * 9).high) == (0.5, 0.5)


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
    check_distances()
    check_intervals()
    check_judge()
    print("The statistics and the judge are right.")
