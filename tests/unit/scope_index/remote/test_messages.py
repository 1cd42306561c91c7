"""The wire between API and search processes: what is sent arrives, and nothing else is taken for a message."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.scope_index.protocol import ScanResult
from app.scope_index.remote import messages
from app.scope_index.remote.messages import (
    Found,
    Hello,
    Look,
    Malformed,
    Message,
    Nothing,
    Reading,
    Refused,
    Scan,
    Welcome,
    pack,
    unpack,
)
from app.scope_index.sharding import Shard, shard_of
from app.scope_index.snapshot import Snapshot
from tests.unit.scope_index.remote.search_server import plain, scan

NOW = Snapshot(90, 100, frozenset({90, 95}))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    xmin = draw(st.integers(0, 2**62))
    xmax = xmin + draw(st.integers(0, 1000))
    running = draw(st.frozensets(st.integers(xmin, max(xmin, xmax - 1)), max_size=20)) if xmax > xmin else frozenset()
    return Snapshot(xmin, xmax, running)


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    query = draw(arrays.arrays(np.float32, st.integers(0, 64), elements=st.floats(-2, 2, width=32)))
    scopes = np.array(sorted(draw(st.sets(st.integers(0, 2**31 - 1), max_size=50))), np.int32)
    return Scan(draw(snapshots()), draw(snapshots()), draw(st.integers(1, 1 << 20)), query, scopes)


@st.composite
def found(draw: st.DrawFn) -> Found:
    scores = np.sort(draw(arrays.arrays(np.float32, st.integers(0, 60), elements=st.floats(-2, 2, width=32))))[::-1]
    ids = draw(arrays.arrays(np.int64, len(scores)))
    bound = draw(st.sampled_from([-np.inf, float(scores[-1]) if len(scores) else -1.0]))
    return Found(ScanResult(ids, scores, bound))


digests = st.binary(min_size=32, max_size=32)
any_message: st.SearchStrategy[Message] = st.one_of(
    st.builds(Hello, digests, digests, st.integers(1, 256), st.integers(1, 256)),
    st.just(Welcome()),
    st.builds(Refused, st.text(max_size=100)),
    st.builds(Look, snapshots(), st.booleans()),
    st.builds(Reading, snapshots()),
    st.just(Nothing()),
    scans(),
    found(),
)


@given(any_message)
def test_what_is_packed_comes_out_again(message: Message) -> None:
    assert plain(unpack(pack(message))) == plain(message)


@given(any_message, st.data())
def test_a_message_that_was_cut_or_lengthened_is_refused(message: Message, data: st.DataObject) -> None:
    packed = pack(message)
    with pytest.raises(Malformed):
        unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])
    with pytest.raises(Malformed):
        unpack(packed + data.draw(st.binary(min_size=1, max_size=9)))


@given(any_message, st.data())
def test_any_other_bytes_are_a_message_or_malformed_and_nothing_else(message: Message, data: st.DataObject) -> None:
    packed = bytearray(pack(message))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    for frame in (bytes(packed), data.draw(st.binary(max_size=80)), b"CL\x01" + data.draw(st.binary(max_size=80))):
        try:
            unpack(frame)
        except Malformed:
            continue


@pytest.mark.parametrize(
    "message",
    [
        scan(scopes=np.array([3, 1], np.int32)),
        scan(scopes=np.array([3, 3], np.int32)),
        scan(query=np.array([np.nan], np.float32)),
        scan(depth=0),
        scan(depth=(1 << 20) + 1),
        Reading(Snapshot(5, 4, frozenset())),
        Reading(Snapshot(5, 7, frozenset({8}))),
        Reading(Snapshot(-5, 7, frozenset())),
        Found(ScanResult(np.array([1]), np.array([], np.float32), 0.0)),
        Found(ScanResult(np.array([1, 2]), np.array([0.1, 0.2], np.float32), 0.0)),
        Found(ScanResult(np.array([1]), np.array([0.1], np.float32), 0.5)),
        Found(ScanResult(np.array([1]), np.array([0.1], np.float32), 1e300)),
        Found(ScanResult(np.array([1]), np.array([np.inf], np.float32), 0.5)),
        Found(ScanResult(np.array([], np.int64), np.array([], np.float32), np.nan)),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(message: Message) -> None:
    with pytest.raises(Malformed):
        unpack(pack(message))


def test_the_largest_scores_are_compared_without_overflow() -> None:
    largest = float(np.finfo(np.float32).max)
    found = Found(ScanResult(np.array([1, 2]), np.array([largest, -largest], np.float32), -1e300))
    unpacked = unpack(pack(found))
    assert isinstance(unpacked, Found)
    assert unpacked.near.scores.tolist() == [largest, -largest]


def test_what_is_too_large_is_not_packed() -> None:
    for message in (
        scan(scopes=np.zeros((1 << 21) + 1, np.int32)),
        scan(depth=1 << 40),
        Reading(Snapshot(1, 1 << 70, frozenset())),
        Reading(Snapshot(1, 1 << 18, frozenset(range(1, 1 << 17)))),
    ):
        with pytest.raises(Malformed):
            pack(message)


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50), st.integers(1, 256))
def test_each_scope_has_one_shard(scopes: list[int], shards: int) -> None:
    owners = shard_of(np.array(scopes, np.int32), shards)
    assert ((owners >= 0) & (owners < shards)).all()
    for scope, owner in zip(scopes, owners.tolist(), strict=True):
        holders = [n for n in range(1, shards + 1) if Shard(n, shards).holds(np.array([scope], np.int32))]
        assert holders == [owner + 1]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 8, 10, 16, 1000])
@pytest.mark.parametrize("shards", [2, 4, 8])
def test_scopes_numbered_in_steps_are_spread(step: int, shards: int) -> None:
    owners = shard_of(np.arange(1, 1000 * step, step, dtype=np.int32), shards)
    assert np.bincount(owners, minlength=shards).max() < 1.1 * len(owners) / shards


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/257", "-1/2", "a/b", "1/2/3"])
def test_a_shard_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2/4"):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert str(Shard.parse("2/4")) == "2/4"


def test_nothing_is_ever_unpickled() -> None:
    for path in Path(messages.__file__).parent.glob("*.py"):
        text = path.read_text("utf-8")
        assert ".recv()" not in text
        assert "pickle" not in text.replace("unpickle", "")
