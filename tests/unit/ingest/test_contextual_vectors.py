"""Vectors in their document: by hand, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from ingest.contextual_vectors import DOCUMENT_WEIGHT, NEIGHBOUR_WEIGHT, contextualize

X, Y, Z = np.eye(3, dtype=np.float32)
Vectors = NDArray[np.float32]


def documents(least: int = 1) -> st.SearchStrategy[Vectors]:
    shapes = st.tuples(st.integers(least, 7), st.just(4))
    numbers = st.floats(0.0625, 1, width=32) | st.floats(-1, -0.0625, width=32)
    return arrays.arrays(np.float32, shapes, elements=numbers).map(
        lambda a: (a / np.linalg.norm(a, axis=1, keepdims=True)).astype(np.float32)
    )


def unit(*parts: float) -> NDArray[np.float64]:
    vector: NDArray[np.float64] = np.array(parts) / np.linalg.norm(parts)
    return vector


def test_by_hand() -> None:
    whole = DOCUMENT_WEIGHT / np.sqrt(3)
    wanted = [
        unit(1 + whole, NEIGHBOUR_WEIGHT + whole, whole),
        unit(NEIGHBOUR_WEIGHT + whole, 1 + whole, NEIGHBOUR_WEIGHT + whole),
        unit(whole, NEIGHBOUR_WEIGHT + whole, 1 + whole),
    ]
    assert contextualize(np.stack([X, Y, Z])) == pytest.approx(np.array(wanted), abs=1e-6)


@pytest.mark.parametrize("alone", [np.empty((0, 3), np.float32), X[None]])
def test_what_stands_alone_keeps_its_bytes(alone: Vectors) -> None:
    assert contextualize(alone).tobytes() == alone.tobytes()


def test_opposites_do_not_end_in_nothing() -> None:
    assert np.isfinite(contextualize(np.stack([X, -X]))).all()


@given(documents())
def test_unit_vectors_of_the_same_shape_that_lie_nearest_to_what_they_were(vectors: Vectors) -> None:
    moved = contextualize(vectors)
    assert moved.shape == vectors.shape
    assert moved.dtype == np.float32
    assert np.linalg.norm(moved, axis=1) == pytest.approx(1, abs=1e-5)
    # The others together weigh at most .9 against 1: no vector turns away from its passage.
    assert ((moved * vectors).sum(axis=1) > 0).all()
    assert contextualize(vectors[::-1])[::-1] == pytest.approx(moved, abs=1e-6), "the direction does not count"


@given(documents(least=5))
def test_only_two_neighbours_and_the_whole_are_looked_at(one: Vectors) -> None:
    """Passages that swap far from a passage leave it as it is: their sum is the same."""
    swapped = one.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    assert contextualize(swapped)[:2] == pytest.approx(contextualize(one)[:2], abs=1e-6)
