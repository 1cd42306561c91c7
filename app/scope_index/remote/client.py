"""An API process's side: the `VectorIndex` of search processes. It holds connections, and nothing of the index."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries, IndexUnavailable, ScanResult, merge
from app.scope_index.remote.messages import (
    InvalidMessage,
    Request,
    ScanReply,
    ScanRequest,
    Target,
    ViewReply,
    ViewRequest,
    pack,
)
from app.scope_index.remote.pool import Exchange, R, ShardPool
from app.scope_index.remote.tls import SharedCertificate
from app.scope_index.segment import score
from app.scope_index.sharding import Shard, shard_of
from app.scope_index.snapshot import Snapshot


class RemoteIndex:
    """The index in search processes, one for each shard. What they cannot answer in time PostgreSQL does."""

    def __init__(
        self,
        addresses: Sequence[str],
        quantizer: ProductQuantizer,
        *,
        certificate: SharedCertificate | None,
        seconds: float,
        database: Callable[[], bytes],
    ) -> None:
        """`addresses` in the order of the shards; `seconds` limits each round trip, and there are two a search.

        `database` gives the digest of the readers' database (`DatabaseIdentity`). Raises ValueError.
        """
        self._quantizer, self._digest = quantizer, bytes.fromhex(quantizer.digest)
        self._seconds, self._database = seconds, database
        self._shards = [
            ShardPool(address, Shard(n, len(addresses)), certificate, seconds=seconds)
            for n, address in enumerate(addresses, 1)
        ]
        self._wake = threading.Event()

    def view(self, snapshot: Snapshot) -> "RemoteView | None":
        """See `VectorIndex`. Every shard is asked: which of them matter, only the scan will know."""
        wake = self._wake.is_set()
        if wake:
            self._wake.clear()
        try:
            replies = self._ask(
                {n: ViewRequest(self._target(n), snapshot, wake) for n in range(len(self._shards))}, ViewReply
            )
        except IndexUnavailable:
            return None
        since = oldest([reply.since for reply in replies])
        if since is None or not snapshot.covers(since):
            return None
        return RemoteView(since, snapshot, self)

    def scan(self, view: "RemoteView", query: NDArray[np.float32], scopes: NDArray[np.int32], depth: int) -> ScanResult:
        """The best of the shards that own some of these scopes; raises IndexUnavailable."""
        owners = shard_of(scopes, len(self._shards))
        replies = self._ask(
            {
                n: ScanRequest(self._target(n), view.snapshot, view.since, depth, query, scopes[owners == n])
                for n in np.unique(owners).tolist()
            },
            ScanReply,
        )
        return merge([reply.result for reply in replies], depth)

    def score(self, query: NDArray[np.float32], delta: Entries) -> ScanResult:
        """See `IndexView`. Computed here; the shards are told to read what is new."""
        if len(delta):
            self._wake.set()
        return score(self._quantizer, query, delta)

    def close(self) -> None:
        """Close all connections that are not in use."""
        for shard in self._shards:
            shard.close()

    def lost(self) -> dict[str, int]:
        """How often each search process failed, by its shard."""
        return {str(shard.shard): shard.failures for shard in self._shards}

    def _target(self, number: int) -> Target:
        try:
            database = self._database()
        except DatabaseUnavailable as error:
            # Not the search process's failure, and the reader will meet it itself.
            raise IndexUnavailable("the database does not say which one it is") from error
        return Target(self._digest, database, number + 1, len(self._shards))

    def _ask(self, requests: Mapping[int, Request], expected: type[R]) -> list[R]:
        """Send to all, then receive from all; raises IndexUnavailable if one of them does not give what is expected."""
        deadline = time.monotonic() + self._seconds
        try:
            packed = [(self._shards[n], pack(request)) for n, request in requests.items()]
        except InvalidMessage as error:
            raise IndexUnavailable(str(error)) from error
        with contextlib.ExitStack() as stack:
            # All are entered before anything is sent: where one is known to be down, the others stay as they are.
            exchanges = [(stack.enter_context(Exchange(shard, deadline)), request) for shard, request in packed]
            for exchange, request in exchanges:
                exchange.send(request)
            replies = [exchange.receive(expected) for exchange, _ in exchanges]
        given = [reply for reply in replies if isinstance(reply, expected)]
        if len(given) < len(replies):
            raise IndexUnavailable("an index is not loaded, or lacks what this reader sees")
        return given


@dataclass(frozen=True)
class RemoteView:
    """The `IndexView` of search processes: the snapshot that all of them are complete for."""

    since: Snapshot
    snapshot: Snapshot
    index: RemoteIndex

    def scan(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> ScanResult:
        """See `IndexView`. Raises IndexUnavailable."""
        return self.index.scan(self, query, scopes, depth)

    def score(self, query: NDArray[np.float32], delta: Entries) -> ScanResult:
        return self.index.score(query, delta)


def oldest(snapshots: Sequence[Snapshot]) -> Snapshot | None:
    """The snapshot that all the others cover; None if there is none. Pure.

    Those of one PostgreSQL are ordered by time. Those of a server and its replica need not be.
    """
    return next((s for s in snapshots if all(other.covers(s) for other in snapshots)), None)
