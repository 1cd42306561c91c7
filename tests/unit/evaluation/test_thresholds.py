"""Bounds as they are written, and when they are missed."""

import pytest

from app.evaluation.measures import ALL_MEASURES, Mean, measure
from app.evaluation.thresholds import Threshold, WrongThreshold, parse_thresholds


def test_names_are_taken_in_any_case_and_with_any_blank() -> None:
    found = parse_thresholds(["NDCG@10=.5", "first-passages = 0.9"], ALL_MEASURES)
    assert found == [Threshold("nDCG@10", 0.5), Threshold("first passages", 0.9)]


def test_all_measures_that_can_be_named_are_measured() -> None:
    assert tuple(measure(["a"], {"a": 1.0})) == ALL_MEASURES


@pytest.mark.parametrize(("mean", "missed"), [(0.89, True), (0.9, False), (0.91, False)])
def test_below_is_missed(mean: float, missed: bool) -> None:
    assert Threshold("hit@10", 0.9).missed({"hit@10": Mean(mean, 0, 1, 1)}) is missed


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("recall=.9", "names no measure of this run: write MEASURE=NUMBER, of recall@1,"),
        ("recall@10", "names no measure"),
        ("recall@10=much", "'much' in 'recall@10=much' is no number"),
        ("recall@10=90", "a measure is between 0 and 1"),
        ("recall@10=nan", "a measure is between 0 and 1"),
    ],
)
def test_what_is_no_bound_is_refused_with_what_could_be_meant(written: str, says: str) -> None:
    with pytest.raises(WrongThreshold, match=says):
        parse_thresholds([written], ALL_MEASURES)
