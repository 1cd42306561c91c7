"""Each scope belongs to one shard, and scopes spread evenly over the shards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scope_index.sharding import Shard, shard_of


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50), st.integers(1, 256))
def test_each_scope_has_one_shard(scopes: list[int], shards: int) -> None:
    numbers = np.array(scopes, np.int32)
    owners = shard_of(numbers, shards)
    assert ((owners >= 0) & (owners < shards)).all()
    for n in range(shards):
        assert Shard(n + 1, shards).holds(numbers[owners == n])
        assert not any(Shard(n + 1, shards).holds(one) for one in numbers[owners != n][:3, None])


@pytest.mark.parametrize("step", [1, 2, 3, 4, 8, 10, 16, 1000])
@pytest.mark.parametrize("shards", [2, 4, 8])
def test_scopes_numbered_in_steps_are_spread(step: int, shards: int) -> None:
    owners = shard_of(np.arange(1, 1000 * step, step, dtype=np.int32), shards)
    assert np.bincount(owners, minlength=shards).max() < 1.1 * len(owners) / shards


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/257", "-1/2", "a/b", "1/2/3"])
def test_a_shard_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2/4"):
        Shard.parse(text)
    assert str(Shard.parse("2/4")) == "2/4"
