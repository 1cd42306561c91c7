"""An API process's side: the `Lists` of search processes. It holds connections, and nothing of the lists."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries, IndexUnavailable, ScanResult, merge
from app.scope_index.remote.messages import DEEPEST, Found, Look, Message, Reading, Scan
from app.scope_index.remote.pool import ShardPool
from app.scope_index.segment import score
from app.scope_index.sharding import Shard, shard_of
from app.scope_index.snapshot import Snapshot


class RemoteLists:
    """Lists in search processes, one for each shard. What they cannot answer in time PostgreSQL does."""

    def __init__(
        self,
        addresses: Sequence[str],
        book: ProductQuantizer,
        *,
        key: bytes,
        seconds: float,
        database: Callable[[], bytes],
    ) -> None:
        """`addresses` in the order of the shards; `seconds` is the limit of each question, and there are two a search.

        `database` gives the digest of the readers' database (`DatabaseIdentity`). Raises ValueError.
        """
        self._book, self._seconds = book, seconds
        self._shards = [
            ShardPool(address, Shard(n, len(addresses)), book, key=key, seconds=seconds, database=database)
            for n, address in enumerate(addresses, 1)
        ]
        self._met_news = threading.Event()

    def view(self, snapshot: Snapshot) -> "RemoteView | None":
        """See `VectorIndex`. Every shard is asked: which of them matter, only the scan will know."""
        wake = self._met_news.is_set()
        if wake:
            self._met_news.clear()
        try:
            answers = self._ask(dict.fromkeys(range(len(self._shards)), Look(snapshot, wake)))
        except IndexUnavailable:
            return None
        readings = [answer.since for answer in answers if isinstance(answer, Reading)]
        since = oldest(readings) if len(readings) == len(answers) else None
        if since is None or not snapshot.covers(since):
            return None
        return RemoteView(since, snapshot, self)

    def scan(self, view: "RemoteView", query: NDArray[np.float32], scopes: NDArray[np.int32], depth: int) -> ScanResult:
        """The best of the shards that own some of these scopes; raises IndexUnavailable."""
        if depth > DEEPEST:
            raise IndexUnavailable("more candidates were asked for than one message holds")
        owners = shard_of(scopes, len(self._shards))
        answers = self._ask(
            {
                int(n): Scan(view.snapshot, view.since, depth, query, scopes[owners == n])
                for n in np.unique(owners).tolist()
            }
        )
        found = [answer.near for answer in answers if isinstance(answer, Found)]
        if len(found) < len(answers):
            raise IndexUnavailable("the lists were renewed and have dropped what this reader sees")
        return merge(found, depth)

    def score(self, query: NDArray[np.float32], fresh: Entries) -> ScanResult:
        """What the reader brings along: scanned here, and the shards are told to look for news."""
        if len(fresh):
            self._met_news.set()
        return score(self._book, query, fresh)

    def close(self) -> None:
        """Close all connections that are not in use."""
        for shard in self._shards:
            shard.close()

    def lost(self) -> dict[str, int]:
        """How often each search process was lost, by its shard."""
        return {str(shard.shard): shard.failures for shard in self._shards}

    def _ask(self, requests: Mapping[int, Look | Scan]) -> list[Message]:
        """Send to all, then receive from all; raises IndexUnavailable if one of them fails."""
        deadline = time.monotonic() + self._seconds
        with contextlib.ExitStack() as taken:
            # All are taken before anything is sent: where one is known to be down, the others stay as they are.
            channels = [(taken.enter_context(self._shards[n].taken(deadline)), asked) for n, asked in requests.items()]
            for exchange, asked in channels:
                exchange.send(asked)
            return [exchange.receive() for exchange, _ in channels]


@dataclass(frozen=True)
class RemoteView:
    """The `IndexView` of search processes: what all of them had read when they were asked."""

    since: Snapshot
    snapshot: Snapshot
    lists: RemoteLists

    def scan(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> ScanResult:
        """See `IndexView`. Raises IndexUnavailable."""
        return self.lists.scan(self, query, scopes, depth)

    def score(self, query: NDArray[np.float32], fresh: Entries) -> ScanResult:
        """See `IndexView`."""
        return self.lists.score(query, fresh)


def oldest(readings: Sequence[Snapshot]) -> Snapshot | None:
    """The reading that all the others cover; None if there is none. Pure.

    Readings of one PostgreSQL are ordered by time. Those of a server and its replica need not be.
    """
    return next((r for r in readings if all(other.covers(r) for other in readings)), None)
