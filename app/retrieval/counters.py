"""Counts how searches found the nearest: by the scope lists, or by PostgreSQL and why."""

import threading
from collections import Counter

from app.retrieval.dense import Outcome


class Tally:
    """Safe to use from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Outcome] = Counter()

    def count(self, outcome: Outcome) -> None:
        """One more."""
        with self._lock:
            self._counts[outcome] += 1

    def counts(self) -> dict[Outcome, int]:
        """How many of each so far."""
        with self._lock:
            return dict(self._counts)
