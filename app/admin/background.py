"""Work of this process that goes on beside the requests, in threads that do not keep it from ending."""

import threading
from collections.abc import Callable

Spawn = Callable[[Callable[[], None]], threading.Thread]


def start_thread(work: Callable[[], None]) -> threading.Thread:
    """A thread that does this beside the requests."""
    thread = threading.Thread(target=work, name="background", daemon=True)
    thread.start()
    return thread


class BackgroundWork:
    """Threads that are told when the process ends: what they do looks at `stopping` now and then."""

    def __init__(self, spawn: Spawn = start_thread) -> None:
        self.stopping = threading.Event()
        self._spawn = spawn
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> None:
        """Do this in a thread of its own."""
        thread = self._spawn(work)
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]

    def close(self, seconds: float = 5.0) -> None:
        """Say that the process ends, and wait a moment for each."""
        self.stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(seconds)
