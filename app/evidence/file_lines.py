"""The lines of an exported file in their order, of a large one read by several processes.

Each reads a part of the file and gives back what is to know of its entries, a part of which is a twentieth of the part
itself. Any line that is not sound by itself comes back as it is, so that all findings are made in one place.
"""

import errno
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import BinaryIO, TypeAlias

from app.evidence.sound_entry import SoundEntry, sound_entry

# An entry that is right by itself, or a line as it stands.
Line: TypeAlias = SoundEntry | bytes
# Of a smaller file the processes would take longer to start than they save.
PARALLEL_BYTES = 64 << 20
PART_BYTES = 2 << 20


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a file; its first, which is its header's, always as it stands. Raises OSError, also where a process
    that reads a part of it ends too early.
    """
    size, processes = path.stat().st_size, _processors()
    if size < PARALLEL_BYTES or processes == 1:
        yield from lines_between(path, 0, None)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        try:
            yield from _in_order(pool, path, size, ahead=2 * processes)
        except BrokenProcessPool as error:
            raise OSError(errno.EIO, "a process that read a part of it ended: verify again", str(path)) from error
        finally:
            pool.shutdown(cancel_futures=True)


def lines_between(path: Path, begin: int, end: int | None) -> Iterator[Line]:
    """The lines that begin at or behind the byte `begin`, and before `end` if there is one."""
    with path.open("rb") as file:
        place = begin and _next_line(file, begin, end)
        for line in file:
            if end is not None and place >= end:
                return
            yield (place and sound_entry(line)) or line
            place += len(line)


def _in_order(pool: ProcessPoolExecutor, path: Path, size: int, *, ahead: int) -> Iterator[Line]:
    """The lines of all parts; so many of them, and no more, are read before they are needed."""
    waiting = deque[Future[list[Line]]]()
    for begin in range(0, size, PART_BYTES):
        end = begin + PART_BYTES
        # What is added while it is read belongs to it, as to a file that one process reads.
        waiting.append(pool.submit(_part, path, begin, end if end < size else None))
        if len(waiting) > ahead:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def _part(path: Path, begin: int, end: int | None) -> list[Line]:
    return list(lines_between(path, begin, end))


def _next_line(file: BinaryIO, begin: int, end: int | None) -> int:
    """Go to where the first line begins that does so at or behind `begin`; of a line without an end no more is read
    than the part that is asked for.
    """
    place = file.seek(begin - 1)
    while end is None or place < end:
        piece = file.readline(PART_BYTES)
        place += len(piece)
        if not piece or piece.endswith(b"\n"):
            break
    return place


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
