"""One run from planting to the report. Whatever happens on the way, what was planted is removed."""

import contextlib
import importlib.metadata
import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Protocol

from app.client.api import Client
from app.leak_test.cleanup import Strike
from app.leak_test.report import Report
from app.leak_test.required import must_show
from app.leak_test.results import Tally
from app.leak_test.routes import REASONS, Routes, read_routes
from app.leak_test.setup import CannotTest, Stage
from app.leak_test.surfaces import Round, talk


class Progress(Protocol):
    """Is told what is being done, and how much of it is done."""

    def doing(self, what: str) -> None:
        """Something else begins."""

    def moved(self, done: int, every: int) -> None:
        """So many parts of all have been asked."""


def leak_test(admin: Client, progress: Progress) -> Report:
    """Plant, ask as everybody, judge, remove. `admin` speaks as an administrator.

    Raises CannotTest or ApiError if it cannot be made or cleaned up, KeyboardInterrupt if it was ended; what was
    planted is removed then too. Call it from the main thread: it holds back signals while it removes, and ignores them
    from then on if it was ended.
    """
    begun = time.monotonic()
    if "administer" not in admin.get("/users/me")["capabilities"]:
        raise CannotTest("the leak test makes people and roles: it needs an administrator's key")
    progress.doing("what a former run has left")
    _strike(admin, {})
    stage = Stage(admin)
    ended = False
    try:
        with _ending():
            stage.raise_it(progress.doing)
            tally, routes = _asked(stage, progress)
    except KeyboardInterrupt:
        ended = True
        raise
    finally:
        with _undisturbed(progress, for_good=ended):
            progress.doing("removing all of it")
            left_over = _strike(admin, stage.askers)
            stage.close()
        if left_over:
            raise CannotTest(f"not all could be removed ({'; '.join(left_over)}): run it again, it begins with that")
    return Report(
        version=importlib.metadata.version("clearance"),
        url=admin.base_url,
        begun_at=stage.begun_at,
        seconds=time.monotonic() - begun,
        requests=tally.requests,
        matrix=tally.matrix(),
        failures=sorted(tally.failures, key=lambda f: (f.surface, f.wrong, f.canary, f.person)),
        routes=routes,
    )


def _asked(stage: Stage, progress: Progress) -> tuple[Tally, Routes]:
    progress.doing("a conversation")
    tally = Tally()
    talk(stage, tally)
    document = stage.askers["no key"].send("GET", "/api/v1/openapi.json").json()
    if not isinstance(document, dict) or "paths" not in document:
        raise CannotTest("the service does not say which routes it has (/api/v1/openapi.json)")
    routes = read_routes(document, stage.begun_at)
    # Now everything that carries a canary is there.
    tally.know(stage.canaries)
    progress.doing("asking as everybody")
    Round(stage, routes, tally, progress.moved).everybody()
    must_show(stage, tally)
    for surface, reason in routes.not_tried.items():
        if surface not in REASONS:
            tally.fail(surface, "", "not tried", "–", reason)
    return tally, routes


def _strike(admin: Client, askers: dict[str, Any]) -> list[str]:
    strike = Strike(admin)
    strike.everything(askers)
    return strike.stays


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """SIGTERM ends the test as Ctrl-C does: with everything removed."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _undisturbed(progress: Progress, *, for_good: bool) -> Iterator[None]:
    """Another Ctrl-C does not stop the removing; nor, `for_good`, what little the process still has to say after it."""

    def later(_number: int, _frame: FrameType | None) -> None:
        progress.doing("removing all of it; it ends by itself")

    before = {number: signal.signal(number, later) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if for_good else handler)
