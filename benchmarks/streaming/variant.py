"""The API without its guardrail, or with parts of it: `python -m benchmarks.streaming.variant`.

CLEARANCE_BENCH_VARIANT says what is taken away of the way of a streamed answer; the rest is the service as it is.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

from app.answer import generating
from app.answer.grounded import GroundedAnswer
from app.answer.guarded_answer import GuardedAnswer
from app.guardrail.redaction import Redaction
from app.server import serve

VARIANT = "CLEARANCE_BENCH_VARIANT"
# By name: what an answer passes.
WHOLE, UNCHECKED, UNFILTERED = "guardrail", "no checks", "no filters"


class UncheckedAnswer(GroundedAnswer):
    """The filters of an answer as they are, but that redaction has nothing to look for."""

    def __init__(self, _: object, *more: Any) -> None:
        super().__init__(Redaction(()), *more)


class UnjudgedAnswer(GroundedAnswer):
    """An answer that may stand, whatever it is."""

    @property
    def grounded(self) -> bool:
        return True


class UnfilteredAnswer(GuardedAnswer):
    """Passes the model's pieces on as they come: no thread, no filter."""

    counts: Mapping[str, int] = {}

    async def feed(self, piece: str) -> str:
        return piece

    async def flush(self) -> str:
        return ""


def take_away(variant: str) -> None:
    if variant == UNCHECKED:
        vars(generating)["GroundedAnswer"] = UncheckedAnswer
    elif variant == UNFILTERED:
        vars(generating).update(GroundedAnswer=UnjudgedAnswer, GuardedAnswer=UnfilteredAnswer)
    elif variant != WHOLE:
        sys.exit(f"{VARIANT} is one of {WHOLE!r}, {UNCHECKED!r} and {UNFILTERED!r}, and not {variant!r}.")


if __name__ == "__main__":
    take_away(os.environ.get(VARIANT, ""))
    serve()
