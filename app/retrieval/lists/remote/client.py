"""An API process's side: the `Lists` of search processes. It holds connections, and nothing of the lists."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app import log
from app.embedding.codebook import Codebook
from app.retrieval.lists.protocol import Candidates, Entries, ListsLost, merge
from app.retrieval.lists.remote.channel import Channel, ChannelLost, parse
from app.retrieval.lists.remote.wire import (
    DEEPEST,
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
from app.retrieval.lists.segment import scored
from app.retrieval.lists.shards import Shard, shard_of
from app.retrieval.lists.snapshot import Snapshot

# After a failure a search process is left alone for a while, each time for longer.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# Connections kept to each search process; while more are in use, more are opened.
KEPT = 16


class RemoteLists:
    """Lists in search processes, one for each shard. What they cannot answer in time PostgreSQL does."""

    def __init__(self, addresses: Sequence[str], book: Codebook, *, key: bytes, seconds: float) -> None:
        """`addresses` in the order of the shards; `seconds` is the limit of each question. Raises ValueError."""
        self._book, self._seconds = book, seconds
        self._shards = [
            _ShardPool(address, Shard(n, len(addresses)), book, key, seconds) for n, address in enumerate(addresses, 1)
        ]
        self._met_news = threading.Event()

    def view(self, snapshot: Snapshot) -> "RemoteView | None":
        """See `Lists`. Every shard is asked: which of them matter, only the scan will know."""
        wake = self._met_news.is_set()
        if wake:
            self._met_news.clear()
        try:
            answers = self._ask(dict.fromkeys(range(len(self._shards)), Look(snapshot, wake)))
        except ListsLost:
            return None
        readings = [answer.since for answer in answers if isinstance(answer, Reading)]
        since = oldest(readings) if len(readings) == len(answers) else None
        if since is None or not snapshot.covers(since):
            return None
        return RemoteView(since, snapshot, self)

    def scan(self, view: "RemoteView", query: NDArray[np.float32], scopes: NDArray[np.int32], depth: int) -> Candidates:
        """The best of the shards that own some of these scopes; raises ListsLost."""
        if depth > DEEPEST:
            raise ListsLost("more candidates were asked for than one message holds")
        owners = shard_of(scopes, len(self._shards))
        answers = self._ask(
            {
                int(n): Scan(view.snapshot, view.since, depth, query, scopes[owners == n])
                for n in np.unique(owners).tolist()
            }
        )
        found = [answer.near for answer in answers if isinstance(answer, Found)]
        if len(found) < len(answers):
            raise ListsLost("the lists were renewed and have dropped what this reader sees")
        return merge(found, depth)

    def scored(self, query: NDArray[np.float32], fresh: Entries) -> Candidates:
        """What the reader brings along: scanned here, and the shards are told to look for news."""
        if len(fresh):
            self._met_news.set()
        return scored(self._book, query, fresh)

    def close(self) -> None:
        """Close all connections that are not in use."""
        for shard in self._shards:
            shard.close()

    def _ask(self, requests: Mapping[int, Message]) -> list[Message]:
        """Send to all, then receive from all; raises ListsLost if one of them fails."""
        deadline = time.monotonic() + self._seconds
        with contextlib.ExitStack() as taken:
            # All are taken before anything is sent: where one is known to be down, the others stay as they are.
            channels = [(taken.enter_context(self._shards[n].taken()), asked) for n, asked in requests.items()]
            for exchange, asked in channels:
                exchange.send(asked)
            return [exchange.receive(deadline) for exchange, _ in channels]


@dataclass(frozen=True)
class RemoteView:
    """The `View` of search processes: what all of them had read when they were asked."""

    since: Snapshot
    snapshot: Snapshot
    lists: RemoteLists

    def candidates(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> Candidates:
        """See `View`. Raises ListsLost."""
        return self.lists.scan(self, query, scopes, depth)

    def scored(self, query: NDArray[np.float32], fresh: Entries) -> Candidates:
        """See `View`."""
        return self.lists.scored(query, fresh)


def oldest(readings: Sequence[Snapshot]) -> Snapshot | None:
    """The reading that all the others cover; None if there is none. Pure.

    Readings of one PostgreSQL are ordered by time. Those of a server and its replica need not be.
    """
    return next((r for r in readings if all(other.covers(r) for other in readings)), None)


class _Exchange:
    """A channel for one question and its answer."""

    def __init__(self, channel: Channel, failed: Callable[[Exception], None]) -> None:
        self.channel, self._failed = channel, failed
        self.owed = self.answered = False

    def send(self, asked: Message) -> None:
        try:
            self.channel.send(asked)
        except Malformed as error:
            raise ListsLost(str(error)) from error
        except ChannelLost as error:
            self.owed = True
            self._failed(error)
            raise ListsLost(str(error)) from error
        self.owed = True

    def receive(self, deadline: float) -> Message:
        try:
            answer = self.channel.receive(deadline)
            if not isinstance(answer, Reading | Nothing | Found):
                raise Malformed("an answer that was not asked for")
        except (ChannelLost, Malformed) as error:
            self._failed(error)
            raise ListsLost(str(error)) from error
        self.owed, self.answered = False, True
        return answer


class _ShardPool:
    """Connections to one search process. The lock is never held while waiting for it."""

    def __init__(self, address: str, shard: Shard, book: Codebook, key: bytes, seconds: float) -> None:
        parse(address)
        self._address, self._shard, self._key, self._seconds = address, shard, key, seconds
        self._hello = Hello(bytes.fromhex(book.digest), shard.number, shard.total)
        self._lock = threading.Lock()
        self._idle: list[Channel] = []
        self._failures = 0
        self._pause, self._retry_at = 0.0, -np.inf
        self._closed = False

    @contextlib.contextmanager
    def taken(self) -> Iterator[_Exchange]:
        """A channel, given back unless an answer is still owed on it; raises ListsLost."""
        failed = functools.partial(self._failed, self._permitted())
        exchange = _Exchange(self._idle_channel() or self._opened(failed), failed)
        try:
            yield exchange
        finally:
            self._give_back(exchange)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._drop()

    def _permitted(self) -> int:
        """How many failures there were so far; raises ListsLost during the pause after one."""
        with self._lock:
            now = time.monotonic()
            if now < self._retry_at:
                raise ListsLost(f"shard {self._shard} did not answer a moment ago")
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

    def _opened(self, failed: Callable[[Exception], None]) -> Channel:
        try:
            channel = Channel.connect(self._address, self._key, self._seconds)
            try:
                self._greet(channel)
            except BaseException:
                channel.close()
                raise
        except (ChannelLost, Malformed) as error:
            failed(error)
            raise ListsLost(str(error)) from error
        return channel

    def _greet(self, channel: Channel) -> None:
        channel.send(self._hello)
        welcome = channel.receive(time.monotonic() + self._seconds)
        if isinstance(welcome, Refused):
            raise Malformed(welcome.reason)
        if not isinstance(welcome, Welcome):
            raise Malformed("a greeting was not answered")

    def _give_back(self, exchange: _Exchange) -> None:
        with self._lock:
            if exchange.answered:
                self._pause, self._retry_at = 0.0, -np.inf
            kept = not exchange.owed and not self._closed and len(self._idle) < KEPT
            if kept:
                self._idle.append(exchange.channel)
        if not kept:
            exchange.channel.close()

    def _failed(self, known: int, error: Exception) -> None:
        """Leave it alone for a while, and count but once all that fail together: what is idle is as dead."""
        with self._lock:
            first = known == self._failures
            if first:
                self._failures += 1
                self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
                self._retry_at = time.monotonic() + self._pause
        self._drop()
        if first:
            log.get().warning("lists.lost", shard=str(self._shard), address=self._address, error=str(error))

    def _drop(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for channel in idle:
            channel.close()
