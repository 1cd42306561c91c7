"""The figures of `benchmarks.timing_worlds`, against examples worked out by hand."""

import numpy as np
import pytest

from benchmarks.timing_statistics import Ratio, compare, ks_distance, noise_line, paired_ratio


def test_distance_is_the_largest_gap_between_the_distributions() -> None:
    # At 2 the first has 2/4 and the second 0/5; at 3: 3/4 and 2/5; at 4: 4/4 and 3/5.
    assert ks_distance([1, 2, 3, 4], [2.5, 3, 3.5, 5, 6]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ([1, 2, 3], [1, 2, 3], 0.0),
        ([1, 2, 3], [3, 1, 2], 0.0),
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 1.0),
        ([5, 5, 5, 5], [5, 5, 5, 9], 0.25),  # ties alone tell nothing
        ([1], [1, 2], 0.5),
    ],
)
def test_distances_by_hand(a: list[float], b: list[float], distance: float) -> None:
    assert ks_distance(a, b) == pytest.approx(distance)
    assert ks_distance(b, a) == pytest.approx(distance)


def test_no_values_have_no_distance() -> None:
    with pytest.raises(ValueError, match="both sides"):
        ks_distance([], [1.0])


def test_the_noise_line_is_the_textbook_one() -> None:
    assert noise_line(400, 400) == pytest.approx(1.3581 * (800 / 160_000) ** 0.5, rel=1e-4)
    assert noise_line(100, 300, alpha=0.01) == pytest.approx(1.6276 * (400 / 30_000) ** 0.5, rel=1e-4)


def test_chance_exceeds_the_line_about_one_time_in_twenty() -> None:
    rng = np.random.default_rng(1)
    line = noise_line(200, 200)
    above = sum(ks_distance(*rng.lognormal(size=(2, 200)).tolist()) > line for _ in range(600))
    assert 0.02 * 600 < above < 0.07 * 600


def test_a_constant_factor_is_found_whatever_drifts_meanwhile() -> None:
    rng = np.random.default_rng(2)
    drift = np.linspace(1, 5, 300)  # the machine gets five times slower during the run
    first = drift * rng.lognormal(0, 0.01, 300)
    second = 1.1 * drift * rng.lognormal(0, 0.01, 300)
    ratio = paired_ratio(first.tolist(), second.tolist(), 0.5, rng)
    assert ratio.value == pytest.approx(1.1, abs=0.02)
    assert 1.08 < ratio.low <= ratio.value <= ratio.high < 1.12
    assert not ratio.covers_one


def test_equal_samples_have_the_ratio_one() -> None:
    values = [float(v) for v in range(1, 101)]
    made = compare(values, values, np.random.default_rng(3))
    assert (made.n, made.distance, made.above) == (100, 0.0, False)
    assert made.median_ratio == made.p95_ratio == Ratio(1.0, 1.0, 1.0)
    assert made.median_ratio.covers_one
    assert (made.medians, made.p95s) == ((51.0, 51.0), (95.0, 95.0))


def test_pairs_need_equal_lengths() -> None:
    with pytest.raises(ValueError, match="equal lengths"):
        paired_ratio([1.0], [1.0, 2.0], 0.5, np.random.default_rng(4))
