"""A search process and its clients: the same answers as in one process, and none for who means other lists."""

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries, IndexUnavailable
from app.scope_index.remote import pool, server
from app.scope_index.remote.address import listen
from app.scope_index.remote.client import RemoteView, oldest
from app.scope_index.remote.connection import Channel, ChannelLost
from app.scope_index.remote.messages import DEEPEST, Hello, Look, Reading, Welcome, pack
from app.scope_index.sharding import Shard, shard_of
from app.scope_index.snapshot import Snapshot
from tests.support.waiting import wait_for
from tests.unit.scope_index.remote.search_server import (
    BOOK,
    DATABASE,
    NOW,
    Running,
    Stored,
    asked,
    greeted,
    plain,
    proved,
    raw,
    running_in,
    scan,
    served,
    works,
)


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    """What the log is told."""
    with capture_logs() as told:
        yield told


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(pool, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(pool, "MAX_PAUSE", 0.0)
    with running_in(tmp_path) as made:
        yield made


def test_the_oldest_reading_is_the_one_that_all_others_cover() -> None:
    old, middle, new = NOW, Snapshot(95, 100, frozenset({95})), Snapshot(100, 110, frozenset({100}))
    assert oldest([new, old, middle]) == old
    assert oldest([middle, middle]) == middle
    assert oldest([Snapshot(90, 100, frozenset({90})), Snapshot(95, 100, frozenset({95}))]) is None
    assert oldest([]) is None


def test_the_server_answers_as_the_lists_do(running: Running) -> None:
    works(running)
    remote = running.remote()
    assert len(asked(remote, np.array([77], np.int32)).ids) == 0
    assert len(asked(remote, np.array([], np.int32)).ids) == 0
    assert remote.view(Snapshot(80, 85, frozenset())) is None


@pytest.mark.parametrize("number", [2, 3])
def test_another_shard_is_refused(running: Running, number: int, said: list[EventDict]) -> None:
    """The same server as each of several shards: the map of the API is not that of the server."""
    assert running.remote(times=number).view(NOW) is None
    assert f"shard 1/1 and not 1/{number}" in str(said)
    works(running)


def test_another_codebook_is_refused(running: Running, said: list[EventDict]) -> None:
    assert running.remote(book=ProductQuantizer(64)).view(NOW) is None
    assert "CLEARANCE_LISTS__DIMENSIONS" in str(said)
    works(running)


def test_a_search_process_of_another_database_is_refused(running: Running, said: list[EventDict]) -> None:
    """Its numbers of transactions would compare with ours, and what we brought along would not be enough."""
    assert running.remote(database=b"o" * 32).view(NOW) is None
    assert "another database" in str(said)
    works(running)


def test_while_the_database_does_not_say_which_it_is_nobody_is_welcome(
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
    monkeypatch.setattr(remote._shards[0], "_database", silent)
    assert remote.view(NOW) is None
    assert remote.lost() == {"1/1": 0}, "the search process is not to blame"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"garbage",
        pack(Welcome()),
        pack(Hello(hashlib.sha256(b"").digest(), DATABASE, 1, 1)),
        pack(scan()),
        b"\x80\x04\x95",
        bytes(1000),
    ],
    ids=lambda frame: f"{len(frame)} bytes",
)
def test_who_knows_the_key_and_does_not_greet_is_refused(running: Running, frame: bytes) -> None:
    stranger = proved(running.address)
    stranger.say(frame)
    assert stranger.ended()
    works(running)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"garbage",
        pack(Welcome()),
        pack(Reading(NOW)),
        pack(scan(query=np.ones(16, np.float32))),
        pack(scan(scopes=np.array([3, 1], np.int32))),
        pack(Look(NOW, wake=False))[:-1],
    ],
    ids=lambda frame: f"{len(frame)} bytes",
)
def test_a_senseless_question_ends_the_connection_with_one_line(
    running: Running, frame: bytes, said: list[EventDict]
) -> None:
    member = greeted(running.address)
    said.clear()
    member.say(frame)
    assert member.ended()
    assert [told["event"] for told in said] == ["lists.malformed"]
    works(running)


def test_scopes_of_another_shard_are_refused(tmp_path: Path) -> None:
    """An API process that deals the scopes otherwise would miss what it may see: it gets nothing at all."""
    shard = Shard(1, 2)
    lists = ScopeIndex(Stored(shard), BOOK)
    lists.load()
    made = served(lists, shard)
    address = str(tmp_path / "private" / "lists.sock")
    made.start(listen(address))
    strange = next(n for n in range(1, 40) if shard_of(np.array([n], np.int32), 2)[0] == 1)
    member = greeted(address, number=1, total=2)
    member.say(pack(scan(scopes=np.array([strange], np.int32))))
    assert member.ended()
    made.close()


def test_a_reader_is_not_given_lists_that_have_dropped_what_it_sees(running: Running) -> None:
    """The base is made anew between the look and the scan, in a snapshot that the reader does not cover."""
    remote = running.remote()
    view = remote.view(NOW)
    assert isinstance(view, RemoteView)
    running.source.snapshot = Snapshot(200, 200, frozenset())
    running.lists.load()
    with pytest.raises(IndexUnavailable):
        remote.scan(view, np.ones(32, np.float32), np.array([1, 2], np.int32), 10)
    later = Snapshot(300, 300, frozenset())
    assert len(asked(remote, np.array([1, 2], np.int32), later).ids) == 50


def test_a_reading_older_than_the_view_is_not_enough(running: Running) -> None:
    """The reader brings along what `since` lacks: lists that know less than `since` would leave a hole."""
    later = Snapshot(300, 300, frozenset())
    remote = running.remote()
    with pytest.raises(IndexUnavailable):
        remote.scan(RemoteView(later, later, remote), np.ones(32, np.float32), np.array([1, 2], np.int32), 10)


def test_more_candidates_than_the_wire_holds_are_not_asked_for(running: Running) -> None:
    remote = running.remote()
    view = remote.view(NOW)
    assert isinstance(view, RemoteView)
    with pytest.raises(IndexUnavailable, match="than one message holds"):
        remote.scan(view, np.ones(32, np.float32), np.array([1, 2], np.int32), DEEPEST + 1)
    assert remote.lost() == {"1/1": 0}


def test_the_lists_are_told_that_a_reader_met_news(running: Running) -> None:
    remote = running.remote()
    assert remote.view(NOW) is not None
    assert not running.lists._wake.is_set()
    fresh = Entries(np.array([9_000]), np.array([2], np.int32), np.zeros((1, 8), np.uint8))
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    found = []
    for lists in (remote, running.lists):
        view = lists.view(NOW)
        assert view is not None
        found.append(view.score(query, fresh))
        assert found[-1].ids.tolist() == [9_000]
        assert found[-1].bound == -np.inf
        running.lists._wake.clear()
    assert found[0].scores.tolist() == found[1].scores.tolist()
    assert remote.view(NOW) is not None
    assert running.lists._wake.is_set()


def test_connections_are_used_again_and_given_up_after_a_restart(running: Running) -> None:
    remote = running.remote()
    scopes = np.array([1, 2], np.int32)
    for _ in range(5):
        asked(remote, scopes)
    assert len(running.server._threads) == 1
    running.server.close()
    assert remote.view(NOW) is None
    again = served(running.lists)
    again.start(listen(running.address))
    asked(remote, scopes)
    remote.close()
    again.close()


def test_many_threads_ask_at_once(running: Running) -> None:
    remote = running.remote(seconds=60.0)
    expected = {n: plain(asked(running.lists, np.array([n, n + 1], np.int32))) for n in range(1, 21)}
    wrong: list[int] = []

    def ask(n: int) -> None:
        for _ in range(10):
            if plain(asked(remote, np.array([n, n + 1], np.int32))) != expected[n]:
                wrong.append(n)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_server_that_is_full_turns_away_the_next(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(server, "SECONDS", 60.0)
    first, second = greeted(running.address), greeted(running.address)
    assert raw(running.address).ended()
    first.close()
    wait_for(lambda: len(running.server._threads) <= 1)
    greeted(running.address).close()
    second.close()


def test_who_proves_nothing_takes_no_room(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """More silent connections than there is room for at all: who knows the key is answered all the same, and those that
    are at work are left alone.
    """
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(server, "MAX_UNPROVEN", 3)
    monkeypatch.setattr(server, "PROOF_SECONDS", 60.0)
    monkeypatch.setattr(server, "SECONDS", 60.0)
    member = greeted(running.address)
    silent = [raw(running.address) for _ in range(12)]
    works(running)
    member.say(pack(Look(NOW, wake=False)))
    assert isinstance(member.hear(), Reading)
    for each in (member, *silent):
        each.socket.close()


def test_an_answer_of_another_kind_ends_the_connection(
    running: Running, monkeypatch: pytest.MonkeyPatch, said: list[EventDict]
) -> None:
    monkeypatch.setattr(pool, "SHORTEST_PAUSE", 1e-6)
    monkeypatch.setattr(pool, "MAX_PAUSE", 1e-6)
    remote = running.remote()
    view = remote.view(NOW)
    assert isinstance(view, RemoteView)
    with monkeypatch.context() as muddled:
        muddled.setattr(running.server, "_answer", lambda _: Reading(NOW))
        with pytest.raises(IndexUnavailable, match="not asked for"):
            remote.scan(view, np.ones(32, np.float32), np.array([1, 2], np.int32), 10)
    assert remote.lost() == {"1/1": 1}
    assert remote.view(NOW) is not None
    assert [told["event"] for told in said if told["event"] != "lists.loaded"] == ["lists.lost", "lists.back"]


@pytest.mark.parametrize("lacks", ["descriptors", "threads"])
def test_a_connection_that_cannot_be_served_is_not_the_last(
    running: Running, monkeypatch: pytest.MonkeyPatch, lacks: str, said: list[EventDict]
) -> None:
    """Out of file descriptors or threads: the next one is accepted all the same."""

    def fails(*_: object) -> None:
        raise OSError if lacks == "descriptors" else RuntimeError

    with monkeypatch.context() as poor:
        owner, name = (Channel, "__init__") if lacks == "descriptors" else (threading.Thread, "start")
        poor.setattr(owner, name, fails)
        assert raw(running.address).ended()
    assert "lists.cannot_serve" in str(said)
    works(running)
    assert len(running.server._threads) == 1


def test_a_try_that_was_not_made_does_not_hold_up_the_next(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure one caller tries; where another shard is down nothing is asked, and it is the next one's turn."""
    monkeypatch.setattr(pool, "SHORTEST_PAUSE", 1e-6)
    monkeypatch.setattr(pool, "MAX_PAUSE", 1e-6)
    shard = running.remote(seconds=3_600.0)._shards[0]
    shard._failed(0, ChannelLost("gone"))
    for _ in range(3):
        with shard.taken(time.monotonic() + 60):
            pass
