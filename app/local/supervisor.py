"""Starts programs, watches them, starts again those that end, and stops all of them, last first."""

import abc
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from app.client.errors import UserError
from app.local.launcher import launch_command

MAX_LOG_BYTES = 20_000_000
LOG_TAIL_LINES = 12
STABLE_SECONDS = 60.0  # a program that ran this long is restarted without a pause
MAX_FAILURES = 6  # so often in succession a program may end sooner than that; then all is over
POLL_SECONDS = 0.05


class StopRequested(KeyboardInterrupt):
    """SIGINT or SIGTERM was received."""


class ProgramEnded(UserError):
    """A program has ended before it was ready, or keeps ending; the message holds the last lines of its log."""


class NotReady(UserError):
    """A program runs but did not become ready in time."""


@dataclass(frozen=True)
class Program:
    """A program to start: `argv[0]` is an absolute path, `env` is the whole environment.

    `ready` is polled until it returns true, for at most `ready_seconds`.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0


class _Watched(abc.ABC):
    """Something that is started again when it ends, after a pause that doubles with each failure in succession."""

    name: str

    def __init__(self) -> None:
        self.failures, self.resume_at = 0, 0.0
        self.started = time.monotonic()

    @abc.abstractmethod
    def ended(self) -> bool:
        """Whether it has ended."""

    @abc.abstractmethod
    def launch(self) -> None:
        """Start it, and note when. Raises UserError if it cannot be started."""

    @abc.abstractmethod
    def report(self) -> str:
        """How it ended, and the last lines of its log."""

    def plan_restart(self, now: float) -> float:
        """Note that it failed; gives the seconds until the next start. Raises ProgramEnded if it keeps failing."""
        self.failures = 0 if now - self.started > STABLE_SECONDS else self.failures + 1
        if self.failures >= MAX_FAILURES:
            raise ProgramEnded(f"{self.report()}\n  ended {MAX_FAILURES} times in succession: given up")
        pause = 2.0 ** (self.failures - 1) if self.failures else 0.0
        self.resume_at = now + pause
        return pause


class _Child(_Watched):
    """A started program. It leads its own process group, so that Ctrl-C on the terminal reaches only the supervisor."""

    def __init__(self, program: Program, log: Path) -> None:
        super().__init__()
        self.program, self.log, self.name = program, log, program.name
        self.launch()

    def launch(self) -> None:
        self.resume_at = 0.0
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._begin = os.fstat(descriptor).st_size
            self.started = time.monotonic()
            self.process = subprocess.Popen(  # noqa: S603  # argv and environment come from the caller
                launch_command(self.program.argv), env=dict(self.program.env), stdin=subprocess.DEVNULL,
                stdout=descriptor, stderr=descriptor, process_group=0,
            )  # fmt: skip
        finally:
            os.close(descriptor)

    def ended(self) -> bool:
        """Whether it has ended. It is not reaped yet, so its pid and group cannot belong to another process."""
        if self.process.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def collect(self) -> int:
        """Kill what is left of its process group and reap it; returns the exit status (-N: by signal N)."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()

    def stop(self, grace_seconds: float) -> None:
        if self.process.returncode is None:
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


class _Adopted(_Watched):
    """A process that was started elsewhere, and is started again there."""

    def __init__(self, name: str, *, alive: Callable[[], bool], start: Callable[[], object], log: Path) -> None:
        super().__init__()
        self.name, self.log = name, log
        self._alive, self._start = alive, start

    def ended(self) -> bool:
        return not self._alive()

    def launch(self) -> None:
        self.resume_at, self.started = 0.0, time.monotonic()
        self._start()

    def report(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return f"{self.name} ended; last lines of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)


class Supervisor:
    """A context manager that turns SIGINT and SIGTERM into StopRequested, and stops its programs on exit.

    Logs go to `logs/NAME.log`. `report` gets a message for each program that ended and is started again. Main thread
    only.
    """

    def __init__(self, logs: Path, *, report: Callable[[str], None], grace_seconds: float = 10.0) -> None:
        self._logs, self._report, self._grace = logs, report, grace_seconds
        self._children: list[_Child] = []
        self._adopted: list[_Adopted] = []
        self._stops = contextlib.ExitStack()  # last in, first out; one that fails does not prevent the others
        self._previous_handlers: dict[signal.Signals, signal._HANDLER] = {}
        self._stopping = False

    def __enter__(self) -> Self:
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous_handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True  # a second Ctrl-C does not interrupt the shutdown
        try:
            self._stops.close()
        finally:
            for number, handler in self._previous_handlers.items():
                signal.signal(number, handler)

    @property
    def pids(self) -> dict[str, int]:
        return {child.program.name: child.process.pid for child in self._children if child.process.returncode is None}

    def start(self, program: Program) -> int:
        """Start a program and wait until it is ready; returns its pid. Raises ProgramEnded or NotReady."""
        child = _Child(program, self._logs / f"{program.name}.log")
        self._children.append(child)
        self._stops.callback(child.stop, self._grace)
        deadline = time.monotonic() + program.ready_seconds
        while program.ready is not None and not program.ready():
            if child.ended():
                child.collect()
                raise ProgramEnded(child.report())
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{program.name} is not ready after {program.ready_seconds:.0f} s; last lines of {child.log}:\n"
                    f"{child.log_tail()}"
                )
            time.sleep(POLL_SECONDS)
        return child.process.pid

    def adopt(
        self,
        name: str,
        *,
        alive: Callable[[], bool],
        start: Callable[[], object],
        stop: Callable[[], None],
        log: Path,
    ) -> None:
        """Watch a process that was started elsewhere, start it again there, and in its turn stop it."""
        self._adopted.append(_Adopted(name, alive=alive, start=start, log=log))
        self._stops.callback(stop)

    def check(self) -> None:
        """Look at all programs once, and start again those that ended when it is time. Raises ProgramEnded."""
        for child in self._children:
            child.shorten_log()
        for watched in (*self._adopted, *self._children):
            now = time.monotonic()
            if watched.resume_at:
                if now >= watched.resume_at:
                    self._launch(watched)
            elif watched.ended():
                self._plan_restart(watched, watched.report())

    def run(self) -> None:
        """Check again and again, until StopRequested or ProgramEnded."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS * 4)

    def _launch(self, watched: _Watched) -> None:
        try:
            watched.launch()
        except UserError as error:
            self._plan_restart(watched, str(error))

    def _plan_restart(self, watched: _Watched, why: str) -> None:
        pause = watched.plan_restart(time.monotonic())
        self._report(f"{why}\n  {watched.name} is started again in {pause:.0f} s")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise StopRequested(signal.Signals(number).name)
