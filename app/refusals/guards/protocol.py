"""What every guard model is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class GuardVerdict:
    """What a model says of a question: whether it is unsafe, and by which codes; some models name none."""

    unsafe: bool
    codes: frozenset[str] = frozenset()


class NoVerdict(ValueError):
    """The answer is none in the form that was asked for. It has no message: that could hold the question."""


class GuardForm(Protocol):
    """How a kind of model is asked over HTTP. Both functions are pure."""

    def request(self, url: str, model: str, question: str) -> tuple[str, Mapping[str, Any]]:
        """The URL to send to, and the JSON to send."""

    def verdict(self, answer: object) -> GuardVerdict:
        """What the JSON of the answer says. Raises NoVerdict for everything that is not wholly understood."""
