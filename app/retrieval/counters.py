"""Counts how searches found the nearest passages: by the scope index, or by PostgreSQL and why."""

import threading
from collections import Counter

from app.retrieval.dense import Outcome


class OutcomeCounter:
    """Safe to use from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Outcome] = Counter()

    def count(self, outcome: Outcome) -> None:
        with self._lock:
            self._counts[outcome] += 1

    def counts(self) -> dict[Outcome, int]:
        """Searches by outcome since the process began."""
        with self._lock:
            return dict(self._counts)
