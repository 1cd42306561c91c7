"""A search process and its clients: the same answers as in one process, and none for who means another index."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from structlog.typing import EventDict

from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries, IndexUnavailable
from app.scope_index.remote import messages, server
from app.scope_index.remote.client import RemoteView, oldest
from app.scope_index.remote.connection import Connection
from app.scope_index.remote.messages import MAX_DEPTH, Refused, Target, ViewReply, pack
from app.scope_index.remote.pool import Exchange
from app.scope_index.sharding import Shard, shard_of
from app.scope_index.snapshot import Snapshot
from tests.support.waiting import wait_for
from tests.unit.scope_index.remote.search_server import (
    NOW,
    TARGET,
    VIEW,
    Peer,
    Running,
    asked,
    member,
    pause,
    plain,
    running_at,
    scan_request,
    served,
    stranger,
    works,
)

LATER = Snapshot(300, 300, frozenset())


@pytest.fixture
def view(running: Running) -> RemoteView:
    """What a reader is given before it scans."""
    given = running.remote().view(NOW)
    assert given is not None
    return given


def scan(view: RemoteView, depth: int = 10) -> None:
    view.scan(np.ones(32, np.float32), np.array([1, 2], np.int32), depth=depth)


def test_the_oldest_snapshot_is_the_one_that_all_others_cover() -> None:
    old, middle, new = NOW, Snapshot(95, 100, frozenset({95})), Snapshot(100, 110, frozenset({100}))
    assert oldest([new, old, middle]) == old
    assert oldest([middle, middle]) == middle
    assert oldest([Snapshot(90, 100, frozenset({90})), Snapshot(95, 100, frozenset({95}))]) is None
    assert oldest([]) is None


def test_the_server_answers_as_the_index_does(running: Running) -> None:
    works(running)
    remote = running.remote()
    assert len(asked(remote, np.array([77], np.int32)).ids) == 0
    assert len(asked(remote, np.array([], np.int32)).ids) == 0
    assert remote.view(Snapshot(80, 85, frozenset())) is None


@pytest.mark.parametrize(
    ("other", "says"),
    [
        # The same server as each of several shards: the map of the API is not that of the server.
        ({"times": 2}, "shard 1/1 and not 1/2"),
        ({"times": 3}, "shard 1/1 and not 1/3"),
        ({"quantizer": ProductQuantizer(64)}, "CLEARANCE_LISTS__DIMENSIONS"),
        # Its numbers of transactions would compare with ours, and what we brought along would not be enough.
        ({"database": b"o" * 32}, "another database"),
    ],
    ids=["two shards", "three shards", "codebook", "database"],
)
def test_who_means_another_index_is_refused(
    running: Running, other: dict[str, Any], says: str, said: list[EventDict]
) -> None:
    assert running.remote(**other).view(NOW) is None
    assert says in str(said)
    works(running)


def test_another_release_is_refused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told so in its own words, if those of the heads are the same."""
    peer = member(running.address)
    with monkeypatch.context() as newer:
        newer.setattr(messages, "VERSION", messages.VERSION + 1)
        packed = pack(VIEW)
    peer.say(packed)
    assert peer.hear() == Refused("not a message of this version: run the same release on both sides")
    assert peer.ended()


def test_who_is_refused_once_is_not_served_on_another_connection(running: Running) -> None:
    """Each request says which index it means, so none is answered because another one was right."""
    peer = member(running.address)
    peer.say(pack(VIEW))
    assert peer.hear() == ViewReply(NOW)
    peer.say(pack(scan_request(target=Target(TARGET.quantizer, b"o" * 32, 1, 1))))
    assert isinstance(peer.hear(), Refused)
    assert peer.ended()


def test_while_the_database_does_not_say_which_it_is_nobody_is_answered(
    running: Running, monkeypatch: pytest.MonkeyPatch, said: list[EventDict]
) -> None:
    def silent() -> bytes:
        raise DatabaseUnavailable("The database does not answer.")

    with monkeypatch.context() as cut:
        cut.setattr(running.server, "_database", silent)
        assert running.remote().view(NOW) is None
    assert "the database does not answer the search process" in str(said)
    works(running)
    remote = running.remote()
    monkeypatch.setattr(remote, "_database", silent)
    assert remote.view(NOW) is None
    assert remote.lost() == {"1/1": 0}, "the search process is not to blame"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"garbage",
        b"\x80\x04\x95",
        pack(ViewReply(NOW)),
        pack(scan_request(query=np.ones(16, np.float32))),
    ],
    ids=lambda message: f"{len(message)} bytes",
)
def test_a_senseless_question_ends_the_connection_with_one_line(
    running: Running, message: bytes, said: list[EventDict]
) -> None:
    peer = member(running.address)
    said.clear()
    peer.say(message)
    assert isinstance(peer.hear(), Refused)
    assert peer.ended()
    assert [told["event"] for told in said] == ["lists.malformed"]
    works(running)


def test_scopes_of_another_shard_are_refused(where: str) -> None:
    """An API process that deals the scopes otherwise would miss what it may see: it gets nothing at all."""
    strange = next(n for n in range(1, 40) if shard_of(np.array([n], np.int32), 2)[0] == 1)
    target = Target(TARGET.quantizer, TARGET.database, 1, 2)
    with running_at(where, Shard(1, 2)) as running:
        peer = member(running.address)
        peer.say(pack(scan_request(target=target, scopes=np.array([strange], np.int32))))
        assert peer.hear() == Refused("scopes that are not those of shard 1/2")
        assert peer.ended()


def test_a_reader_is_not_given_an_index_that_has_dropped_what_it_sees(running: Running, view: RemoteView) -> None:
    """The base is rebuilt between the view and the scan, in a snapshot that the reader does not cover."""
    running.source.snapshot = Snapshot(200, 200, frozenset())
    running.index.load()
    with pytest.raises(IndexUnavailable):
        scan(view)
    assert len(asked(running.remote(), np.array([1, 2], np.int32), LATER).ids) == 50


def test_an_index_older_than_the_view_is_not_enough(running: Running, view: RemoteView) -> None:
    """The reader supplies what `since` lacks: an index that knows less than `since` would leave a hole."""
    with pytest.raises(IndexUnavailable):
        scan(RemoteView(LATER, LATER, view.index))


def test_more_candidates_than_a_message_holds_are_not_asked_for(view: RemoteView) -> None:
    with pytest.raises(IndexUnavailable, match=f"{MAX_DEPTH}"):
        scan(view, MAX_DEPTH + 1)
    assert view.index.lost() == {"1/1": 0}


def test_the_index_is_told_that_a_reader_met_news(running: Running) -> None:
    remote = running.remote()
    delta = Entries(np.array([9_000]), np.array([2], np.int32), np.zeros((1, 8), np.uint8))
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    views = [view for index in (remote, running.index) if (view := index.view(NOW))]
    assert not running.index._wake.is_set()
    found = [view.score(query, delta) for view in views]
    assert [(result.ids.tolist(), result.bound) for result in found] == [([9_000], -np.inf)] * 2
    assert found[0].scores.tolist() == found[1].scores.tolist()
    running.index._wake.clear()
    assert remote.view(NOW) is not None
    assert running.index._wake.is_set()


def test_connections_are_used_again_and_given_up_after_a_restart(running: Running) -> None:
    remote = running.remote()
    scopes = np.array([1, 2], np.int32)
    for _ in range(5):
        asked(remote, scopes)
    assert len(running.server._threads) == 1
    running.server.close()
    assert remote.view(NOW) is None
    again, _ = served(running.index, running.address)
    with contextlib.closing(again):
        asked(remote, scopes)
        remote.close()


def test_many_threads_ask_at_once(running: Running) -> None:
    remote = running.remote()
    pairs = [np.array([n, n + 1], np.int32) for n in range(1, 21)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda pair: plain(asked(remote, pair)), pairs * 10))
    assert found == [plain(asked(running.index, pair)) for pair in pairs] * 10


def greeted(address: str) -> Peer:
    """A connection that has been answered."""
    peer = member(address)
    peer.say(pack(VIEW))
    assert peer.hear() == ViewReply(NOW)
    return peer


def test_a_server_that_is_full_turns_away_the_next(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    first, second = greeted(running.address), greeted(running.address)
    assert member(running.address).ended()
    first.close()
    wait_for(lambda: len(running.server._threads) <= 1)
    greeted(running.address).close()
    second.close()


def test_who_shows_nothing_takes_no_room(on_tcp: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """More silent connections than there is room for at all: who has the certificate is answered all the same, and
    those that are at work are left alone.
    """
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(server, "MAX_HANDSHAKES", 3)
    peer = greeted(on_tcp.address)
    silent = [stranger(on_tcp.address) for _ in range(12)]
    works(on_tcp)
    peer.say(pack(VIEW))
    assert peer.hear() == ViewReply(NOW)
    wait_for(lambda: len(on_tcp.server._threads) <= 5)
    for each in (peer, *silent):
        each.close()


def test_an_answer_of_another_kind_ends_the_connection(
    running: Running, view: RemoteView, monkeypatch: pytest.MonkeyPatch, said: list[EventDict]
) -> None:
    pause(monkeypatch, 1e-6)
    with monkeypatch.context() as muddled:
        muddled.setattr(running.server, "_reply", lambda _: ViewReply(NOW))
        with pytest.raises(IndexUnavailable, match="not asked for"):
            scan(view)
    assert view.index.lost() == {"1/1": 1}
    assert view.index.view(NOW) is not None
    assert [told["event"] for told in said if told["event"] != "lists.loaded"] == ["lists.lost", "lists.back"]


@pytest.mark.parametrize("lacks", ["descriptors", "threads"])
def test_a_connection_that_cannot_be_served_is_not_the_last(
    running: Running, monkeypatch: pytest.MonkeyPatch, lacks: str, said: list[EventDict]
) -> None:
    """Out of file descriptors or threads: the next one is accepted all the same."""

    def fails(*_: object, **__: object) -> None:
        raise OSError if lacks == "descriptors" else RuntimeError

    with monkeypatch.context() as poor:
        owner, name = (Connection, "__init__") if lacks == "descriptors" else (threading.Thread, "start")
        poor.setattr(owner, name, fails)
        assert stranger(running.address).ended()
    wait_for(lambda: "lists.cannot_serve" in str(said))
    works(running)
    assert len(running.server._threads) == 1


def test_a_try_that_was_not_made_does_not_hold_up_the_next(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure one caller tries; where another shard is down nothing is asked, and it is the next one's turn."""
    shard = running.remote(seconds=3_600.0)._shards[0]
    pause(monkeypatch, 1e-6)
    shard.failed(0, "gone")
    kept = set()
    for _ in range(3):
        with Exchange(shard, time.monotonic() + 60):
            pass
        kept.update(shard._idle)
    assert len(kept) == 1
