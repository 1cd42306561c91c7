"""A program that is watched: how it is started, how it ended, and when it may be started again."""

import abc
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.client.errors import UserError
from app.local.launcher import launch_command

MAX_LOG_BYTES = 20_000_000
LOG_TAIL_LINES = 12
STABLE_SECONDS = 60.0  # a program that ran this long is restarted without a pause
MAX_FAILURES = 6  # so often in succession a program may end sooner than that; then all is over
POLL_SECONDS = 0.05


class ProgramEnded(UserError):
    """A program has ended before it was ready, or keeps ending; the message holds the last lines of its log."""


@dataclass(frozen=True)
class Program:
    """A program to start: `argv[0]` is an absolute path, `env` is the whole environment.

    `ready` is polled until it returns true, for at most `ready_seconds`. With a `listener`, a socket that listens, the
    program is started when somebody connects to it, and accepts their connection from the descriptor of this number.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    listener: socket.socket | None = None


class Watched(abc.ABC):
    """Something that is started again when it ends, after a pause that doubles with each failure in succession."""

    name: str

    def __init__(self) -> None:
        self.failures, self.resume_at = 0, 0.0
        self.down = False  # whether it is to be started, from `resume_at` on
        self.started = time.monotonic()

    @abc.abstractmethod
    def ended(self) -> bool:
        """Whether it has ended."""

    @abc.abstractmethod
    def launch(self) -> object:
        """Start it, and note when. Raises UserError if it cannot be started."""

    @abc.abstractmethod
    def report(self) -> str:
        """How it ended, and the last lines of its log."""

    def is_wanted(self) -> bool:
        """Whether it is to run now."""
        return True

    def when(self, pause: float) -> str:
        """When it is started again, as words."""
        return f"in {pause:.0f} s"

    def plan_restart(self, now: float) -> float:
        """Note that it failed; gives the seconds until the next start. Raises ProgramEnded if it keeps failing."""
        self.failures = 0 if now - self.started > STABLE_SECONDS else self.failures + 1
        if self.failures >= MAX_FAILURES:
            raise ProgramEnded(f"{self.report()}\n  ended {MAX_FAILURES} times in succession: given up")
        pause = 2.0 ** (self.failures - 1) if self.failures else 0.0
        self.down, self.resume_at = True, now + pause
        return pause


class Child(Watched):
    """A program to start. It leads its own process group: Ctrl-C on the terminal reaches only the supervisor."""

    def __init__(self, program: Program, log: Path) -> None:
        super().__init__()
        self.program, self.log, self.name = program, log, program.name
        self.process: subprocess.Popen[bytes] | None = None
        self.down = True

    @property
    def pid(self) -> int | None:
        """Its process id while it runs, or is not reaped yet."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    def is_wanted(self) -> bool:
        """Whether somebody waits at its socket, if it is to be started for them."""
        listener = self.program.listener
        return listener is None or bool(select.select([listener], [], [], 0)[0])

    def when(self, pause: float) -> str:
        later = super().when(pause)
        return later if self.program.listener is None else f"when it is asked, {later} at the earliest"

    def launch(self) -> int:
        """Start it; returns its pid."""
        self.down = False
        listener = self.program.listener
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._begin = os.fstat(descriptor).st_size
            self.started = time.monotonic()
            self.process = subprocess.Popen(  # noqa: S603  # argv and environment come from the caller
                launch_command(self.program.argv), env=dict(self.program.env), stdin=subprocess.DEVNULL,
                stdout=descriptor, stderr=descriptor, process_group=0,
                pass_fds=() if listener is None else (listener.fileno(),),
            )  # fmt: skip
        finally:
            os.close(descriptor)
        return self.process.pid

    def ended(self) -> bool:
        """Whether it has ended. It is not reaped yet, so its pid and group cannot belong to another process."""
        if self.process is None or self.process.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def collect(self) -> int:
        """Kill what is left of its process group and reap it; returns the exit status (-N: by signal N)."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()

    def stop(self, grace_seconds: float) -> None:
        if self.program.listener is not None:
            self.program.listener.close()
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
            while not self.ended() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS / 5)
            self.collect()

    def report(self) -> str:
        """How it ended, and the last lines of its log since its start."""
        code = self.collect()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        return f"{self.program.name} ended {how}; last lines of {self.log}:\n{self.log_tail()}"

    def log_tail(self) -> str:
        with self.log.open("rb") as file:
            file.seek(self._begin)
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:]) or "  (nothing)"

    def shorten_log(self) -> None:
        """Rotate the log if it is large. The program appends, so it continues at the new end."""
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > MAX_LOG_BYTES:
                shutil.copy(self.log, self.log.with_suffix(".log.1"))
                os.truncate(self.log, 0)
                self._begin = 0


class Adopted(Watched):
    """A process that was started elsewhere, and is started again there."""

    def __init__(self, name: str, *, alive: Callable[[], bool], start: Callable[[], object], log: Path) -> None:
        super().__init__()
        self.name, self.log = name, log
        self._alive, self._start = alive, start

    def ended(self) -> bool:
        return not self._alive()

    def launch(self) -> None:
        self.down, self.started = False, time.monotonic()
        self._start()

    def report(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return f"{self.name} ended; last lines of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)
