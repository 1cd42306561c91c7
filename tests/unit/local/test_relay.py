"""The relay before the model server: bytes go on at once, both ways, and so does the end of a side."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from app.local.relay import relay


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(5)
        yield listening


@pytest.fixture
def caller(server: socket.socket) -> Iterator[socket.socket]:
    """A connection to the relay, which began to serve only when it waited already."""
    listener = socket.create_server(("127.0.0.1", 0))
    with closing(socket.create_connection(listener.getsockname(), timeout=5)) as connection:
        Thread(target=asyncio.run, args=[relay(listener, server.getsockname()[1])], daemon=True).start()
        yield connection


def test_each_piece_arrives_before_the_next_is_sent(server: socket.socket, caller: socket.socket) -> None:
    caller.sendall(b"question")
    there, _ = server.accept()
    with there:
        there.settimeout(5)
        assert there.recv(100) == b"question"
        for piece in (b"first", b"second"):
            there.sendall(piece)
            assert caller.recv(100) == piece
        there.shutdown(socket.SHUT_WR)
        assert caller.recv(100) == b""


def test_the_server_sees_a_caller_hang_up(server: socket.socket, caller: socket.socket) -> None:
    caller.sendall(b"question")
    there, _ = server.accept()
    with there:
        there.settimeout(5)
        assert there.recv(100) == b"question"
        caller.close()
        assert there.recv(100) == b""


def test_a_caller_of_a_server_that_died_is_told(server: socket.socket, caller: socket.socket) -> None:
    caller.sendall(b"question")
    there, _ = server.accept()
    there.close()  # with bytes that nobody read: a reset
    with pytest.raises((AssertionError, ConnectionError)):
        assert caller.recv(100) != b""
