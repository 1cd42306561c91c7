"""`clearance run` in a process of its own, for benchmarks of the whole service, and the processes that it starts."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.local.postgres import free_port

WELCOME = "Try:"  # the last heading that a run prints when it is ready
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Running:
    """A run that has said its welcome: its process, its URL, what it printed, and the seconds until the welcome."""

    process: subprocess.Popen[bytes]
    url: str
    said: str
    seconds: float


@contextlib.contextmanager
def running(home: Path) -> Iterator[Running]:
    """`clearance run` from when its welcome is there; it is ended at the end."""
    port, said = free_port(), home.parent / "said.txt"
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "CLEARANCE_API__PORT": str(port)}
    environ |= {"CLEARANCE_API__RATE_PER_MINUTE": "100000", "CLEARANCE_API__BURST": "1000"}
    begun = time.monotonic()
    with said.open("wb") as out:
        argv = [sys.executable, "-m", "app.cli", "run", "--home", str(home)]
        process = subprocess.Popen(argv, env=environ, stdout=out, stderr=subprocess.STDOUT)  # our own
    try:
        while WELCOME not in said.read_text("utf-8"):
            if process.poll() is not None:
                raise SystemExit(said.read_text("utf-8"))
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - begun
        yield Running(process, f"http://127.0.0.1:{port}", said.read_text("utf-8"), seconds)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def part_of(process: psutil.Process) -> str:
    """What a process of a run is: its module after `-m`, or the name of its program."""
    words = process.cmdline()
    if "-m" in words:
        return words[words.index("-m") + 1]
    return "postgres" if words and words[0].startswith("postgres") else process.name()


def find_part(run: subprocess.Popen[bytes], part: str) -> psutil.Process:
    """The process that is this part of the run."""
    [found] = [child for child in psutil.Process(run.pid).children() if part_of(child) == part]
    return found
