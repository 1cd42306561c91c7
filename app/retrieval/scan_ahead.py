"""Starts the scan of the index while PostgreSQL gathers the words' lists: neither waits for the other.

It saves time and no work. What is found is what the index would have said when asked later: the view is of the
reader's own snapshot.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.retrieval.reader import ReaderSnapshot
from app.scope_index.protocol import Entries, IndexUnavailable, IndexView, ScanResult, VectorIndex
from app.scope_index.snapshot import Snapshot

# More at once would not run: each scan occupies a core. A search that finds none free scans by itself.
THREADS = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="scan-ahead")


@dataclass(frozen=True)
class _Scanned:
    """The view, and what the scan gave; the error that it ended with."""

    view: IndexView
    found: ScanResult | IndexUnavailable


@dataclass(frozen=True)
class _AheadView:
    """An `IndexView` that knows the answer to one question."""

    scanned: _Scanned
    query: NDArray[np.float32]
    scopes: NDArray[np.int32]
    depth: int

    @property
    def since(self) -> Snapshot:
        return self.scanned.view.since

    def scan(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> ScanResult:
        """As `IndexView` has it."""
        if query is not self.query or scopes is not self.scopes or depth != self.depth:
            return self.scanned.view.scan(query, scopes, depth=depth)
        if isinstance(self.scanned.found, IndexUnavailable):
            raise self.scanned.found
        return self.scanned.found

    def score(self, query: NDArray[np.float32], delta: Entries) -> ScanResult:
        """As `IndexView` has it."""
        return self.scanned.view.score(query, delta)


class ScanAhead:
    """The `VectorIndex` of one search, whose scan runs already."""

    def __init__(self, index: VectorIndex, reader: ReaderSnapshot, query: NDArray[np.float32], depth: int) -> None:
        self._index, self._reader, self._query, self._depth = index, reader, query, depth
        self._scopes = reader.scopes
        self._scan: Future[_Scanned | None] = THREADS.submit(self._run)

    def view(self, snapshot: Snapshot) -> IndexView | None:
        """As `VectorIndex` has it; of the reader's snapshot with its scan."""
        if snapshot is not self._reader.corpus.snapshot:
            return self._index.view(snapshot)
        scanned = self._run() if self._scan.cancel() else self._scan.result()
        return None if scanned is None else _AheadView(scanned, self._query, self._scopes, self._depth)

    def close(self) -> None:
        """Nothing of its own is left open."""

    def _run(self) -> _Scanned | None:
        view = self._index.view(self._reader.corpus.snapshot)
        if view is None:
            return None
        try:
            return _Scanned(view, view.scan(self._query, self._scopes, depth=self._depth))
        except IndexUnavailable as error:
            return _Scanned(view, error)
