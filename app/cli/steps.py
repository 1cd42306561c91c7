"""Commands of several calls: whole, or what there is when one of them fails, and the commands for what is left."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.client.api import ApiError
from app.client.errors import UserError


class Unfinished(UserError):
    """Some calls of a command were made and one failed; the message says which, and how to go on."""

    def __init__(self, why: ApiError, made: Sequence[str], left: Sequence[str]) -> None:
        self.code, self.detail = why.code, why.detail
        # Without an answer nobody knows whether the service got the request.
        unsure = " Whether this call was made is not known; to make it again does no harm." if why.status == 0 else ""
        lines = [f"{why}{unsure}", "What was made until then stays:", *made, "Go on with:", *left]
        indents = ("", "  ", *("    " for _ in made), "  ", *("    " for _ in left))
        super().__init__("\n".join(indent + line for indent, line in zip(indents, lines, strict=True)))


@dataclass(frozen=True)
class Step:
    """One call, what is so once it was made, and the command that makes it alone."""

    call: Callable[[], Any]
    makes: str
    command: str


def carry_out(steps: Sequence[Step]) -> list[Any]:
    """Make the calls in their order and give their answers. Raises Unfinished if one fails after another was made."""
    answers: list[Any] = []
    for number, step in enumerate(steps):
        try:
            answers.append(step.call())
        except ApiError as error:
            if number == 0:
                raise
            made, left = steps[:number], steps[number:]
            raise Unfinished(error, [s.makes for s in made], [s.command for s in left]) from error
    return answers


def command(*words: str) -> str:
    """A `clearance` command as it is typed, whatever signs its words hold."""
    return shlex.join(("clearance", *words))
