"""The lists of one search process: a base, a tail of what came since, and how they follow the database.

They are read from the database again and again, each time in a snapshot of its own, and hold what was there then. A
reader finds the newest of these snapshots that it covers: what it sees of that one's transactions was there then, and
is held. What it sees beyond brings the reader along, from its own snapshot. What it does *not* see (deleted, moved,
too new) the exact step drops, under row-level security. So nothing here has to know who sees what, or when: the lists
only have to hold enough, and the answer is that of the reader's own snapshot.
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
from app.indexing.quantizer import Codebook
from app.scope_index.protocol import Candidates, Entries, merge
from app.scope_index.segment import Segment, scored
from app.scope_index.snapshot import Snapshot

# A part of the tail is joined with the one before unless that one is so many times larger: few parts, little copying.
RATIO = 4
# When the base is made anew: the tail, or what is dead in the base, is so large and so large a share of it.
TAIL_LEAST, TAIL_SHARE = 20_000, 0.1
# Between two looks at how much is dead; and the least between two at what is new.
COUNT_SECONDS, PAUSE_SECONDS = 60.0, 0.05
# Snapshots remembered for readers that began a while ago.
REMEMBERED = 100


class _Stopped(Exception):
    """The lists are closed while they load: it can take minutes, and nobody waits for the result any more."""


class Source(Protocol):
    """Where the entries come from. Both calls give the snapshot that their rows were read in."""

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        """All entries there are; `progress` is told how many have come so far, and may raise to end it."""

    def changes(self, since: Snapshot) -> tuple[Snapshot, Entries]:
        """What was written by transactions that `since` does not see, and is still there."""

    def count(self) -> int:
        """How many entries there are now."""

    def close(self) -> None:
        """Let go of the connections."""


@dataclass(frozen=True)
class Part:
    """A part of the tail, with the entries it was made of."""

    segment: Segment
    entries: Entries


@dataclass(frozen=True)
class Generation:
    """What is searched. `known` are the snapshots it was read in, oldest first: the base in the first of them.

    A reader that does not cover the first one may still see what was gone by then, and is not here.
    """

    book: Codebook
    base: Segment
    tail: tuple[Part, ...]
    known: tuple[Snapshot, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The base and the parts of the tail."""
        return (self.base, *(p.segment for p in self.tail))

    @property
    def waiting(self) -> int:
        """Entries in the tail."""
        return sum(p.segment.size for p in self.tail)

    def grown(self, snapshot: Snapshot, fresh: Entries) -> "Generation":
        """With what was written since; parts of like size are joined, so that there are few of them."""
        known = (self.known[0], *self.known[1:][-REMEMBERED:], snapshot)
        if not len(fresh):
            return replace(self, known=known)
        parts, joined = list(self.tail), fresh
        while parts and len(parts[-1].entries) <= RATIO * len(joined):
            joined = Entries.join(parts.pop().entries, joined)
        return replace(self, tail=(*parts, Part(Segment(self.book, joined), joined)), known=known)


@dataclass(frozen=True)
class Held:
    """The `View` of a generation."""

    generation: Generation
    since: Snapshot
    wake: Callable[[], None]

    def candidates(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> Candidates:
        """See `View`."""
        turned = self.generation.book.rotate(query[None])
        segments = self.generation.segments
        return merge([near for segment in segments for near in segment.scan(turned, scopes, depth)], depth)

    def scored(self, query: NDArray[np.float32], fresh: Entries) -> Candidates:
        """See `View`."""
        if len(fresh):
            self.wake()
        return scored(self.generation.book, query, fresh)


class ScopeLists:
    """The lists in this process. Until they are loaded they answer nothing, and PostgreSQL does."""

    def __init__(self, source: Source, book: Codebook) -> None:
        self._source, self._book = source, book
        self._generation: Generation | None = None
        self._writing = threading.Lock()
        self._stop = threading.Event()
        self._due = threading.Event()
        self._thread: threading.Thread | None = None
        self._counted = -COUNT_SECONDS

    def start(self, *, seconds: float = 1.0) -> None:
        """Load in the background and follow the database from there: at once when a reader met something new."""
        self._thread = threading.Thread(target=self._keep, args=(seconds,), name="scope-lists", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the background thread and let go of the source."""
        self._stop.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        self._source.close()

    @property
    def ready(self) -> bool:
        """Whether the lists answer."""
        return self._generation is not None

    def view(self, snapshot: Snapshot) -> Held | None:
        """See `Lists`."""
        generation = self._generation
        if generation is None:
            return None
        for since in reversed(generation.known):
            if snapshot.covers(since):
                return Held(generation, since, self._due.set)
        return None

    def load(self) -> None:
        """Read the base anew and put it in the place of the old one, which serves meanwhile."""
        started = time.perf_counter()
        with self._writing:
            snapshot, base = self._read()
            self._generation = Generation(self._book, base, (), (snapshot,))
        _give_back()
        log.get().info("lists.loaded", entries=base.size, seconds=round(time.perf_counter() - started, 2))

    def _read(self) -> tuple[Snapshot, Segment]:
        tell = _progress()

        def going_on(entries: int) -> None:
            if self._stop.is_set():
                raise _Stopped
            tell(entries)

        snapshot, entries = self._source.load(going_on)
        return snapshot, Segment(self._book, entries)

    def follow(self) -> None:
        """Take up what was written since."""
        with self._writing:
            generation = self._generation
            if generation is not None:
                self._generation = generation.grown(*self._source.changes(generation.known[-1]))

    def _keep(self, seconds: float) -> None:
        while not self._stop.is_set():
            try:
                if self._is_due():
                    self.load()
                else:
                    self.follow()
            except _Stopped:
                return
            except Exception as error:  # noqa: BLE001  # the edge of a thread: PostgreSQL answers, and we try again
                cause = type(error.__cause__ or error).__name__
                log.get().error("lists.failed", error=cause, where=log.where(error))
                self._stop.wait(seconds)
            self._due.wait(seconds)
            self._due.clear()
            self._stop.wait(PAUSE_SECONDS)

    def _is_due(self) -> bool:
        """Whether the base should be made anew: there is none, much waits in the tail, or much in it is dead."""
        generation = self._generation
        if generation is None:
            return True
        bound = max(TAIL_LEAST, TAIL_SHARE * generation.base.size)
        return generation.waiting > bound or self._dead(generation) > bound

    def _dead(self, generation: Generation) -> int:
        """How many entries stand for nothing any more; counted now and then, for it takes as long as a large search."""
        if time.monotonic() - self._counted < COUNT_SECONDS:
            return 0
        self._counted = time.monotonic()
        return generation.base.size + generation.waiting - self._source.count()


def _give_back() -> None:
    """Hand memory back to the system: building takes four times what stays, and glibc would keep it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _progress() -> Callable[[int], None]:
    """Tells the log how far loading is, every few seconds."""
    told = time.monotonic()

    def tell(entries: int) -> None:
        nonlocal told
        if time.monotonic() - told > 5:
            told = time.monotonic()
            log.get().info("lists.loading", entries=entries)

    return tell
