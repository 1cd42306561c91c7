"""What the API processes of one service count together: buckets and running requests, in memory made before they part.

A table has a fixed number of places, in sets: a name has its place in one set, by a hash whose key is drawn for this
run, so that nobody can choose names that push one another out. In a full set the longest unused gives way; one with
running requests never does.
"""

import fcntl
import hashlib
import mmap
import os
import secrets
import struct
import threading
import time
import weakref
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MAX_PROCESSES = 16
WAYS = 8
# Digest of the name, tokens, when they were filled (monotonic: one clock for all processes), running by process.
_ENTRY = struct.Struct(f"<16sdd{MAX_PROCESSES}H")
_RUNNING = 32  # bytes before them
_EMPTY = bytes(16)
# As many as an entry can count for one process.
MAX_RUNNING = 0xFFFF


class TableFull(Exception):
    """All places of a set have running requests."""


class ProcessLock:
    """Held by one thread of one process; the kernel releases it when the process dies, however it dies.

    One for all tables: the kernel takes a circle of *processes* that wait for a deadlock, even where threads have none.
    """

    def __init__(self, count: int) -> None:
        self._inside = threading.Lock()
        # Record locks are of a process, not of a thread: therefore both. Alone there is nobody else to wait for.
        self._file = os.memfd_create("clearance-lock") if count > 1 else None
        if self._file is not None:
            weakref.finalize(self, os.close, self._file)

    def __enter__(self) -> None:
        self._inside.acquire()
        if self._file is not None:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX)
            except BaseException:
                self._inside.release()
                raise

    def __exit__(self, *_: object) -> None:
        try:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
        finally:
            self._inside.release()


@dataclass
class Processes:
    """How many API processes there are, and which of them this is, from 0; a process sets its number when it begins."""

    count: int = 1
    number: int = 0
    lock: ProcessLock = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_PROCESSES:
            raise ValueError(f"between 1 and {MAX_PROCESSES} processes, not {self.count}")
        self.lock = ProcessLock(self.count)


@dataclass
class Bucket:
    """What stands at a place. `running` by process."""

    tokens: float
    filled_at: float
    running: list[int]


class SharedTable:
    """Buckets by name. Made before the processes part; a name is any bytes."""

    def __init__(self, processes: Processes, *, sets: int) -> None:
        self._processes, self._sets = processes, max(1, sets)
        self._memory = mmap.mmap(-1, self._sets * WAYS * _ENTRY.size)
        self._key = secrets.token_bytes(16)

    @contextmanager
    def bucket(self, name: bytes, *, full: float, now: float) -> Iterator[Bucket]:
        """The bucket of this name, held by nobody else meanwhile; a new one has `full` tokens.

        What is done to it stays, also where the block raises. Raises TableFull.
        """
        digest = self._digest(name)
        with self._processes.lock:
            place = self._find(digest)
            if place is None:
                place, found = self._free(digest), Bucket(full, now, [0] * MAX_PROCESSES)
            else:
                found = self._read(place)
            try:
                yield found
            finally:
                _ENTRY.pack_into(self._memory, place, digest, found.tokens, found.filled_at, *found.running)

    def give_back(self, name: bytes, tokens: float, *, full: float) -> None:
        """Add these, up to `full`, if there is such a bucket."""
        digest = self._digest(name)
        with self._processes.lock:
            place = self._find(digest)
            if place is not None:
                found = self._read(place)
                total = min(full, found.tokens + tokens)
                _ENTRY.pack_into(self._memory, place, digest, total, found.filled_at, *found.running)

    def hold(self, name: bytes, limit: int = MAX_RUNNING) -> bool:
        """Count one more running for this process, unless all processes together have `limit`, or there is no place."""
        try:
            with self.bucket(name, full=0.0, now=time.monotonic()) as found:
                return self.begin(found, limit)
        except TableFull:
            return False

    def begin(self, bucket: Bucket, limit: int) -> bool:
        """The same for a bucket that is held."""
        if sum(bucket.running) >= limit or bucket.running[self._processes.number] >= MAX_RUNNING:
            return False
        bucket.running[self._processes.number] += 1
        return True

    def release(self, name: bytes) -> None:
        """One that this process counted runs no longer."""
        digest, own = self._digest(name), 2 * self._processes.number + _RUNNING
        with self._processes.lock:
            place = self._find(digest)
            if place is not None:
                (running,) = struct.unpack_from("<H", self._memory, place + own)
                struct.pack_into("<H", self._memory, place + own, max(0, running - 1))

    def holders(self, name: bytes) -> list[int]:
        """The processes in which something of this name runs."""
        digest = self._digest(name)
        with self._processes.lock:
            place = self._find(digest)
            running = [] if place is None else self._read(place).running
        return [number for number, many in enumerate(running) if many]

    def forget_process(self, number: int) -> None:
        """This process is dead: nothing runs in it any more."""
        column = slice(_RUNNING // 2 + number, None, _ENTRY.size // 2)
        with self._processes.lock, memoryview(self._memory).cast("H") as cells, cells[column] as own:
            own[:] = array("H", [0]) * len(own)

    def __len__(self) -> int:
        """The number of places taken."""
        with self._processes.lock:
            places = range(0, len(self._memory), _ENTRY.size)
            return sum(self._memory[place : place + 16] != _EMPTY for place in places)

    def _digest(self, name: bytes) -> bytes:
        return hashlib.blake2b(name, key=self._key, digest_size=16).digest()

    def _places(self, digest: bytes) -> range:
        first = int.from_bytes(digest[:8], "little") % self._sets * WAYS * _ENTRY.size
        return range(first, first + WAYS * _ENTRY.size, _ENTRY.size)

    def _find(self, digest: bytes) -> int | None:
        return next((at for at in self._places(digest) if self._memory[at : at + 16] == digest), None)

    def _free(self, digest: bytes) -> int:
        """A free place in the name's set, or that of the longest unused."""
        oldest: tuple[float, int] | None = None
        for place in self._places(digest):
            if self._memory[place : place + 16] == _EMPTY:
                return place
            found = self._read(place)
            if not any(found.running) and (oldest is None or found.filled_at < oldest[0]):
                oldest = found.filled_at, place
        if oldest is None:
            raise TableFull
        return oldest[1]

    def _read(self, place: int) -> Bucket:
        _, tokens, filled_at, *running = _ENTRY.unpack_from(self._memory, place)
        return Bucket(tokens, filled_at, running)
