"""Which candidates are ranked exactly: the same ones however far the lists were asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval import dense
from app.retrieval.dense import best_candidates
from app.scope_index.protocol import ScanResult

LOOKED, DEPTH = 6, 3


def candidates(scores: list[int], known: int) -> ScanResult:
    """The first `known` of these entries, which are best first; with all of them nothing is left out."""
    ids = np.argsort(-np.array(scores), kind="stable")
    ordered = np.array(scores, np.float32)[ids]
    bound = float(ordered[known - 1]) if known < len(ordered) else -np.inf
    return ScanResult(ids[:known].astype(np.int64), ordered[:known], bound)


@given(entries=st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_asking_for_more_changes_nothing(entries: list[tuple[int, bool, bool]]) -> None:
    """Scores with ties, entries that are dead, passages that are left out: once it is decided, it stays decided."""
    scores = [score for score, _, _ in entries]
    there = {n for n, (_, alive, _) in enumerate(entries) if alive}
    accepted = {n for n, (_, alive, meant) in enumerate(entries) if alive and meant}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "MAX_EXAMINED", LOOKED)
        found = [
            best_candidates(candidates(scores, known), there, DEPTH, accepted=accepted)
            for known in range(1, len(scores) + 1)
        ]
    decided = [sorted(one) for one in found if one is not None]
    assert all(one == decided[0] for one in decided)
    assert [one is None for one in found] == sorted((one is None for one in found), reverse=True)
    first = [n for n in candidates(scores, len(scores)).ids.tolist() if n in there][:LOOKED]
    assert all(set(one) <= set(first) & accepted for one in decided)
