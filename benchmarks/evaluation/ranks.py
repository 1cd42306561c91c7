"""Reciprocal rank fusion, which knows ranks alone: what the product's fusion is compared with."""

from collections.abc import Sequence

# The constant of Cormack, Clarke and Büttcher (SIGIR 2009); results hardly move between 20 and 100.
K = 60


def fuse(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Ids with their reciprocal rank score, best first, ties by id. Each ranking lists ids, best first."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
