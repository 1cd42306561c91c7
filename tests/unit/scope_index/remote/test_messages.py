"""The messages between API and search processes: what is sent arrives, and nothing else is taken for a message."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.scope_index.protocol import ScanResult
from app.scope_index.remote import messages
from app.scope_index.remote.messages import (
    IndexNotReady,
    InvalidMessage,
    Message,
    Refused,
    ScanReply,
    ScanRequest,
    Target,
    ViewReply,
    ViewRequest,
    pack,
    unpack,
)
from app.scope_index.snapshot import Snapshot
from tests.unit.scope_index.remote.search_server import plain, scan_request

digests = st.binary(min_size=32, max_size=32)
targets = st.builds(Target, digests, digests, st.integers(1, 256), st.integers(1, 256))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    xmin = draw(st.integers(0, 2**62))
    xmax = xmin + draw(st.integers(0, 1000))
    running = draw(st.frozensets(st.integers(xmin, max(xmin, xmax - 1)), max_size=20)) if xmax > xmin else frozenset()
    return Snapshot(xmin, xmax, running)


@st.composite
def scan_requests(draw: st.DrawFn) -> ScanRequest:
    query = draw(arrays.arrays(np.float32, st.integers(0, 64), elements=st.floats(-2, 2, width=32)))
    scopes = np.array(sorted(draw(st.sets(st.integers(0, 2**31 - 1), max_size=50))), np.int32)
    return ScanRequest(
        draw(targets), draw(snapshots()), draw(snapshots()), draw(st.integers(1, 1 << 20)), query, scopes
    )


@st.composite
def scan_replies(draw: st.DrawFn) -> ScanReply:
    scores = np.sort(draw(arrays.arrays(np.float32, st.integers(0, 60), elements=st.floats(-2, 2, width=32))))[::-1]
    ids = draw(arrays.arrays(np.int64, len(scores)))
    bound = draw(st.sampled_from([-np.inf, float(scores[-1]) if len(scores) else -1.0]))
    return ScanReply(ScanResult(ids, scores, bound))


any_message: st.SearchStrategy[Message] = st.one_of(
    st.builds(ViewRequest, targets, snapshots(), st.booleans()),
    st.builds(ViewReply, snapshots()),
    st.just(IndexNotReady()),
    scan_requests(),
    scan_replies(),
    st.builds(Refused, st.text(max_size=100)),
)


@given(any_message, st.data())
def test_what_is_packed_comes_out_again_unless_it_was_cut_or_lengthened(message: Message, data: st.DataObject) -> None:
    packed = pack(message)
    assert plain(unpack(packed)) == plain(message)
    with pytest.raises(InvalidMessage):
        unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])
    with pytest.raises(InvalidMessage):
        unpack(packed + data.draw(st.binary(min_size=1, max_size=9)))


@given(any_message, st.data())
def test_any_other_bytes_are_a_message_or_invalid_and_nothing_else(message: Message, data: st.DataObject) -> None:
    packed = bytearray(pack(message))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    for frame in (bytes(packed), data.draw(st.binary(max_size=80)), b"CL\x02" + data.draw(st.binary(max_size=80))):
        with contextlib.suppress(InvalidMessage):
            unpack(frame)


@pytest.mark.parametrize(
    "message",
    [
        scan_request(scopes=np.array([3, 1], np.int32)),
        scan_request(scopes=np.array([3, 3], np.int32)),
        scan_request(query=np.array([np.nan], np.float32)),
        scan_request(depth=0),
        scan_request(depth=(1 << 20) + 1),
        ViewReply(Snapshot(5, 4, frozenset())),
        ViewReply(Snapshot(5, 7, frozenset({8}))),
        ViewReply(Snapshot(-5, 7, frozenset())),
        ScanReply(ScanResult(np.array([1]), np.array([], np.float32), 0.0)),
        ScanReply(ScanResult(np.array([1, 2]), np.array([0.1, 0.2], np.float32), 0.0)),
        ScanReply(ScanResult(np.array([1]), np.array([0.1], np.float32), 0.5)),
        ScanReply(ScanResult(np.array([1]), np.array([0.1], np.float32), 1e300)),
        ScanReply(ScanResult(np.array([1]), np.array([np.inf], np.float32), 0.5)),
        ScanReply(ScanResult(np.array([], np.int64), np.array([], np.float32), np.nan)),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(message: Message) -> None:
    with pytest.raises(InvalidMessage):
        unpack(pack(message))


def test_the_largest_scores_are_compared_without_overflow() -> None:
    largest = float(np.finfo(np.float32).max)
    reply = ScanReply(ScanResult(np.array([1, 2]), np.array([largest, -largest], np.float32), -1e300))
    unpacked = unpack(pack(reply))
    assert isinstance(unpacked, ScanReply)
    assert unpacked.result.scores.tolist() == [largest, -largest]


def test_what_is_too_large_is_not_packed() -> None:
    for message in (
        scan_request(scopes=np.zeros((1 << 21) + 1, np.int32)),
        scan_request(depth=1 << 40),
        ViewReply(Snapshot(1, 1 << 70, frozenset())),
        ViewReply(Snapshot(1, 1 << 18, frozenset(range(1, 1 << 17)))),
    ):
        with pytest.raises(InvalidMessage):
            pack(message)


def test_nothing_is_ever_unpickled() -> None:
    for path in Path(messages.__file__).parent.glob("*.py"):
        text = path.read_text("utf-8")
        assert ".recv()" not in text
        assert "pickle" not in text.replace("unpickle", "")
