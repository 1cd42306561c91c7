"""Several processes from one: they share what was loaded before they parted, and one that dies is replaced.

The first process serves nobody. It passes signals on, waits, and ends when processes keep dying, with their status:
whoever watches it sees what they would see of a single process.
"""

import ctypes
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app import log
from app.hardening import forbid_inspection

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOPS = (signal.SIGTERM, signal.SIGINT)
WATCHED = (*STOPS, signal.SIGCHLD)
# A process that lived shorter has failed; so many in succession, of all of them, and it is given up.
STABLE_SECONDS, MAX_FAILURES = 10.0, 6
# Seconds before a failed one is started again, doubled with each in succession.
FIRST_PAUSE = 0.25

_libc = ctypes.CDLL(None, use_errno=True)


class ThreadsBeforeFork(RuntimeError):
    """The process has other threads already: what they hold locked would stay so in its copies."""


@dataclass(frozen=True)
class ServingProcess:
    """A process that serves: its number from 0, and when it was started."""

    number: int
    started: float


class Prefork:
    """Runs `serve` in `count` processes, with a number each; `forget` is told the number of one that has ended.

    `grace` is how long they may take to end after a signal.
    """

    def __init__(
        self, count: int, serve: Callable[[int], None], *, forget: Callable[[int], None], grace: float
    ) -> None:
        self._count, self._serve, self._forget, self._grace = count, serve, forget, grace
        self._children: dict[int, ServingProcess] = {}
        self._due: dict[int, float] = {}
        self._failures = 0
        self._mask: set[int] = set()

    def run(self) -> int:
        """Until a signal ends it, or a process keeps dying: gives that one's exit status, or -N for signal N.

        Raises ThreadsBeforeFork. Main thread only.
        """
        require_one_thread()
        gc.collect()
        gc.freeze()  # the collector would write to the pages that all of them share
        self._mask = {int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)}
        for number in range(self._count):
            self._start(number)
        while True:
            got = signal.sigtimedwait(WATCHED, self._seconds_to_wait())
            if got is not None and got.si_signo in STOPS:
                self._stop_children(signal.Signals(got.si_signo))
                return -got.si_signo
            for child, status in self._ended():
                if self._has_failed(child, status):
                    self._stop_children(signal.SIGTERM)
                    return status
            self._start_due()

    def _seconds_to_wait(self) -> float:
        return max(0.0, min(self._due.values(), default=time.monotonic() + 60.0) - time.monotonic())

    def _ended(self) -> list[tuple[ServingProcess, int]]:
        """Those that have ended meanwhile, with their exit status as a shell gives it."""
        found = []
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                child = self._children.pop(pid)
                self._forget(child.number)
                found.append((child, code if code >= 0 else 128 - code))
        return found

    def _has_failed(self, child: ServingProcess, status: int) -> bool:
        """Plan its successor, unless too many failed in succession."""
        now = time.monotonic()
        self._failures = 0 if now - child.started > STABLE_SECONDS else self._failures + 1
        log.get().warning("api.process_ended", number=child.number, status=status)
        self._due[child.number] = now + (FIRST_PAUSE * 2 ** (self._failures - 1) if self._failures else 0.0)
        return self._failures >= MAX_FAILURES

    def _start_due(self) -> None:
        for number in [number for number, due in self._due.items() if due <= time.monotonic()]:
            del self._due[number]
            self._start(number)

    def _start(self, number: int) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be_child(parent, number)
        self._children[pid] = ServingProcess(number, time.monotonic())

    def _be_child(self, parent: int, number: int) -> None:
        """Serve, and never return."""
        status = 1
        try:
            end_with(parent)
            forbid_inspection()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            self._serve(number)
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except KeyboardInterrupt:
            status = 128 + signal.SIGINT
        except BaseException:  # noqa: BLE001  # the edge of a process
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _stop_children(self, number: signal.Signals) -> None:
        """Send them this signal and wait; a further one goes to them too. Who takes too long is killed."""
        self._signal_children(number)
        deadline = time.monotonic() + self._grace
        while self._children and (left := deadline - time.monotonic()) > 0:
            got = signal.sigtimedwait(WATCHED, min(left, 1.0))
            if got is not None and got.si_signo in STOPS:
                self._signal_children(signal.Signals(got.si_signo))
            self._ended()
        self._signal_children(signal.SIGKILL)
        for pid in list(self._children):
            os.waitpid(pid, 0)

    def _signal_children(self, number: signal.Signals) -> None:
        for pid in self._children:
            os.kill(pid, number)


def end_as(status: int) -> NoReturn:
    """End this process with an exit status, or, where it is -N, as a process does that signal N ends."""
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
        signal.raise_signal(-status)
    sys.exit(status if status >= 0 else 128 - status)  # the first process of a container does not die of a signal


def require_one_thread() -> None:
    """Raises ThreadsBeforeFork unless this thread is the only one, those of libraries included."""
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    if len(names) != 1:
        raise ThreadsBeforeFork(
            f"{len(names)} threads run ({', '.join(names)}) before the API's processes part: a library has started them"
            " when it was imported; set CLEARANCE_API__PROCESSES=1"
        )


def end_with(parent: int) -> None:
    """Have this process asked to end when its parent dies, however that dies."""
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before that took effect
        raise SystemExit(1)
