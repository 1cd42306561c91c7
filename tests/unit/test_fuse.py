"""Reciprocal rank fusion: scores by hand, and laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.fuse import K, fuse

rankings = st.lists(st.lists(st.integers(0, 30), unique=True, max_size=15), max_size=4)


@pytest.mark.parametrize(
    ("given_rankings", "wanted"),
    [
        ([], []),
        ([[]], []),
        ([[7]], [(7, 1 / 61)]),
        ([[5, 3]], [(5, 1 / 61), (3, 1 / 62)]),
        ([[5, 3], [3, 5]], [(3, 1 / 62 + 1 / 61), (5, 1 / 61 + 1 / 62)]),
        ([[9], [2]], [(2, 1 / 61), (9, 1 / 61)]),
        ([[1, 2, 3], [3]], [(3, 1 / 63 + 1 / 61), (1, 1 / 61), (2, 1 / 62)]),
    ],
)
def test_fuse(given_rankings: list[list[int]], wanted: list[tuple[int, float]]) -> None:
    assert fuse(given_rankings) == wanted


@given(rankings)
def test_each_item_once_best_first_ties_by_id(ranked: list[list[int]]) -> None:
    fused = fuse(ranked)
    assert {item for item, _ in fused} == {item for ranking in ranked for item in ranking}
    assert fused == sorted(fused, key=lambda pair: (-pair[1], pair[0]))
    assert len({item for item, _ in fused}) == len(fused)
    assert all(0 < score <= len(ranked) / (K + 1) for _, score in fused)


@given(rankings.filter(lambda ranked: len(ranked) <= 2))
def test_the_order_of_two_rankings_does_not_matter(ranked: list[list[int]]) -> None:
    """Two, as search has; with more, sums of floats depend on their order."""
    assert fuse(ranked) == fuse(ranked[::-1])


@given(st.permutations(range(12)), st.permutations(range(12)), st.permutations(range(12)))
def test_names_do_not_matter(one: list[int], two: list[int], names: list[int]) -> None:
    """Renaming the items renames the result: no score depends on an id."""
    renamed = {names[item]: score for item, score in fuse([one, two])}
    assert renamed == dict(fuse([[names[i] for i in one], [names[i] for i in two]]))


@given(st.lists(st.integers(0, 30), unique=True, max_size=15))
def test_one_ranking_keeps_its_order(ranking: list[int]) -> None:
    assert [item for item, _ in fuse([ranking])] == ranking
