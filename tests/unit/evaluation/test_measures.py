"""Measures against values by hand and against slow, plain definitions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.measures import DEPTHS, difference, mean, measure, ndcg, recall, reciprocal_rank

ids = st.sampled_from("abcdefgh")
rankings = st.lists(ids, max_size=12)
golds = st.dictionaries(ids, st.sampled_from([0.5, 1.0, 2.0, 4.0]), min_size=1, max_size=5)


def test_by_hand() -> None:
    """b twice is one document of rank 1; c is the third document, and the first passages hold no c."""
    found = measure(["b", "b", "a", "b", "b", "c"], {"a": 3.0, "c": 1.0, "x": 1.0})
    assert found["recall@1"] == 0
    assert found["recall@3"] == pytest.approx(2 / 3)
    assert found["hit@10"] == 1
    assert found["first passages"] == 1
    assert found["MRR@10"] == 1 / 2
    best = 3 + 1 / math.log2(3) + 1 / 2
    assert found["nDCG@10"] == pytest.approx((3 / math.log2(3) + 1 / 2) / best)


@pytest.mark.parametrize(("ranking", "first"), [("zzzza", 1.0), ("zzzzza", 0.0), ("", 0.0), ("abc", 1.0)])
def test_the_first_five_passages(ranking: str, first: float) -> None:
    assert measure(list(ranking), {"a": 1.0})["first passages"] == first


@pytest.mark.parametrize("gold", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}])
def test_answers_that_cannot_be_measured(gold: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="gain above zero"):
        measure(["a"], gold)


@given(rankings, golds, st.integers(1, 12))
def test_against_plain_definitions(ranking: list[str], gold: dict[str, float], k: int) -> None:
    documents: list[str] = []
    for document in ranking:
        if document not in documents:
            documents.append(document)

    def gain(order: tuple[str, ...] | list[str]) -> float:
        return sum(gold.get(d, 0) / math.log(rank + 2, 2) for rank, d in enumerate(order[:k]))

    best = max(gain(order) for order in itertools.permutations(gold))
    assert ndcg(documents, gold, k) == pytest.approx(gain(documents) / best)
    assert recall(documents, gold, k) == len(set(documents[:k]) & set(gold)) / len(gold)
    ranks = [documents.index(d) + 1 for d in gold if d in documents[:k]]
    assert reciprocal_rank(documents, gold, k) == (1 / min(ranks) if ranks else 0)


@given(rankings, golds)
def test_all_are_from_0_to_1_and_recall_grows(ranking: list[str], gold: dict[str, float]) -> None:
    found = measure(ranking, gold)
    assert all(0 <= value <= 1 + 1e-12 for value in found.values())
    grown = [found[f"recall@{k}"] for k in DEPTHS]
    assert grown == sorted(grown)
    assert (found["hit@10"] > 0) == (found["recall@10"] > 0)


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    """400 coins of .3: ±1.96 √(.3 · .7 / 400) = ±.045."""
    found = mean([1.0] * 120 + [0.0] * 280)
    assert found.mean == pytest.approx(0.3)
    assert found.low == pytest.approx(0.255, abs=0.006)
    assert found.high == pytest.approx(0.345, abs=0.006)
    assert found == mean([1.0] * 120 + [0.0] * 280), "the same figures again"


def test_a_difference_is_that_of_pairs() -> None:
    """A system that is better by .1 on every question is so for certain, however they scatter."""
    scattered = np.linspace(0, 0.9, 50)
    found = difference(scattered + 0.1, scattered)
    assert [found.mean, found.low, found.high] == pytest.approx([0.1] * 3)
    assert found.count == 50


def test_what_has_no_mean() -> None:
    with pytest.raises(ValueError, match="nothing"):
        mean([])
    with pytest.raises(ValueError, match="same questions"):
        difference([1.0], [1.0, 2.0])
