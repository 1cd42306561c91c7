"""Takes connections from a socket on which several processes listen, so that each has about as many open.

By themselves they would not: whichever wakes first takes all that wait, and a client keeps its connection for long.
"""

import asyncio
import contextlib
import mmap
import socket
import struct
from collections.abc import Callable

from app import log
from app.web.http.shared_table import MAX_PROCESSES, Processes

# How long a connection is left to a process that has fewer; one that is busy or dead takes longer.
PATIENCE = 0.01
# How long nothing is accepted after an error, which mostly is that there are too many descriptors.
PAUSE = 1.0
BACKLOG = 2048
_CELL = struct.Struct("<i")
_NOT_SERVING = -1


class Loads:
    """The open connections of each process, which it writes down itself. Made before the processes part."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._memory = mmap.mmap(-1, MAX_PROCESSES * _CELL.size)
        for number in range(MAX_PROCESSES):
            self._write(number, _NOT_SERVING)

    def set(self, connections: int) -> None:
        """This process has so many."""
        self._write(self._processes.number, connections)

    def close(self) -> None:
        """This process serves no longer."""
        self._write(self._processes.number, _NOT_SERVING)

    def forget_process(self, number: int) -> None:
        """This one serves no longer."""
        self._write(number, _NOT_SERVING)

    def least(self) -> int:
        """The smallest number that a serving process has."""
        found = (_CELL.unpack_from(self._memory, _CELL.size * number)[0] for number in range(self._processes.count))
        return min((many for many in found if many != _NOT_SERVING), default=0)

    def _write(self, number: int, value: int) -> None:
        _CELL.pack_into(self._memory, _CELL.size * number, value)


class Acceptor:
    """Accepts for one event loop. `protocol` makes what serves a connection; `open_connections` counts them."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        loads: Loads,
        open_connections: Callable[[], int],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener, self._protocol, self._loads, self._open = listener, protocol, loads, open_connections
        self._coming: set[asyncio.Task[object]] = set()
        self._waited = False
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._timer: asyncio.TimerHandle | None = None
        self._watch()

    def close(self) -> None:
        """Accept nothing more, and leave the socket to the others."""
        self._loads.close()
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _watch(self) -> None:
        self._timer = None
        self._loads.set(self._open() + len(self._coming))
        self._loop.add_reader(self._listener, self._somebody_waits)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(seconds, self._watch)

    def _somebody_waits(self) -> None:
        own = self._open() + len(self._coming)
        self._loads.set(own)
        if own > self._loads.least() and not self._waited:
            self._waited = True
            self._pause(PATIENCE)
            return
        self._waited = False
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            log.get().error("connection.not_accepted", error=error.strerror)
            self._pause(PAUSE)
            return
        self._loads.set(own + 1)
        task = self._loop.create_task(self._serve(connection))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            # asyncio does so for servers of its own. Without it an answer of two pieces takes 40 ms more.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # it is gone already
            await self._loop.connect_accepted_socket(self._protocol, connection)
