"""A client that hangs up in the middle of an answer."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

from tests.support.company import Company
from tests.support.questions import ON_LEAVE


@contextlib.contextmanager
def hanging_up(url: str, company: Company, *, after: bytes, **options: Any) -> Iterator[None]:
    """A client that asks, reads until `after` has come, and is gone."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"question": ON_LEAVE, "stream": True, **options}).encode()
    head = (
        f"POST /api/v1/ask HTTP/1.1\r\nHost: {host}\r\nAuthorization: {company.headers('ben')['Authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        read = b""
        while after not in read:
            piece = connection.recv(65_536)
            assert piece, read
            read += piece
        yield


def closed_within(company: Company, seconds: float) -> list[dict[str, Any]]:
    """The closing records, as soon as there is one or the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := company.records("answer.closed")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
