"""Connections to one search process, and what is known of whether it answers."""

import contextlib
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

from app import log
from app.scope_index.protocol import IndexUnavailable
from app.scope_index.remote.address import parse
from app.scope_index.remote.connection import Connection
from app.scope_index.remote.messages import IndexNotReady, InvalidMessage, Refused, ScanReply, ViewReply
from app.scope_index.remote.tls import SharedCertificate
from app.scope_index.sharding import Shard

R = TypeVar("R", ViewReply, ScanReply)

# Seconds that a search process is left alone after a failure; twice as long each time.
MIN_PAUSE, MAX_PAUSE = 0.1, 5.0
# Idle connections kept to each search process; while more are in use, more are opened.
MAX_IDLE = 16


class ShardPool:
    """Connections to one search process. The lock is never held while waiting for it."""

    def __init__(self, address: str, shard: Shard, certificate: SharedCertificate | None, *, seconds: float) -> None:
        """`seconds` is how long the one caller that tries after a failure may take. Raises ValueError."""
        parse(address)
        self.shard = shard
        self._address, self._certificate, self._seconds = address, certificate, seconds
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._failures = 0
        self._pause = self._retry_at = 0.0
        self._closed = False

    @property
    def failures(self) -> int:
        """How often the search process failed; requests that fail together count as one."""
        with self._lock:
            return self._failures

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            self._closed = True
        self._drop()

    def permit(self) -> int:
        """The number of failures so far, for `failed` and `not_tried`; raises IndexUnavailable during a pause."""
        with self._lock:
            now = time.monotonic()
            if now < self._retry_at:
                raise IndexUnavailable(f"shard {self.shard} did not answer a moment ago")
            if self._pause:
                # One caller tries; the others do not wait with it.
                self._retry_at = now + self._seconds
            return self._failures

    def take(self, deadline: float) -> Connection:
        """An idle connection, or a new one; raises OSError."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return Connection.connect(self._address, self._certificate, deadline)
            # What has come on it unasked is its end, or worse.
            if not connection.wait(0):
                return connection
            connection.close()

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next request."""
        with self._lock:
            kept = not self._closed and len(self._idle) < MAX_IDLE
            if kept:
                self._idle.append(connection)
        if not kept:
            connection.close()

    def answered(self) -> None:
        """The search process answers; everybody may ask it."""
        with self._lock:
            recovered = self._pause > 0
            self._pause = self._retry_at = 0.0
        if recovered:
            log.get().info("lists.back", shard=str(self.shard), address=self._address)

    def not_tried(self, permitted: int) -> None:
        """Nothing was asked of it, since another shard is down: the next caller may try."""
        with self._lock:
            if permitted == self._failures:
                self._retry_at = 0.0

    def failed(self, permitted: int, reason: str) -> None:
        """Leave the search process alone for a while; its idle connections are as dead as this one."""
        with self._lock:
            first = permitted == self._failures
            if first:
                self._failures += 1
                self._pause = min(max(2 * self._pause, MIN_PAUSE), MAX_PAUSE)
                self._retry_at = time.monotonic() + self._pause
        self._drop()
        if first:
            log.get().warning("lists.lost", shard=str(self.shard), address=self._address, error=reason)

    def _drop(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class Exchange:
    """One request and its reply on a connection of the pool, before one deadline. Methods raise IndexUnavailable."""

    def __init__(self, pool: ShardPool, deadline: float) -> None:
        self._pool, self._deadline, self._permitted = pool, deadline, pool.permit()
        self._sent = self._answered = False

    def __enter__(self) -> Self:
        with self._failure():
            self._connection = self._pool.take(self._deadline)
        return self

    def send(self, request: bytes) -> None:
        self._sent = True
        with self._failure():
            self._connection.send(request, self._deadline)

    def receive(self, expected: type[R]) -> R | IndexNotReady:
        with self._failure():
            reply = self._connection.receive(self._deadline)
            if isinstance(reply, Refused):
                raise InvalidMessage(reply.reason)
            if not isinstance(reply, expected | IndexNotReady):
                raise InvalidMessage("a reply that was not asked for")
        self._answered = True
        return reply

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._answered:
            self._pool.answered()
        elif not self._sent:
            self._pool.not_tried(self._permitted)
        if self._answered or not self._sent:
            self._pool.give_back(self._connection)
        else:
            self._connection.close()

    @contextlib.contextmanager
    def _failure(self) -> Iterator[None]:
        try:
            yield
        except (OSError, InvalidMessage) as error:
            reason = str(error) or type(error).__name__
            self._pool.failed(self._permitted, reason)
            raise IndexUnavailable(reason) from error
