"""What a model finds in a stream: it is asked about one segment after the other, each once, whole and in order.

So the findings are a function of the text, however it was cut, and the gate decides nothing beyond the last segment.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from app.guardrail.check import WORD, Check, Cue, Finding, Run, Tail
from app.guardrail.names.segments import first_segment

_OWN = re.compile(r"\[redacted: [a-z ]*[0-9A-Z]*\]?")
_NOWHERE = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """Characters start..end are of a kind."""

    start: int
    end: int
    kind: str


# Finds what is in one segment of the folded text. What it raises closes the gate.
Recogniser = Callable[[str], Iterable[NamedSpan]]


@runtime_checkable
class RemembersNames(Protocol):
    """Finds by what came before too, so that each text needs one of its own."""

    def begin(self) -> Recogniser:
        """For the segments of one text, in order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SegmentCheck:
    """A check that decides on whole segments. It stands among the others and finds nothing at a start by itself."""

    recognise: Recogniser | RemembersNames
    kind: str = "name"
    run: Run = WORD
    opener: re.Pattern[str] = _NOWHERE
    needs: str = "\0"
    cue: Cue | None = None
    tail: Tail | None = None

    def at(self, window: str, start: int) -> Finding | None:  # noqa: ARG002  # the gate asks `Spans`
        return None


class Spans:
    """The findings in the segments of one stream. Positions are in the gate's text; `forget` moves them."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._recognisers = [_of_one_text(check.recognise) for check in checks if isinstance(check, SegmentCheck)]
        self._rest = ""  # the text from the first segment on that has not ended
        self._begin = 0  # where that stands
        self._found: list[NamedSpan] = []

    @property
    def known(self) -> int:
        """What lies before has been looked at."""
        return self._begin if self._recognisers else sys.maxsize

    def feed(self, text: str, *, final: bool = False) -> None:
        """Take the text that follows."""
        if not self._recognisers:
            return
        self._rest += text
        at = 0
        while at < len(self._rest) and (size := first_segment(self._rest[at:], final=final)):
            self._look_at(self._rest[at : at + size], self._begin + at)
            at += size
        self._rest = self._rest[at:]
        self._begin += at

    def starts(self, begin: int, end: int) -> Iterator[int]:
        """Where findings begin in begin..end."""
        return (found.start for found in self._found if begin <= found.start < end)

    def at(self, start: int) -> NamedSpan | None:
        """The finding that covers `start` and goes farthest; one that began in a mask goes on behind it."""
        if not self._found:
            return None
        there = [found for found in self._found if found.start <= start < found.end]
        return max(there, key=lambda found: found.end, default=None)

    def forget(self, cut: int) -> None:
        """The first `cut` characters of the text are gone."""
        self._begin -= cut
        self._found = [
            NamedSpan(found.start - cut, found.end - cut, found.kind) for found in self._found if found.end > cut
        ]

    def _look_at(self, segment: str, begin: int) -> None:
        if not segment.strip():
            return
        own = [match.span() for match in _OWN.finditer(segment)]
        for recognise in self._recognisers:
            for found in recognise(segment):
                for start, end in _outside(found.start, found.end, own):
                    self._found.append(NamedSpan(begin + start, begin + end, found.kind))


def _of_one_text(recognise: Recogniser | RemembersNames) -> Recogniser:
    return recognise.begin() if isinstance(recognise, RemembersNames) else recognise


def _outside(start: int, end: int, own: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of start..end that no placeholder lies in."""
    for begins, ends in own:
        if ends <= start or begins >= end:
            continue
        if start < begins:
            yield start, begins
        start = ends
    if start < end:
        yield start, end
