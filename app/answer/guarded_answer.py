"""The filters of one answer at work: in a thread, within a time, and closed for good when something fails there."""

import asyncio
import time
from collections.abc import Callable, Mapping

import anyio

from app.answer.grounded import GroundedAnswer
from app.errors import GuardrailFailed
from app.guardrail.guarded import TOO_LONG, failing_closed, submit
from app.guardrail.meter import GuardrailMeter, HeldBack


class GuardedAnswer:
    """`feed` each piece, `flush` at its end, `close` whatever happens. Raises GuardrailFailed when a filter fails, or
    when all of this takes longer than `seconds`; what was held back then stays so.

    The way into a thread and back takes more CPU than most pieces do in it. So pieces wait here until the filters could
    release something: nothing goes out later than if each had been handed on.
    """

    def __init__(self, filters: GroundedAnswer, seconds: float) -> None:
        self._filters, self._left = filters, seconds
        self._waiting = ""  # came in, and was not shown to the filters
        self._wanted = 0  # characters, before the filters are shown them
        self._held = HeldBack()
        self._characters = 0
        self._cpu_seconds = 0.0
        self.counts: Mapping[str, int] = {}  # what was redacted in the text released so far, by kind

    async def feed(self, piece: str) -> str:
        """Take the next piece; returns what can be released now."""
        self._characters += len(piece)
        self._waiting += piece
        if len(self._waiting) < self._wanted and "\n" not in piece:
            self._held.observe(self._filters.held)
            return ""
        text, self._waiting = self._waiting, ""
        return await self._do(lambda: self._filters.feed(text))

    async def flush(self) -> str:
        """The answer is complete: returns what was held back."""
        text, self._waiting = self._waiting, ""
        return await self._do(lambda: (self._filters.feed(text) if text else "") + self._filters.flush())

    def close(self, meter: GuardrailMeter) -> None:
        """Tell the meter what it cost."""
        meter.streamed(self._held, characters=self._characters, cpu_seconds=self._cpu_seconds)

    async def _do(self, work: Callable[[], str]) -> str:
        def timed() -> tuple[str, float]:
            begun = time.thread_time()
            released = failing_closed(lambda: self._filters.stage, work)
            return released, time.thread_time() - begun

        begun = anyio.current_time()
        self._wanted = 0  # after a failure nothing waits: each piece is told of it
        try:
            # Who hangs up waits for it: a piece takes less than a millisecond, and what it did is recorded.
            with anyio.CancelScope(shield=True), anyio.fail_after(self._left):
                released, cpu_seconds = await asyncio.wrap_future(submit(timed))
        except TimeoutError:
            failure = GuardrailFailed(self._filters.stage, TOO_LONG)
        else:
            self._left -= anyio.current_time() - begun
            self._cpu_seconds += cpu_seconds
            self._wanted = self._filters.wanted
            self._held.observe(self._filters.held)
            self.counts = dict(self._filters.counts)
            return released
        self._left = 0.0  # the filters are another thread's for good
        raise failure
