"""What checks find at one start, given what they may read."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.guardrail.check import OPENING, Tail
from app.guardrail.groups import CheckGroup

# A group of checks, what it is shown left of a start, and where the stretch to the right ends.
Asked = tuple[CheckGroup, str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of so many characters. `tail`: how it goes on, if it does."""

    size: int
    kind: str
    tail: Tail | None


def _placeholder(stretch: str) -> int:
    """Where a placeholder begins, of which the end of the stretch may leave two characters or more; -1 if none does."""
    at = stretch.find(OPENING)
    if at < 0:
        at = stretch.rfind("[", max(len(stretch) - len(OPENING), 0), -1)
        at = at if at >= 0 and OPENING.startswith(stretch[at:]) else -1
    return at


def longest(text: str, start: int, asked: Iterable[Asked], hidden: int | None = None) -> Found | None:
    """The longest finding at a start. None goes into what is hidden already: a placeholder, or what lies at `hidden`."""
    best: Found | None = None
    for group, left, end in asked:
        stretch, at = text[start : end + 1], len(left)
        cut = _placeholder(stretch) if hidden is None else hidden - start
        window = left + (stretch if cut < 0 else stretch[:cut] + "\0")
        for check in group.checks:
            found = check.at(window, at)
            if found is None or 0 <= cut < found.end - at:
                continue
            if best is None or found.end - at > best.size:
                best = Found(found.end - at, found.kind, check.tail if found.open else None)
    return best
