"""The connection: both sides prove the key, each message is sealed, and nothing is waited for beyond the limit."""

import contextlib
import dataclasses
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.scope_index.protocol import IndexUnavailable
from app.scope_index.remote import pool, server
from app.scope_index.remote.address import CannotListen, listen
from app.scope_index.remote.client import RemoteLists
from app.scope_index.remote.connection import Channel, ChannelLost
from app.scope_index.remote.handshake import NONCE, TAG, Proof, Spoilt
from app.scope_index.remote.messages import LARGEST, Look, Reading, Welcome, pack, unpack
from tests.unit.scope_index.remote.search_server import (
    BOOK,
    DATABASE,
    KEY,
    NOW,
    OTHER_KEY,
    Peer,
    Running,
    greeted,
    raw,
    running_in,
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


@contextlib.contextmanager
def pretending(folder: Path, says: Callable[[Peer], None]) -> Iterator[str]:
    """The address of a server that says this to whoever connects first."""
    address = str(folder / "private" / "false.sock")
    with listen(address) as listening:

        def serve() -> None:
            with contextlib.closing(Peer(listening.accept()[0])) as peer, contextlib.suppress(OSError):
                says(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield address
        thread.join()


def knowing(peer: Peer) -> None:
    """A server's side of the proof, and a welcome."""
    ours = bytes(NONCE)
    peer.write(ours)
    proof = Proof(KEY, server=ours, client=peer.read()[:NONCE])
    peer.write(proof.of("server"))
    peer.says, peer.hears = proof.seal("server"), proof.seal("client")
    peer.hear()
    peer.say(pack(Welcome()))


def test_who_has_another_key_is_told_so_and_nothing_else(running: Running, said: list[EventDict]) -> None:
    assert running.remote(key=OTHER_KEY).view(NOW) is None
    works(running)
    told = str(said)
    assert "another key" in told
    assert KEY.decode() not in told
    assert OTHER_KEY.hex() not in told


def test_a_client_without_the_key_is_refused(running: Running) -> None:
    for proof in (bytes(TAG), Proof(OTHER_KEY, server=bytes(NONCE), client=bytes(NONCE)).of("client")):
        stranger = raw(running.address)
        stranger.read()
        stranger.write(bytes(NONCE) + proof)
        assert stranger.ended()


def test_a_server_without_the_key_is_refused(tmp_path: Path) -> None:
    """It welcomes everybody, and cannot prove the key: it can at most send back what the client has proved."""

    def welcomes(peer: Peer) -> None:
        peer.write(bytes(NONCE))
        given = peer.read()
        peer.write(given[NONCE:])
        peer.ended()

    with pretending(tmp_path, welcomes) as address, pytest.raises(ChannelLost, match="Spoilt"):
        Channel.connect(address, KEY, time.monotonic() + 20)


def test_what_was_said_once_is_worth_nothing_again(running: Running) -> None:
    """Not in its own connection, nor in another, nor changed, nor said back to its author."""
    first, asked = greeted(running.address), pack(Look(NOW, wake=False))
    sealed = first.says.close(asked)
    first.write(sealed)
    answer = first.read()
    assert unpack(first.hears.open(answer)) == Reading(NOW)
    for frame in (sealed, answer, b"", bytes(TAG) + asked):
        member = greeted(running.address)
        member.write(frame)
        assert member.ended()
    first.write(sealed)
    assert first.ended()
    changed = greeted(running.address)
    changed.write(changed.says.close(asked)[:-1] + b"\x01")
    assert changed.ended()
    works(running)


@given(st.binary(max_size=40), st.data())
def test_a_seal_holds_for_one_message_in_one_place(message: bytes, data: st.DataObject) -> None:
    proof = Proof(KEY, server=bytes(NONCE), client=b"c" * NONCE)
    sealed = proof.seal("client").close(message)
    assert proof.seal("client").open(sealed) == message
    others = (
        proof.seal("server"),
        Proof(OTHER_KEY, server=bytes(NONCE), client=b"c" * NONCE).seal("client"),
        Proof(KEY, server=b"c" * NONCE, client=bytes(NONCE)).seal("client"),
    )
    for other in others:
        with pytest.raises(Spoilt):
            other.open(sealed)
    late = proof.seal("client")
    late.close(message)
    with pytest.raises(Spoilt):
        late.open(sealed)
    turned = bytearray(sealed)
    turned[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Spoilt):
        proof.seal("client").open(bytes(turned))


def test_strangers_and_garbage_end_their_own_connection_alone(running: Running) -> None:
    huge = struct.pack("!I", LARGEST + TAG + 1)
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 400, huge, b"\x00\x00\x00\x40", b""):
        stranger = raw(running.address)
        stranger.socket.sendall(said)
        stranger.socket.shutdown(socket.SHUT_WR)
        assert stranger.ended()
    works(running)


def test_a_frame_that_is_too_long_is_not_read(running: Running) -> None:
    member = greeted(running.address)
    with pytest.raises(OSError, match=r".*"):
        member.say(bytes(LARGEST + 1))
    assert member.ended()
    works(running)


def test_a_silent_server_costs_its_time_limit_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody accepts: the first view waits, the others know better until the pause is over."""
    monkeypatch.setattr(pool, "SHORTEST_PAUSE", 3_600.0)
    monkeypatch.setattr(pool, "MAX_PAUSE", 3_600.0)
    tried = []
    connect = Channel.connect

    def counted(address: str, key: bytes, deadline: float) -> Channel:
        tried.append(address)
        return connect(address, key, deadline)

    monkeypatch.setattr(Channel, "connect", counted)
    with listen(str(tmp_path / "private" / "silent.sock")) as silent:
        remote = asking(str(silent.getsockname()), seconds=0.2)
        for _ in range(5):
            assert remote.view(NOW) is None
    assert len(tried) == 1
    assert remote.lost() == {"1/1": 1}


def test_after_the_pause_one_caller_tries_and_the_others_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SHORTEST_PAUSE", 1e-6)
    remote = asking(str(tmp_path / "nobody.sock"), seconds=60)
    assert remote.view(NOW) is None
    remote._shards[0]._permitted()
    with pytest.raises(IndexUnavailable, match="a moment ago"):
        remote._shards[0]._permitted()


def asking(address: str, *, seconds: float) -> RemoteLists:
    """An API process's side."""
    return RemoteLists([address], BOOK, key=KEY, seconds=seconds, database=lambda: DATABASE)


def dripping(peer: Peer, size: int) -> None:
    """Begins an answer and goes on with it for long: no single wait is."""
    peer.read()
    peer.socket.sendall(struct.pack("!I", size))
    for _ in range(100):
        peer.socket.sendall(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize("greets", [True, False])
def test_a_server_that_answers_drop_by_drop_costs_its_time_limit(
    tmp_path: Path, greets: bool, said: list[EventDict]
) -> None:
    def drips(peer: Peer) -> None:
        if greets:
            knowing(peer)
            dripping(peer, LARGEST)
        peer.write(bytes(NONCE))
        dripping(peer, TAG)

    with pretending(tmp_path, drips) as address:
        begun = time.monotonic()
        assert asking(address, seconds=0.5).view(NOW) is None
        assert time.monotonic() - begun < 5
    assert [told["error"] for told in said] == ["TimeoutError"]


def test_a_client_that_asks_drop_by_drop_is_not_waited_for(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    member = greeted(running.address)
    monkeypatch.setattr(server, "SECONDS", 0.5)
    member.socket.sendall(struct.pack("!I", LARGEST))
    with pytest.raises(OSError, match=r".*"):
        for _ in range(1_000):
            member.socket.sendall(b"x")
            time.sleep(0.02)
    member.close()


def test_a_server_that_ends_in_the_middle_of_an_answer_is_lost(tmp_path: Path, said: list[EventDict]) -> None:
    def ends(peer: Peer) -> None:
        knowing(peer)
        peer.read()
        peer.socket.sendall(struct.pack("!I", 100) + b"x" * 50)

    with pretending(tmp_path, ends) as address:
        assert asking(address, seconds=20).view(NOW) is None
    assert [told["error"] for told in said] == ["EOFError"]


def test_who_proves_nothing_is_not_waited_for(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(server, "SECONDS", 0.1)
        assert raw(running.address).ended()
    works(running)


def test_over_tcp_as_well(running: Running) -> None:
    listening = listen("127.0.0.1:0")
    address = f"127.0.0.1:{listening.getsockname()[1]}"
    made = served(running.lists)
    made.start(listening)
    works(dataclasses.replace(running, address=address))
    with pytest.raises(CannotListen, match="cannot listen"):
        listen(address)
    made.close()
