"""A file that is looked at again while the service runs."""

import threading
from collections.abc import Callable
from pathlib import Path


def file_state(path: Path) -> tuple[int, ...]:
    """What changes with the file. Raises OSError."""
    now = path.stat()
    return now.st_mtime_ns, now.st_size, now.st_ino


class Refresher:
    """Calls `refresh`, which raises nothing, every so often in a thread of its own."""

    def __init__(self, refresh: Callable[[], None], *, seconds: float, name: str) -> None:
        self._refresh, self._seconds = refresh, seconds
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End it, also if it was never started."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _keep(self) -> None:
        while not self._closing.wait(self._seconds):
            self._refresh()
