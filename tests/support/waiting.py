"""Waiting for what another process or thread is about to do, with a bound on the time."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(
    what: Callable[[], T],
    *,
    seconds: float = 20.0,
    message: Callable[[], str] | str = "it never came to be",
    child: "subprocess.Popen[Any] | None" = None,
) -> T:
    """What it gives, as soon as that is true. Raises AssertionError with the message when the time is over, or when the
    child that is to bring it about has ended.
    """
    deadline = time.monotonic() + seconds
    while not (found := what()):
        in_time = time.monotonic() < deadline and (child is None or child.poll() is None)
        assert in_time, message() if callable(message) else message
        time.sleep(0.01)
    return found


def alive(pid: int) -> bool:
    """Whether this process runs: one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
