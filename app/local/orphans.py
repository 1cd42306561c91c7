"""A PostgreSQL server that outlived the process that started it: found, proved to be ours, and stopped."""

import contextlib
import os
import select
import signal
import time
from pathlib import Path

from app.client.errors import UserError

INTERRUPT, QUIT, KILL = signal.SIGINT, signal.SIGQUIT, signal.SIGKILL  # fast stop, stop without a checkpoint, neither


class NotOurs(UserError):
    """A server that we did not start runs on the data folder."""


class WillNotStop(UserError):
    """A server did not end in time."""


def stop_leftovers(data: Path, mark: str | None, *, seconds: float = 30.0) -> None:
    """Leave no PostgreSQL process on the folder `data`; the caller holds the lock that says that no runner is alive.

    A server is ours when `mark` (its socket folder, a name drawn at random) is on its command line. Any other raises
    NotOurs and is left alone. The lock file goes only after no process works in the folder any more: the number in it
    may belong to some other program by now, and PostgreSQL would refuse to start.
    """
    # A server's own processes replace their arguments by a title; a process that is just ending has none any more.
    found = {pid: _arguments(pid) for pid in _processes(data)}
    servers = {pid: given for pid, given in found.items() if given and not given.startswith(b"postgres: ")}
    for pid, given in servers.items():
        if not mark or mark.encode() not in given.split(b"\0"):
            raise NotOurs(f"process {pid}, a PostgreSQL server started by something else, uses {data}; stop it first")
    for pid in servers:
        _stop(pid, data, [(INTERRUPT, seconds), (QUIT, 10.0), (KILL, 5.0)])
    for pid in _processes(data):  # after a kill -9 of the server, its busy processes live on; they end by themselves
        _stop(pid, data, [(None, 1.0), (QUIT, 5.0), (KILL, 5.0)])
    if left := _processes(data):
        raise WillNotStop(f"PostgreSQL processes {left} on {data} do not end")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _processes(data: Path) -> list[int]:
    """PostgreSQL processes whose working folder is `data`, as that of a server and all its processes is."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, data)]


def _works_in(process: Path, data: Path) -> bool:
    try:
        return (process / "comm").read_text() == "postgres\n" and (process / "cwd").samefile(data)
    except OSError:  # it ended, or is another user's and so is no concern of ours
        return False


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _stop(pid: int, data: Path, steps: list[tuple[signal.Signals | None, float]]) -> None:
    """Send each signal and wait its seconds for the end. The handle keeps the number from meaning a later process."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if not _works_in(Path(f"/proc/{pid}"), data):
                return
            for which, seconds in steps:
                if which is not None:
                    signal.pidfd_send_signal(handle, which)
                if _ended(handle, seconds):
                    return
        finally:
            os.close(handle)


def _ended(handle: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([handle], [], [], left)[0]:
            return True
    return False
