"""Limits for who has shown no valid key: requests by address, in a table that does not grow."""

import hashlib
import threading
import time
from collections import OrderedDict

from app.settings import ApiSettings
from app.web.http.shared_table import WAYS, Processes, SharedTable

MAX_ADDRESSES = 16_384
MAX_KNOWN_KEYS = 10_000


class StrangerLimits:
    """A token bucket for each address (IPv6: each /64), of all API processes together; beyond MAX_ADDRESSES, or in a
    set of the table that is full before, the longest unused is forgotten.
    """

    def __init__(self, settings: ApiSettings, table: SharedTable | None = None) -> None:
        self._rate = settings.stranger_rate_per_minute / 60
        self._burst = float(settings.stranger_burst)
        self._table = SharedTable(Processes(), sets=MAX_ADDRESSES // WAYS) if table is None else table

    def take(self, group: str, cost: float = 1.0) -> int:
        """Count one request of this address; 0 if it may go on, else the seconds to wait, and nothing is counted.

        `cost`: how much of a request it is.
        """
        now = time.monotonic()
        with self._table.bucket(group.encode(), full=self._burst, now=now) as bucket:
            bucket.tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.filled_at) * self._rate)
            bucket.filled_at = now
            if bucket.tokens < cost:
                return int((cost - bucket.tokens) / self._rate) + 1
            bucket.tokens -= cost
            return 0

    def give_back(self, group: str, requests: int = 1) -> None:
        """These requests were nobody strange's after all."""
        self._table.give_back(group.encode(), requests, full=self._burst)

    def __len__(self) -> int:
        return len(self._table)


class KnownKeys:
    """Digests of keys that were valid when this process last saw them.

    They open nothing: each request looks its key up all the same. They say which keys need not queue with strangers
    while somebody floods us with wrong ones.
    """

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, secret: str) -> bool:
        return hashlib.sha256(secret.encode()).digest() in self._digests

    def add(self, secret: str) -> None:
        digest = hashlib.sha256(secret.encode()).digest()
        with self._lock:
            self._digests[digest] = None
            self._digests.move_to_end(digest)
            if len(self._digests) > MAX_KNOWN_KEYS:
                self._digests.popitem(last=False)

    def discard(self, secret: str) -> None:
        with self._lock:
            self._digests.pop(hashlib.sha256(secret.encode()).digest(), None)
