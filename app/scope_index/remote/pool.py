"""Connections to one search process, and what is known of whether it answers."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from app import log
from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import IndexUnavailable
from app.scope_index.remote.address import parse
from app.scope_index.remote.connection import Channel, ChannelLost
from app.scope_index.remote.messages import (
    Found,
    Hello,
    Look,
    Malformed,
    Message,
    Nothing,
    Reading,
    Refused,
    Scan,
    Welcome,
)
from app.scope_index.sharding import Shard

# After a failure a search process is left alone for a while, each time for longer.
SHORTEST_PAUSE, MAX_PAUSE = 0.1, 5.0
# Connections kept to each search process; while more are in use, more are opened.
KEPT = 16


class Exchange:
    """A channel for one question and its answer, both before one deadline."""

    def __init__(self, channel: Channel, deadline: float, failed: Callable[[Exception], None]) -> None:
        self.channel, self._deadline, self._failed = channel, deadline, failed
        self._answer: type[Message] = Nothing
        self.owed = self.answered = False

    def send(self, asked: Look | Scan) -> None:
        """Raises IndexUnavailable."""
        self._answer = Reading if isinstance(asked, Look) else Found
        try:
            self.channel.send(asked, self._deadline)
        except Malformed as error:
            # Nothing was sent, and the search process is not to blame.
            raise IndexUnavailable(str(error)) from error
        except ChannelLost as error:
            self.owed = True
            self._failed(error)
            raise IndexUnavailable(str(error)) from error
        self.owed = True

    def receive(self) -> Message:
        """What was asked for, or Nothing; raises IndexUnavailable."""
        try:
            answer = self.channel.receive(self._deadline)
            if not isinstance(answer, self._answer | Nothing):
                raise Malformed("an answer that was not asked for")
        except (ChannelLost, Malformed) as error:
            self._failed(error)
            raise IndexUnavailable(str(error)) from error
        self.owed, self.answered = False, True
        return answer


class ShardPool:
    """Connections to one search process. The lock is never held while waiting for it."""

    def __init__(
        self,
        address: str,
        shard: Shard,
        book: ProductQuantizer,
        *,
        key: bytes,
        seconds: float,
        database: Callable[[], bytes],
    ) -> None:
        """`seconds` is how long a question may take; `database` says which one is meant. Raises ValueError."""
        parse(address)
        self._address, self.shard, self._book, self._key = address, shard, book, key
        self._seconds, self._database = seconds, database
        self._lock = threading.Lock()
        self._idle: list[Channel] = []
        self._failures = 0
        self._pause, self._retry_at = 0.0, -np.inf
        self._closed = False

    @property
    def failures(self) -> int:
        """How often it was lost; all that fail together count as one."""
        with self._lock:
            return self._failures

    @contextlib.contextmanager
    def taken(self, deadline: float) -> Iterator[Exchange]:
        """A channel, given back unless an answer is still owed on it; raises IndexUnavailable."""
        known = self._permitted()
        failed = functools.partial(self._failed, known)
        exchange: Exchange | None = None
        try:
            exchange = Exchange(self._idle_channel() or self._opened(deadline, failed), deadline, failed)
            yield exchange
        finally:
            if exchange is not None:
                self._give_back(exchange)
            if exchange is None or not (exchange.owed or exchange.answered):
                self._not_tried(known)

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            self._closed = True
        self._drop()

    def _permitted(self) -> int:
        """How many failures there were so far; raises IndexUnavailable during the pause after one."""
        with self._lock:
            now = time.monotonic()
            if now < self._retry_at:
                raise IndexUnavailable(f"shard {self.shard} did not answer a moment ago")
            if self._pause:
                # One caller tries; the others do not wait with it.
                self._retry_at = now + self._seconds
            return self._failures

    def _idle_channel(self) -> Channel | None:
        while True:
            with self._lock:
                channel = self._idle.pop() if self._idle else None
            if channel is None or channel.fresh:
                return channel
            channel.close()

    def _opened(self, deadline: float, failed: Callable[[Exception], None]) -> Channel:
        try:
            channel = Channel.connect(self._address, self._key, deadline)
            try:
                hello = Hello(bytes.fromhex(self._book.digest), self._database(), self.shard.number, self.shard.total)
                greet(channel, hello, deadline)
            except BaseException:
                channel.close()
                raise
        except (ChannelLost, Malformed) as error:
            failed(error)
            raise IndexUnavailable(str(error)) from error
        except DatabaseUnavailable as error:
            # Not the search process's failure, and the reader will meet it itself.
            raise IndexUnavailable("the database does not say which one it is") from error
        return channel

    def _give_back(self, exchange: Exchange) -> None:
        with self._lock:
            back = exchange.answered and self._pause > 0
            if exchange.answered:
                self._pause, self._retry_at = 0.0, -np.inf
            kept = not exchange.owed and not self._closed and len(self._idle) < KEPT
            if kept:
                self._idle.append(exchange.channel)
        if not kept:
            exchange.channel.close()
        if back:
            log.get().info("lists.back", shard=str(self.shard), address=self._address)

    def _not_tried(self, known: int) -> None:
        """Nothing was asked of it, since another shard is down or the database is: the next caller may try."""
        with self._lock:
            if known == self._failures:
                self._retry_at = -np.inf

    def _failed(self, known: int, error: Exception) -> None:
        """Leave it alone for a while, and count but once all that fail together: what is idle is as dead."""
        with self._lock:
            first = known == self._failures
            if first:
                self._failures += 1
                self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), MAX_PAUSE)
                self._retry_at = time.monotonic() + self._pause
        self._drop()
        if first:
            log.get().warning("lists.lost", shard=str(self.shard), address=self._address, error=str(error))

    def _drop(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for channel in idle:
            channel.close()


def greet(channel: Channel, hello: Hello, deadline: float) -> None:
    """Make sure that the search process is what it is taken for; raises ChannelLost, or Malformed with its reason."""
    channel.send(hello, deadline)
    welcome = channel.receive(deadline)
    if isinstance(welcome, Refused):
        raise Malformed(welcome.reason)
    if not isinstance(welcome, Welcome):
        raise Malformed("a greeting was not answered")
