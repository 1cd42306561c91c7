"""Finds and stops a PostgreSQL server of ours that outlived the process that started it."""

import contextlib
import os
import select
import signal
import time
from pathlib import Path

from app.client.errors import UserError

INTERRUPT, QUIT, KILL = signal.SIGINT, signal.SIGQUIT, signal.SIGKILL  # fast stop, immediate stop, kill


class ForeignServer(UserError):
    """Somebody else's PostgreSQL server runs on the data folder."""


class ServerStillRunning(UserError):
    """A PostgreSQL process did not end in time."""


def stop_orphans(data: Path, mark: str | None, *, seconds: float = 30.0) -> None:
    """Stop all PostgreSQL processes on the folder `data`; the caller holds the lock of the folder.

    A server is ours if `mark`, its socket folder with a random name, is on its command line. Any other is left alone
    and raises ForeignServer. The lock file is removed last: its pid may belong to another program by now, and
    PostgreSQL would refuse to start. Raises ServerStillRunning.
    """
    # A server's child processes have a title in place of arguments; a process that is ending has none.
    arguments = {pid: _arguments(pid) for pid in _processes(data)}
    servers = {pid: args for pid, args in arguments.items() if args and not args.startswith(b"postgres: ")}
    for pid, args in servers.items():
        if not mark or mark.encode() not in args.split(b"\0"):
            raise ForeignServer(
                f"process {pid}, a PostgreSQL server started by something else, uses {data}; stop it first"
            )
    for pid in servers:
        _stop(pid, data, [(INTERRUPT, seconds), (QUIT, 10.0), (KILL, 5.0)])
    for pid in _processes(data):  # children of a killed server, which end by themselves
        _stop(pid, data, [(None, 1.0), (QUIT, 5.0), (KILL, 5.0)])
    if left := _processes(data):
        raise ServerStillRunning(f"PostgreSQL processes {left} on {data} do not end")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _processes(data: Path) -> list[int]:
    """Pids of PostgreSQL processes whose working folder is `data`, as that of a server and its children is."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, data)]


def _works_in(process: Path, data: Path) -> bool:
    try:
        return (process / "comm").read_text() == "postgres\n" and (process / "cwd").samefile(data)
    except OSError:  # it has ended, or is another user's
        return False


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _stop(pid: int, data: Path, steps: list[tuple[signal.Signals | None, float]]) -> None:
    """Send each signal and wait its seconds for the end. A pidfd cannot come to mean a later process."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if not _works_in(Path(f"/proc/{pid}"), data):
                return
            for number, seconds in steps:
                if number is not None:
                    signal.pidfd_send_signal(handle, number)
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
