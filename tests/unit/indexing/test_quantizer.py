"""Codes are a function of the vector alone, and the rotation keeps what it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.indexing.quantizer import POINTS, ProductQuantizer, quantizer_for


def unit(seed: int, n: int, dimensions: int) -> NDArray[np.float32]:
    """Unit vectors, some of whose coordinates are far larger than others, as models make them."""
    drawn = np.random.default_rng(seed).standard_normal((n, dimensions)).astype(np.float32)
    drawn[:, :: max(dimensions // 3, 1)] *= 8
    made: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return made


@pytest.mark.parametrize("dimensions", [4, 12, 300, 384, 768, 1024, 1536])
def test_inner_products_survive_the_rotation(dimensions: int) -> None:
    book, vectors = ProductQuantizer(dimensions), unit(1, 20, dimensions)
    turned = book.rotate(vectors)
    np.testing.assert_allclose(turned @ turned.T, vectors @ vectors.T, atol=2e-6)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 700))
def test_a_code_does_not_depend_on_its_batch(seed: int, n: int) -> None:
    book, vectors = ProductQuantizer(64), unit(seed, n, 64)
    codes = book.encode(vectors)
    alone = np.concatenate([book.encode(v[None]) for v in vectors[:: max(n // 10, 1)]])
    assert (codes[:: max(n // 10, 1)] == alone).all()


def test_codes_are_the_nearest_points_lower_half_first() -> None:
    book, vectors = ProductQuantizer(384), unit(2, 50, 384)
    codes = book.encode(vectors)
    assert codes.shape == (50, 96)
    pairs = book.rotate(vectors).reshape(50, 192, 1, 2) * np.float32(384**0.5)
    nearest = ((pairs - POINTS) ** 2).sum(3).argmin(2)
    assert (codes & 15 == nearest[:, 0::2]).all()
    assert (codes >> 4 == nearest[:, 1::2]).all()


def test_the_rotation_evens_out_what_a_model_leaves_uneven() -> None:
    vectors = unit(3, 500, 384)
    spread = [v.std(0).max() / v.std(0).mean() for v in (vectors, ProductQuantizer(384).rotate(vectors))]
    assert spread[0] > 5
    assert spread[1] < 1.6


def test_the_bytes_are_those_of_every_other_machine() -> None:
    """The codes are stored: another release must not read them with another book."""
    assert ProductQuantizer(384).digest == DIGEST
    steps = (np.arange(384, dtype=np.float32) % 7 - 3) / np.float32(39.2)
    assert ProductQuantizer(384).encode(steps[None]).tobytes().hex()[:32] == CODE


def test_lengths_without_a_code() -> None:
    assert quantizer_for(1) is None
    assert quantizer_for(6) is None
    with pytest.raises(ValueError, match="a multiple of 4"):
        ProductQuantizer(6)


DIGEST = "5a0b987ccab95d733312f4263b123a449d5fec7f43e880ee8c545ee8dd02ea94"
CODE = "f04936340c3275fcf41f3636cd7ea955"
