"""A search process and its clients: the same answers as in one process, and neither strangers nor garbage hurt it."""

import contextlib
import dataclasses
import hashlib
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.embedding.codebook import Codebook
from app.retrieval.lists.protocol import Entries, ListsLost
from app.retrieval.lists.remote import client, server
from app.retrieval.lists.remote.channel import CannotListen, Channel, ChannelLost, key_of, listen, parse
from app.retrieval.lists.remote.client import RemoteLists, RemoteView, oldest
from app.retrieval.lists.remote.server import ListServer
from app.retrieval.lists.remote.wire import LARGEST, Hello, Look, Reading, Welcome, pack
from app.retrieval.lists.shards import Shard, shard_of
from app.retrieval.lists.snapshot import Snapshot
from app.retrieval.lists.store import ScopeLists
from tests.unit.search_server import (
    BOOK,
    KEY,
    NOW,
    OTHER_KEY,
    Running,
    Stored,
    asked,
    ended,
    greeted,
    plain,
    proved,
    raw,
    scan,
    works,
)


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    """What the log is told."""
    with capture_logs() as told:
        yield told


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(client, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(client, "LONGEST_PAUSE", 0.0)
    shard = Shard(1, 1)
    source = Stored(shard)
    lists = ScopeLists(source, BOOK)
    lists.load()
    made = ListServer(lists, BOOK, shard, KEY)
    address = str(tmp_path / "private" / "lists.sock")
    made.start(listen(address))
    yielded = Running(address, lists, source, made)
    yield yielded
    for remote in yielded.remotes:
        remote.close()
    made.close()


@pytest.mark.parametrize("address", ["", "host", ":1", "host:", "host:70000", "relative/path"])
def test_an_address_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse(address)


@pytest.mark.parametrize("key", ["", "ab", "zz" * 32, "ab" * 33])
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -hex 32") as refused:
        key_of(key)
    assert not key or key not in str(refused.value)


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


def test_a_wrong_key_is_refused(running: Running, said: list[EventDict]) -> None:
    assert running.remote(key=OTHER_KEY).view(NOW) is None
    works(running)
    told = str(said)
    assert "AuthenticationError" in told
    assert KEY.decode() not in told
    assert OTHER_KEY.hex() not in told


def test_a_server_without_the_key_is_refused(tmp_path: Path) -> None:
    """It welcomes everybody, and cannot prove the key."""
    address = str(tmp_path / "private" / "false.sock")
    with listen(address) as listening:

        def welcome() -> None:
            opened, _ = listening.accept()
            made = Connection(opened.detach())
            made.send_bytes(b"#CHALLENGE#" + bytes(20))
            made.recv_bytes()
            made.send_bytes(b"#WELCOME#")
            made.recv_bytes()
            made.send_bytes(bytes(16))
            ended(made)

        thread = threading.Thread(target=welcome)
        thread.start()
        with pytest.raises(ChannelLost):
            Channel.connect(address, KEY, 10.0)
        thread.join()


@pytest.mark.parametrize("number", [2, 3])
def test_another_shard_is_refused(running: Running, number: int, said: list[EventDict]) -> None:
    """The same server as each of several shards: the map of the API is not that of the server."""
    assert running.remote(times=number).view(NOW) is None
    assert f"shard 1/1 and not 1/{number}" in str(said)
    works(running)


def test_another_codebook_is_refused(running: Running, said: list[EventDict]) -> None:
    assert running.remote(book=Codebook(64)).view(NOW) is None
    assert "CLEARANCE_LISTS__DIMENSIONS" in str(said)
    works(running)


def test_strangers_and_garbage_end_their_own_connection_alone(running: Running) -> None:
    huge = struct.pack("!i", LARGEST + 1)
    for said in (b"GET / HTTP/1.1\r\n\r\n", struct.pack("!i", -1) + b"\xff" * 8, b"\xff" * 400, huge, b""):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(running.address)
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            stranger.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                while stranger.recv(4096):
                    pass
    works(running)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"garbage",
        pack(Welcome()),
        pack(Hello(hashlib.sha256(b"").digest(), 1, 1)),
        pack(scan()),
        b"\x80\x04\x95",
        bytes(1000),
    ],
    ids=lambda frame: f"{len(frame)} bytes",
)
def test_who_knows_the_key_and_does_not_greet_is_refused(running: Running, frame: bytes) -> None:
    stranger = proved(running.address)
    stranger.send_bytes(frame)
    assert ended(stranger)
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
    member.send_bytes(frame)
    assert ended(member)
    assert [told["event"] for told in said] == ["lists.malformed"]
    works(running)


def test_a_frame_that_is_too_long_is_not_read(running: Running) -> None:
    member = greeted(running.address)
    with pytest.raises(OSError, match=r".*"):
        member.send_bytes(bytes(LARGEST + 1))
    assert ended(member)
    works(running)


def test_scopes_of_another_shard_are_refused(tmp_path: Path) -> None:
    """An API process that deals the scopes otherwise would miss what it may see: it gets nothing at all."""
    shard = Shard(1, 2)
    lists = ScopeLists(Stored(shard), BOOK)
    lists.load()
    made = ListServer(lists, BOOK, shard, KEY)
    address = str(tmp_path / "private" / "lists.sock")
    made.start(listen(address))
    strange = next(n for n in range(1, 40) if shard_of(np.array([n], np.int32), 2)[0] == 1)
    member = greeted(address, number=1, total=2)
    member.send_bytes(pack(scan(scopes=np.array([strange], np.int32))))
    assert ended(member)
    made.close()


def test_a_reader_is_not_given_lists_that_have_dropped_what_it_sees(running: Running) -> None:
    """The base is made anew between the look and the scan, in a snapshot that the reader does not cover."""
    remote = running.remote()
    view = remote.view(NOW)
    assert isinstance(view, RemoteView)
    running.source.snapshot = Snapshot(200, 200, frozenset())
    running.lists.load()
    with pytest.raises(ListsLost):
        remote.scan(view, np.ones(32, np.float32), np.array([1, 2], np.int32), 10)
    later = Snapshot(300, 300, frozenset())
    assert len(asked(remote, np.array([1, 2], np.int32), later).ids) == 50


def test_a_reading_older_than_the_view_is_not_enough(running: Running) -> None:
    """The reader brings along what `since` lacks: lists that know less than `since` would leave a hole."""
    later = Snapshot(300, 300, frozenset())
    remote = running.remote()
    with pytest.raises(ListsLost):
        remote.scan(RemoteView(later, later, remote), np.ones(32, np.float32), np.array([1, 2], np.int32), 10)


def test_the_lists_are_told_that_a_reader_met_news(running: Running) -> None:
    remote = running.remote()
    assert remote.view(NOW) is not None
    assert not running.lists._due.is_set()
    fresh = Entries(np.array([9_000]), np.array([2], np.int32), np.zeros((1, 8), np.uint8))
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    found = []
    for lists in (remote, running.lists):
        view = lists.view(NOW)
        assert view is not None
        found.append(view.scored(query, fresh))
        assert found[-1].ids.tolist() == [9_000]
        assert found[-1].bound == -np.inf
        running.lists._due.clear()
    assert found[0].scores.tolist() == found[1].scores.tolist()
    assert remote.view(NOW) is not None
    assert running.lists._due.is_set()


def test_a_silent_server_costs_its_time_limit_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody accepts: the first view waits, the others know better until the pause is over."""
    monkeypatch.setattr(client, "SHORTEST_PAUSE", 3_600.0)
    monkeypatch.setattr(client, "LONGEST_PAUSE", 3_600.0)
    tried = []
    connect = Channel.connect

    def counted(address: str, key: bytes, seconds: float) -> Channel:
        tried.append(address)
        return connect(address, key, seconds)

    monkeypatch.setattr(Channel, "connect", counted)
    with listen(str(tmp_path / "private" / "silent.sock")) as silent:
        remote = RemoteLists([str(silent.getsockname())], BOOK, key=KEY, seconds=0.2)
        for _ in range(5):
            assert remote.view(NOW) is None
    assert len(tried) == 1


def test_connections_are_used_again_and_given_up_after_a_restart(running: Running) -> None:
    remote = running.remote()
    scopes = np.array([1, 2], np.int32)
    for _ in range(5):
        asked(remote, scopes)
    assert len(running.server._threads) == 1
    running.server.close()
    assert remote.view(NOW) is None
    again = ListServer(running.lists, BOOK, Shard(1, 1), KEY)
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
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    first, second = greeted(running.address), greeted(running.address)
    assert ended(raw(running.address))
    first.close()
    deadline = time.monotonic() + 20
    while len(running.server._threads) > 1:
        assert time.monotonic() < deadline
    greeted(running.address).close()
    second.close()


def test_who_proves_nothing_is_not_waited_for(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(server, "SECONDS", 0.1)
        assert ended(raw(running.address))
    works(running)


def test_the_socket_is_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "lists.sock"
    with listen(str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(CannotListen, match="another process listens"):
            listen(str(path))
    listen(str(path)).close()  # what a process of before has left is no hindrance
    path.unlink()
    path.write_text("a file of somebody's")
    with pytest.raises(CannotListen, match="is no socket"):
        listen(str(path))
    path.parent.chmod(0o755)
    with pytest.raises(CannotListen, match="chmod 700"):
        listen(str(path))


def test_over_tcp_as_well(running: Running) -> None:
    listening = listen("127.0.0.1:0")
    address = f"127.0.0.1:{listening.getsockname()[1]}"
    made = ListServer(running.lists, BOOK, Shard(1, 1), KEY)
    made.start(listening)
    works(dataclasses.replace(running, address=address))
    with pytest.raises(CannotListen, match="cannot listen"):
        listen(address)
    made.close()
