"""One run of the leak test, from planting to the report. What was planted is removed in any case."""

import contextlib
import importlib.metadata
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Protocol

from app.client.api import Client
from app.leak_test.cast import PEOPLE
from app.leak_test.cleanup import Cleanup
from app.leak_test.probe_run import ProbeRun, seed_conversation
from app.leak_test.report import LeakReport
from app.leak_test.required import check_shown
from app.leak_test.results import ProbeResults
from app.leak_test.routes import REASONS, ProbePlan, plan_probes
from app.leak_test.setup import CannotTest, Setup


class Progress(Protocol):
    """Shows which step runs, and how far it is."""

    def begin_step(self, what: str) -> None:
        """Another step begins."""

    def advanced(self, done: int, total: int) -> None:
        """`done` of all parts have been asked."""


def leak_test(admin: Client, progress: Progress, *, commands: bool = True) -> LeakReport:
    """Plant, ask as everybody, judge, remove. `admin` speaks as an administrator.

    Raises CannotTest or ApiError if it cannot be made or cleaned up, KeyboardInterrupt if it was ended; what was
    planted is removed then too. In the main thread it holds back signals while it removes, and ignores them from then
    on if it was ended. Without `commands` it starts no process: the commands ask the routes that are asked anyhow.
    """
    begun = time.monotonic()
    if "administer" not in admin.get("/users/me")["capabilities"]:
        raise CannotTest("the leak test makes people and roles: it needs an administrator's key")
    progress.begin_step("what a former run has left")
    _clean_up(admin, {})
    setup = Setup(admin)
    ended = False
    try:
        with _ending():
            setup.build(progress.begin_step)
            results, plan = _ask_everything(setup, progress, commands=commands)
    except KeyboardInterrupt:
        ended = True
        raise
    finally:
        with _undisturbed(progress, for_good=ended):
            progress.begin_step("removing all of it")
            left_over = _clean_up(admin, setup.clients)
            setup.close()
        if left_over:
            raise CannotTest(f"not all could be removed ({'; '.join(left_over)}): run it again, it begins with that")
    return LeakReport(
        version=importlib.metadata.version("clearance"),
        url=admin.base_url,
        begun_at=setup.begun_at,
        seconds=time.monotonic() - begun,
        requests=results.requests,
        matrix=results.matrix(PEOPLE),
        failures=sorted(results.failures, key=lambda f: (f.surface, f.wrong, f.canary, f.person)),
        routes=plan,
    )


def _ask_everything(setup: Setup, progress: Progress, *, commands: bool) -> tuple[ProbeResults, ProbePlan]:
    progress.begin_step("a conversation")
    results = ProbeResults()
    seed_conversation(setup, results)
    document = setup.clients["no key"].send("GET", "/api/v1/openapi.json").json()
    if not isinstance(document, dict) or "paths" not in document:
        raise CannotTest("the service does not say which routes it has (/api/v1/openapi.json)")
    plan = plan_probes(document, setup.begun_at)
    # Now everything that carries a canary is there.
    results.look_for(setup.canaries)
    progress.begin_step("asking as everybody")
    ProbeRun(setup, plan, results, progress.advanced, commands=commands).run()
    check_shown(setup, results, commands=commands)
    for surface, reason in plan.not_tried.items():
        if surface not in REASONS:
            results.add_failure(surface, "", "not tried", "–", reason)
    return results, plan


def _clean_up(admin: Client, clients: dict[str, Any]) -> list[str]:
    cleanup = Cleanup(admin)
    cleanup.run(clients)
    return cleanup.left_over


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """SIGTERM ends the test as Ctrl-C does: with everything removed."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if not _has_signals():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _undisturbed(progress: Progress, *, for_good: bool) -> Iterator[None]:
    """Another Ctrl-C does not stop the removing; nor, `for_good`, what little the process still has to say after it."""

    def later(_number: int, _frame: FrameType | None) -> None:
        progress.begin_step("removing all of it; it ends by itself")

    if not _has_signals():
        yield
        return
    before = {number: signal.signal(number, later) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if for_good else handler)


def _has_signals() -> bool:
    """Whether signals come to this thread: in a service they are its own."""
    return threading.current_thread() is threading.main_thread()
