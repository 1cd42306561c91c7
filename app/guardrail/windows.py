"""What checks find at one start, given what they may read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.guardrail.check import NEVER_SHOWN, ONE_VALUE, OPENING, PLACEHOLDER, Check, Finding, Tail
from app.guardrail.groups import CheckGroup

# A group of checks, what it is shown left of a start, and where the stretch to the right ends.
Asked = tuple[CheckGroup, str, int]


@dataclass(frozen=True, slots=True)
class StartFinding:
    """A finding of so many characters, why, and the check that made it. `tail`: how it goes on, if it does. `kinds`:
    its own and those of others at the same start, but for a shorter one that is a part of the value.
    """

    size: int
    kind: str
    reason: str
    check: Check | None
    tail: Tail | None
    kinds: frozenset[str]


def _placeholder(text: str, start: int, end: int) -> int:
    """Where the first placeholder begins in start..end, the last of which is read too; -1 if none does."""
    last = end + len(OPENING)
    at = text.find(OPENING, start, last)
    while at >= 0 and PLACEHOLDER.match(text, at) is None:
        at = text.find(OPENING, at + 1, last)
    return at


def longest(text: str, start: int, asked: Iterable[Asked], hidden: int | None = None) -> StartFinding | None:
    """The longest finding at a start. None goes into what is hidden: a placeholder, or what lies from `hidden` on."""
    best: Finding | None = None
    by: Check | None = None
    others: list[Finding] = []
    window = shown = ""
    at = cut = upto = -1
    for group, left, end in asked:
        if upto != end or shown is not left:
            at, shown, upto = len(left), left, end
            cut = _placeholder(text, start, end) if hidden is None else hidden
            window = left + (text[start : end + 1] if cut < 0 else text[start:cut] + "\0")
        for check in group.checks:
            found = check.at(window, at)
            if found is None or 0 <= cut < start + found.end - at:
                continue
            others.append(found)
            if best is None or found.end - found.start > best.end - best.start:
                best, by = found, check
    if best is None or by is None:
        return None
    tail = by.tail if best.open else None
    return StartFinding(best.end - best.start, best.kind, best.reason, by, tail, _kinds(best, others))


def _kinds(best: Finding, found: Sequence[Finding]) -> frozenset[str]:
    kinds = {best.kind}
    for each in found:
        of = each.also.union((each.kind,))
        is_part = best.kind in ONE_VALUE and each.end - each.start < best.end - best.start
        kinds |= of & NEVER_SHOWN if is_part else of
    return frozenset(kinds)
