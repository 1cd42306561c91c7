"""Runs a piece of the guardrail's work so that it fails closed: whatever it raises, and however long it takes.

The work is done in a thread that may be left behind. One whose check never ends is lost until the process ends, which
does not wait for it. A regular expression keeps the interpreter to itself while it matches, so that no time limit ends
it: that none takes long is the checks' part (`app.guardrail.check`: bounded windows, linear patterns).
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar, cast

from app import log
from app.errors import AppError, GuardrailFailed
from app.guardrail.stages import Stage

# How long one text, or the texts of one request, may take where no setting says so.
MAX_SECONDS = 30.0
# What a record says was raised where the time was over.
TOO_LONG = "TimeLimit"

P = ParamSpec("P")
Result = TypeVar("Result")
_Job = tuple[Future[object], Callable[[], object]]

_idle: list[SimpleQueue[_Job]] = []  # of threads that wait for work
os.register_at_fork(after_in_child=_idle.clear)  # a copy of the process has none of its threads


def submit(work: Callable[[], Result]) -> Future[Result]:
    """Do some work in a thread; its result, or what it raised, is in the future."""
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()
    try:
        jobs = _idle.pop()
    except IndexError:
        jobs = SimpleQueue()
        threading.Thread(target=_work, args=(jobs,), name="guardrail", daemon=True).start()
    jobs.put((cast(Future[object], future), work))
    return future


def _work(jobs: SimpleQueue[_Job]) -> None:
    while True:
        _do(*jobs.get())
        _idle.append(jobs)


def _do(future: Future[object], work: Callable[[], object]) -> None:
    """On its own, so that a thread that waits keeps no text."""
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  # it goes to whoever waits for the result
        future.set_exception(error)


def failing_closed(stage: Callable[[], Stage], work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """The work's result. Raises GuardrailFailed for whatever it raises, with the stage that it was in then."""
    try:
        return work(*args, **kwargs)
    except AppError:
        raise
    except Exception as error:  # noqa: BLE001  # the edge of the guardrail: whatever it is, no text gets past it
        failure = GuardrailFailed(stage(), type(error).__name__, log.where(error))
    raise failure  # not within the handler: the error, whose message may hold the text, would hang on to it


def guarded(stage: Stage, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """The same within MAX_SECONDS."""
    return within(MAX_SECONDS, stage, work, *args, **kwargs)


def within(seconds: float, stage: Stage, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """The work's result, if it is there in time. Raises GuardrailFailed."""
    future = submit(lambda: failing_closed(lambda: stage, work, *args, **kwargs))
    try:
        return future.result(max(seconds, 0.0))
    except TimeoutError:
        failure = GuardrailFailed(stage, TOO_LONG)
    raise failure
