"""Whoever has more connections than another process leaves a new one to it, for a moment."""

import asyncio
import contextlib
import socket
import time

import pytest

from app.web.http.accepting import PATIENCE, Acceptor, Loads
from app.web.http.shared_table import Processes


async def seconds_to_accept(own: int, other: int | None) -> float:
    """How long a client waits for process 0, which has so many connections, beside process 1."""
    processes = Processes(2, 1)
    loads = Loads(processes)
    if other is not None:
        loads.set(other)
    processes.number = 0
    accepted = asyncio.Event()

    class Noting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken = transport.get_extra_info("socket")
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "small pieces are sent at once"
            accepted.set()
            transport.close()

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    acceptor = Acceptor(listener, Noting, loads, lambda: own)
    begun = time.monotonic()
    with contextlib.closing(acceptor), socket.create_connection(listener.getsockname()):
        await asyncio.wait_for(accepted.wait(), 10)
        return time.monotonic() - begun


@pytest.mark.parametrize(("own", "other"), [(3, 0), (1, 0), (100, 99)])
def test_one_that_has_more_waits(own: int, other: int) -> None:
    """But not for ever: the other one may be busy."""
    assert asyncio.run(seconds_to_accept(own, other)) >= PATIENCE


@pytest.mark.parametrize(("own", "other"), [(0, 0), (3, 3), (3, 4), (3, None)])
def test_one_that_has_no_more_or_is_alone_does_not(
    own: int, other: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.http.accepting.PATIENCE", 60.0)
    asyncio.run(seconds_to_accept(own, other))
