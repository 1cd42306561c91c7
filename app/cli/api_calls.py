"""Commands of several API calls: if a call fails, the error lists what was done and the commands for the rest."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.client.api import ApiError
from app.client.errors import UserError


class Unfinished(UserError):
    """Some calls of a command succeeded and then one failed; the message says which, and how to go on."""

    def __init__(self, cause: ApiError, completed: Sequence[str], remaining: Sequence[str]) -> None:
        self.code, self.detail = cause.code, cause.detail
        # Without an answer nobody knows whether the service got the request.
        unsure = " Whether this call was made is not known; to make it again does no harm." if cause.status == 0 else ""
        lines = [f"{cause}{unsure}", "What was made until then stays:", *completed, "Go on with:", *remaining]
        indents = ("", "  ", *("    " for _ in completed), "  ", *("    " for _ in remaining))
        super().__init__("\n".join(indent + line for indent, line in zip(indents, lines, strict=True)))


@dataclass(frozen=True)
class ApiCall:
    """One call, what holds once it has succeeded, and the command that makes this call alone."""

    call: Callable[[], Any]
    outcome: str
    command: str


def run_calls(calls: Sequence[ApiCall]) -> list[Any]:
    """Make the calls in order and return their answers. Raises Unfinished if one fails after another succeeded."""
    answers: list[Any] = []
    for number, each in enumerate(calls):
        try:
            answers.append(each.call())
        except ApiError as error:
            if number == 0:
                raise
            completed, remaining = calls[:number], calls[number:]
            raise Unfinished(error, [c.outcome for c in completed], [c.command for c in remaining]) from error
    return answers


def shell_command(*words: str) -> str:
    """A `clearance` command line, quoted for the shell."""
    return shlex.join(("clearance", *words))
