"""The limits of strangers: a bucket for each address, in a table that does not grow."""

import pytest

from app.settings import ApiSettings
from app.web.http import anonymous_limits
from app.web.http.anonymous_limits import KnownKeys, StrangerLimits
from tests.support.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(anonymous_limits, "time", made)
    return made


def test_a_burst_then_the_rate_and_who_waits_as_told_passes(clock: Clock) -> None:
    limits = StrangerLimits(ApiSettings(stranger_rate_per_minute=30, stranger_burst=20))
    assert [limits.take("a") for _ in range(20)] == [0] * 20
    seconds = limits.take("a")
    assert 1 <= seconds <= 3
    assert limits.take("b") == 0
    clock.now += seconds
    assert limits.take("a") == 0
    assert limits.take("a") > 0


def test_what_was_nobody_strange_is_given_back(clock: Clock) -> None:
    limits = StrangerLimits(ApiSettings(stranger_burst=1))
    for _ in range(10):
        assert limits.take("a") == 0
        limits.give_back("a")
    limits.give_back("a")
    assert [limits.take("a") > 0 for _ in range(2)] == [False, True]


def test_what_pages_load_is_a_part_of_a_request(clock: Clock) -> None:
    limits = StrangerLimits(ApiSettings(stranger_rate_per_minute=60, stranger_burst=2))
    assert [limits.take("a", 0.25) for _ in range(8)] == [0] * 8
    assert limits.take("a", 0.25) == 1
    limits.give_back("a", 2)
    assert [limits.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_the_table_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anonymous_limits, "MAX_ADDRESSES", 100)
    limits = StrangerLimits(ApiSettings(stranger_burst=1))
    for number in range(1000):
        clock.now += 0.001
        limits.take(str(number))
        limits.take("always here")
    assert 90 <= len(limits) <= 100
    assert limits.take("always here") > 0  # what is used is not what is forgotten


def test_the_memory_of_keys_is_bounded_and_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anonymous_limits, "MAX_KNOWN_KEYS", 10)
    known = KnownKeys()
    for number in range(30):
        known.add(f"key {number}")
    assert [f"key {number}" in known for number in (0, 19, 20, 29)] == [False, False, True, True]
    known.discard("key 29")
    assert "key 29" not in known
    assert "key" not in repr(vars(known))
