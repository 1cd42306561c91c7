"""The connection: frames of bounded size, and nothing is waited for beyond the limit."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from structlog.typing import EventDict

from app.scope_index.protocol import IndexUnavailable
from app.scope_index.remote import server
from app.scope_index.remote.address import listen
from app.scope_index.remote.connection import Connection
from app.scope_index.remote.messages import MAX_MESSAGE, pack
from app.scope_index.remote.tls import SharedCertificate
from tests.unit.scope_index.remote.search_server import (
    CERTIFICATE,
    NOW,
    Peer,
    Running,
    address_of,
    client,
    member,
    pause,
    scan_request,
    stranger,
    works,
)

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def pretending(where: str, says: Callable[[Peer], None], *, proves: bool = True) -> Iterator[str]:
    """The address of a server that says this to whoever connects first; with `proves`, it has the certificate."""
    with listen(where) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                opened = stack.enter_context(listening.accept()[0])
                if proves and opened.family != socket.AF_UNIX:
                    opened = stack.enter_context(CERTIFICATE.wrap(opened, server=True))
                    opened.do_handshake()
                says(Peer(opened))

        thread = threading.Thread(target=serve)
        thread.start()
        yield address_of(listening)
        thread.join()


def dripping(peer: Peer) -> None:
    """Begins an answer and goes on with it for long: no single wait is."""
    peer.socket.recv(4)
    peer.socket.sendall(struct.pack("!I", MAX_MESSAGE))
    for _ in range(100):
        peer.socket.sendall(b"x")
        time.sleep(0.1)


def test_strangers_and_garbage_end_their_own_connection_alone(running: Running) -> None:
    huge = struct.pack("!I", MAX_MESSAGE + 1)
    for opened in (stranger, member):
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 400, huge, b"\x00\x00\x00\x40", b""):
            peer = opened(running.address)
            peer.socket.sendall(said)
            if (opened, said) != (member, huge):  # the rest of a message that is too long is not waited for
                with contextlib.suppress(OSError):  # it may have ended already
                    socket.socket.shutdown(peer.socket, socket.SHUT_WR)
            assert peer.ended()
    works(running)


def test_a_server_says_nothing_unasked(running: Running) -> None:
    """Tickets of TLS, say: the pool would take a connection on which something has come for a broken one."""
    connection = Connection.connect(running.address, CERTIFICATE, time.monotonic() + 60)
    with contextlib.closing(connection):
        assert not connection.wait(200)


def test_a_silent_server_costs_its_time_limit_once(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody accepts: the first view waits, the others know better until the pause is over."""
    pause(monkeypatch, 3_600.0)
    tried = []
    connect = Connection.connect

    def counted(address: str, certificate: SharedCertificate | None, deadline: float) -> Connection:
        tried.append(address)
        return connect(address, certificate, deadline)

    monkeypatch.setattr(Connection, "connect", counted)
    with listen(where) as silent:
        remote = client([address_of(silent)], seconds=0.2)
        for _ in range(5):
            assert remote.view(NOW) is None
    assert len(tried) == 1
    assert remote.lost() == {"1/1": 1}


def test_after_the_pause_one_caller_tries_and_the_others_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause(monkeypatch, 1e-6)
    remote = client([str(tmp_path / "nobody.sock")], seconds=60)
    assert remote.view(NOW) is None
    remote._shards[0].permit()
    with pytest.raises(IndexUnavailable, match="a moment ago"):
        remote._shards[0].permit()


@pytest.mark.parametrize("proves", [True, False])
def test_a_server_that_answers_drop_by_drop_costs_its_time_limit(
    where: str, proves: bool, said: list[EventDict]
) -> None:
    """In its answer, or on TCP in the handshake: there it begins a record of TLS."""

    def drips(peer: Peer) -> None:
        if not proves:
            peer.socket.sendall(b"\x16\x03\x03\x40\x00")
        dripping(peer)

    with pretending(where, drips, proves=proves) as address:
        begun = time.monotonic()
        assert client([address], seconds=0.5).view(NOW) is None
        assert time.monotonic() - begun < 5
    assert len(said) == 1


def test_a_client_that_asks_drop_by_drop_is_not_waited_for(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = member(running.address)
    monkeypatch.setattr(server, "SECONDS", 0.5)
    peer.socket.sendall(struct.pack("!I", MAX_MESSAGE))
    with pytest.raises(OSError, match=r".*"):
        for _ in range(1_000):
            peer.socket.sendall(b"x")
            time.sleep(0.02)
    peer.close()


def test_a_client_that_takes_no_answer_is_not_waited_for(
    running: Running, monkeypatch: pytest.MonkeyPatch, said: list[EventDict]
) -> None:
    """It asks for more than the sockets hold and reads none of it."""
    monkeypatch.setattr(server, "SECONDS", 0.5)
    peer, request = member(running.address), pack(scan_request(depth=4_000, scopes=np.arange(1, 41, dtype=np.int32)))
    with pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLError)):
        for _ in range(1_000_000):
            peer.say(request)
    peer.close()
    assert "lists.connection_lost" in str(said)


def test_a_server_that_ends_in_the_middle_of_an_answer_is_lost(where: str, said: list[EventDict]) -> None:
    def ends(peer: Peer) -> None:
        peer.socket.recv(1 << 16)
        peer.socket.sendall(struct.pack("!I", 100) + b"x" * 50)

    with pretending(where, ends) as address:
        assert client([address], seconds=60).view(NOW) is None
    assert ["closed" in told["error"] or "reset" in told["error"] for told in said] == [True]


def test_who_shows_nothing_is_not_waited_for(on_tcp: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(server, "SECONDS", 0.1)
        assert stranger(on_tcp.address).ended()
    works(on_tcp)
