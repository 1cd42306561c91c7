"""Starts programs, watches them, starts again those that end, and stops all of them, last first."""

import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from app.client.errors import UserError
from app.local.programs import POLL_SECONDS, Adopted, Child, Program, ProgramEnded, Watched


class StopRequested(KeyboardInterrupt):
    """SIGINT or SIGTERM was received."""


class NotReady(UserError):
    """A program runs but did not become ready in time."""


class Supervisor:
    """A context manager that turns SIGINT and SIGTERM into StopRequested, and stops its programs on exit.

    Logs go to `logs/NAME.log`. `report` gets a message for each program that ended and is started again. Main thread
    only.
    """

    def __init__(self, logs: Path, *, report: Callable[[str], None], grace_seconds: float = 10.0) -> None:
        self._logs, self._report, self._grace = logs, report, grace_seconds
        self._children: list[Child] = []
        self._adopted: list[Adopted] = []
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
        return {child.name: child.pid for child in self._children if child.pid is not None}

    def start(self, program: Program) -> int:
        """Start a program and wait until it is ready; returns its pid. Raises ProgramEnded or NotReady."""
        child = self._add(program)
        pid = child.launch()
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
        return pid

    def start_on_demand(self, program: Program) -> None:
        """Start a program as soon as somebody connects to its `listener`; until then they wait in its backlog."""
        self._add(program)

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
        self._adopted.append(Adopted(name, alive=alive, start=start, log=log))
        self._stops.callback(stop)

    def check(self) -> None:
        """Look at all programs once, and start again those that ended when it is time. Raises ProgramEnded."""
        for child in self._children:
            child.shorten_log()
        for watched in (*self._adopted, *self._children):
            now = time.monotonic()
            if watched.down:
                if now >= watched.resume_at and watched.is_wanted():
                    self._launch(watched)
            elif watched.ended():
                self._plan_restart(watched, watched.report())

    def run(self) -> None:
        """Check again and again, until StopRequested or ProgramEnded."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS * 4)

    def _add(self, program: Program) -> Child:
        child = Child(program, self._logs / f"{program.name}.log")
        self._children.append(child)
        self._stops.callback(child.stop, self._grace)
        return child

    def _launch(self, watched: Watched) -> None:
        try:
            watched.launch()
        except UserError as error:
            self._plan_restart(watched, str(error))

    def _plan_restart(self, watched: Watched, why: str) -> None:
        pause = watched.plan_restart(time.monotonic())
        self._report(f"{why}\n  {watched.name} is started again {watched.when(pause)}")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise StopRequested(signal.Signals(number).name)
