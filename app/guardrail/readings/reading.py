"""One reading of a place: rewritten, and shown to the checks."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.guardrail.check import BEFORE, Check, Cue, Finding, Run, Tail
from app.guardrail.groups import CheckGroup, group_checks
from app.guardrail.lookalikes import lowered
from app.guardrail.readings.rewriting import Rewritten

# Takes what stands before a start and the stretch from it; gives both as a reader may see them.
Rewriter = Callable[[str, str], Iterator[tuple[str, Rewritten]]]

TAIL = Tail(re.compile(r"[\w+/=.\-~\\]*", re.ASCII), closer=False)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The checks, asked about a place as `rewrite` has it; the longest finding counts."""

    groups: tuple[CheckGroup, ...]
    opener: re.Pattern[str]
    run: Run
    rewrite: Rewriter
    worth: re.Pattern[str]  # matches every stretch in which something can be
    cue: Cue | None = None
    needs: str = ""
    kind: str = ""  # what is found has the kind of the check that found it
    tail: Tail | None = TAIL

    def at(self, window: str, start: int) -> Finding | None:
        if self.worth.match(window, start) is None or _goes_on_from_number(window, start):
            return None
        if _within_escapes(window, start):
            return None
        best: Finding | None = None
        for before, shown in self.rewrite(window[:start], window[start:]):
            found = self._ask(before[-BEFORE:], shown, start)
            if found is None or not _in_table(window, start, found):
                best = longer(best, found)
        return best

    def _ask(self, before: str, shown: Rewritten, start: int) -> Finding | None:
        text, at, cued = before + shown.text, len(before), lowered(before)
        asked = [
            group
            for group in self.groups
            if group.opener.match(text, at) is not None and (group.cue is None or group.cue.found(cued) is not None)
        ]
        best = _longest(asked, text, at, shown, start)
        # A value may end where something was rewritten: what is glued to it there may itself be hidden.
        for end in reversed(shown.glued if asked else ()):
            if best is not None and best.end >= start + shown.ends[end - 1]:
                break
            best = longer(best, _longest(asked, text[: at + end], at, shown, start))
        return best


def _longest(groups: Sequence[CheckGroup], text: str, at: int, shown: Rewritten, start: int) -> Finding | None:
    """The longest finding that goes beyond the first place that was rewritten, as it stands in the window."""
    best: Finding | None = None
    for group in groups:
        end = group.run.end(text, at)
        if end - at < group.run.min_extent or end - at < shown.first:
            continue
        for check in group.checks:
            found = check.at(text[: end + 1], at)
            if found is None or found.end - at <= shown.first or _ends_before_break(check, text, at, shown, found):
                continue
            stop = start + shown.ends[found.end - at - 1]
            goes_on = found.open and check.tail is not None and not check.tail.closer
            best = longer(best, Finding(start, stop, found.kind, found.reason, goes_on, found.also))
    return best


def longer(best: Finding | None, found: Finding | None) -> Finding | None:
    """The longer of two findings at one start, the first if neither is, with the kinds of both."""
    if best is None or found is None:
        return best or found
    taken, other = (found, best) if found.end > best.end else (best, found)
    also = taken.also.union(other.also, (other.kind,))
    return taken if also in (taken.also, {taken.kind}) else replace(taken, also=also)


def _ends_before_break(check: Check, text: str, at: int, shown: Rewritten, found: Finding) -> bool:
    """Whether what stands before the break is a finding by itself: then what follows the break is none of it."""
    return found.end - at > shown.joined and check.at(text[: at + shown.joined], at) is not None


# An escape for a letter or digit.
_ESCAPED = re.compile(r"(?:[%=](?:3\d|[46][1-9A-Fa-f]|[57][0-9Aa])|&#\d{2,3};|&#x[0-9A-Fa-f]{2};|\\u00\w\w|\\x\w\w)\Z")


def _within_escapes(window: str, start: int) -> bool:
    """Whether the escape that begins here follows another: what they stand for began before."""
    return window[start] in "%=&\\" and _ESCAPED.search(window, max(start - 8, 0), start) is not None


def _goes_on_from_number(window: str, start: int) -> bool:
    """Whether a number stands before this one, in a row or column of numbers: then neither is half of the other."""
    if not window[start].isdigit():
        return False
    before = window[:start].rstrip(" |\n>")
    gap = window[len(before) : start]
    return before[-1:].isdigit() and ("\n" in gap or "|" in gap or "  " in gap)


# A number that a line, a cell or blanks cut in two, and what is no such number: one whose parts are all there is of it.
_CUT = re.compile(r"\n|\||  ")
_HYPHENATED = re.compile(r"\d-(?:\n|  |\|)|(?:\n[ >]*|  |\| ?)-\d|\d{3}-\d{3}-")
_AREA_CODE = re.compile(r"0\d{2,4}[/\-]?\n[ >]*\d{5,8}")
_IN_SENTENCE = re.compile(r"[^\W\d_][.:]? ?\Z")
_MORE = re.compile(r" *(?:\n[ >]*|\|[ |]*|  +)[-+.]? *\d")


def _in_table(window: str, start: int, found: Finding) -> bool:
    """Whether what was put together is numbers of a table or list rather than one that layout cut."""
    value = window[start : found.end]
    if _CUT.search(value) is None or any(character.isalpha() for character in value):
        return False
    if found.kind == "phone" and value[0] not in "+(" and _HYPHENATED.search(value) is None:
        # An area code at the end of a sentence's line, and the rest on the next: "reach me at 0171", "2345678".
        area = _AREA_CODE.fullmatch(value) is not None and _IN_SENTENCE.search(window, 0, start) is not None
        return not area or _MORE.match(window, found.end) is not None
    return _MORE.match(window, found.end) is not None


def groups_of(checks: Sequence[Check]) -> tuple[CheckGroup, ...]:
    return group_checks(tuple(checks)).groups
