"""The scope index of one process: a base, a tail of newer rows, and how both follow the database.

Each refresh reads the database in a new snapshot and keeps the rows seen in it. For a reader we take the newest of
these snapshots that the reader's own one covers, so the index holds all that both see. The reader supplies the rows
newer than that snapshot. Entries the reader does *not* see (deleted, moved, too new) are dropped by the exact step,
under row-level security. So the index need not know who sees what, or when: it has to hold enough, and the answer is
that of the reader's own snapshot.
"""

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app import log
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries, ScanResult, merge
from app.scope_index.segment import Segment, score
from app.scope_index.snapshot import Snapshot

# A part of the tail is merged into the one before unless that is more than this many times larger.
MERGE_RATIO = 4
# The base is rebuilt once the tail, or the number of dead entries, exceeds both: a number, and a share of the base.
MIN_TAIL, MAX_TAIL_SHARE = 20_000, 0.1
# Seconds between two counts of dead entries; and at least between two reads of what is new.
COUNT_INTERVAL, MIN_INTERVAL = 60.0, 0.05
# Seconds between two log lines about the progress of a load.
LOG_INTERVAL = 5.0
# Snapshots kept for readers that began a while ago.
MAX_SNAPSHOTS = 100


class _Stopped(Exception):
    """The index was closed while loading, which can take minutes: nobody waits for the result any more."""


class EntrySource(Protocol):
    """The database behind the index. `load` and `changes` return the snapshot that their rows were read in."""

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        """All entries; `progress` is called with their number so far, and may raise to end the load."""

    def changes(self, since: Snapshot) -> tuple[Snapshot, Entries]:
        """The entries written by transactions that `since` does not see, without those deleted again."""

    def count(self) -> int:
        """The number of entries now."""

    def close(self) -> None:
        """Close the connections."""


@dataclass(frozen=True)
class TailPart:
    """A part of the tail, with the entries it was built from, for merging."""

    segment: Segment
    entries: Entries


@dataclass(frozen=True)
class Generation:
    """What is searched. `snapshots` are those it was read in, oldest first: the base in the first of them.

    A reader that does not cover the first one may still see rows that were deleted by then.
    """

    quantizer: ProductQuantizer
    base: Segment
    tail: tuple[TailPart, ...]
    snapshots: tuple[Snapshot, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The base and the parts of the tail."""
        return (self.base, *(p.segment for p in self.tail))

    @property
    def tail_size(self) -> int:
        return sum(p.segment.size for p in self.tail)

    def extended(self, snapshot: Snapshot, entries: Entries) -> "Generation":
        """This generation with newer entries; parts of similar size are merged, so that there are few of them."""
        snapshots = (self.snapshots[0], *self.snapshots[1:][-MAX_SNAPSHOTS:], snapshot)
        if not len(entries):
            return replace(self, snapshots=snapshots)
        parts = list(self.tail)
        while parts and len(parts[-1].entries) <= MERGE_RATIO * len(entries):
            entries = Entries.join(parts.pop().entries, entries)
        return replace(self, tail=(*parts, TailPart(Segment(self.quantizer, entries), entries)), snapshots=snapshots)


@dataclass(frozen=True)
class GenerationView:
    """An `IndexView` of one generation; `wake` starts the next refresh."""

    generation: Generation
    since: Snapshot
    wake: Callable[[], None]

    def scan(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> ScanResult:
        rotated = self.generation.quantizer.rotate(query[None])
        segments = self.generation.segments
        return merge([scan for segment in segments for scan in segment.scan(rotated, scopes, depth)], depth)

    def score(self, query: NDArray[np.float32], delta: Entries) -> ScanResult:
        if len(delta):
            self.wake()
        return score(self.generation.quantizer, query, delta)


class ScopeIndex:
    """The `VectorIndex` in this process. Until it is loaded it gives no view, and PostgreSQL answers."""

    def __init__(self, source: EntrySource, quantizer: ProductQuantizer) -> None:
        self._source, self._quantizer = source, quantizer
        self._generation: Generation | None = None
        self._refresh_lock = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._counted_at = -COUNT_INTERVAL

    def start(self, *, seconds: float = 1.0) -> None:
        """Load in the background, then refresh every `seconds`, and at once when a reader supplies a delta."""
        self._thread = threading.Thread(target=self._run, args=(seconds,), name="scope-lists", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the background thread and close the source."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self._source.close()

    @property
    def ready(self) -> bool:
        return self._generation is not None

    def view(self, snapshot: Snapshot) -> GenerationView | None:
        generation = self._generation
        if generation is None:
            return None
        for since in reversed(generation.snapshots):
            if snapshot.covers(since):
                return GenerationView(generation, since, self._wake.set)
        return None

    def load(self) -> None:
        """Rebuild the base and swap it in; the old one serves meanwhile."""
        started = time.perf_counter()
        with self._refresh_lock:
            snapshot, base = self._read()
            self._generation = Generation(self._quantizer, base, (), (snapshot,))
        _trim_memory()
        log.get().info("lists.loaded", entries=base.size, seconds=round(time.perf_counter() - started, 2))

    def _read(self) -> tuple[Snapshot, Segment]:
        logged = time.monotonic()

        def progress(entries: int) -> None:
            nonlocal logged
            if self._stop.is_set():
                raise _Stopped
            if time.monotonic() - logged > LOG_INTERVAL:
                logged = time.monotonic()
                log.get().info("lists.loading", entries=entries)

        snapshot, entries = self._source.load(progress)
        return snapshot, Segment(self._quantizer, entries)

    def follow(self) -> None:
        """Add the entries written since the last refresh."""
        with self._refresh_lock:
            generation = self._generation
            if generation is not None:
                self._generation = generation.extended(*self._source.changes(generation.snapshots[-1]))

    def _run(self, seconds: float) -> None:
        while not self._stop.is_set():
            try:
                if self._must_load():
                    self.load()
                else:
                    self.follow()
            except _Stopped:
                return
            except Exception as error:  # noqa: BLE001  # nothing above this thread would log it; PostgreSQL answers, and we retry
                cause = type(error.__cause__ or error).__name__
                log.get().error("lists.failed", error=cause, where=log.where(error))
                self._stop.wait(seconds)
            self._wake.wait(seconds)
            self._wake.clear()
            self._stop.wait(MIN_INTERVAL)

    def _must_load(self) -> bool:
        """Whether to rebuild the base: there is none, the tail is large, or many entries are dead."""
        generation = self._generation
        if generation is None:
            return True
        bound = max(MIN_TAIL, MAX_TAIL_SHARE * generation.base.size)
        return generation.tail_size > bound or self._dead(generation) > bound

    def _dead(self, generation: Generation) -> int:
        """Entries whose rows are gone; 0 within COUNT_INTERVAL, since counting takes as long as a large search."""
        if time.monotonic() - self._counted_at < COUNT_INTERVAL:
            return 0
        self._counted_at = time.monotonic()
        return generation.base.size + generation.tail_size - self._source.count()


def _trim_memory() -> None:
    """Return freed memory to the system: building takes four times what stays, and glibc would keep it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
