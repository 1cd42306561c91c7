"""The stream redactor. What it has released is always a prefix of the redaction of the whole text, however it was cut.

Starts are decided from left to right, each once, as soon as the text its checks may read is there. Masks are the union
of the findings; one unbroken mask becomes one placeholder, named after the longest finding at its first character.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from app.guardrail.check import BEFORE, WORD, Check, Cue, Finding, Run, Tail
from app.guardrail.normal import Normaliser

# Text without any of these holds no start that a check would accept unless a cue word stands before it.
_WORTH_A_LOOK = re.compile(r"[@\d:=_/+(\-]|[^ \n]{8}|[A-Z]{2}", re.ASCII)
_PIECE = 256  # a whole text is fed in pieces of this many characters: what is near a cue is then known more narrowly
_SLACK = 512  # decided characters that may stay in the buffer before it is cut


class GateClosed(RuntimeError):
    """The gate was flushed, or a check failed: nothing more is released."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted text, and how many redactions of each kind it holds."""

    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Group:
    """Checks that start at the same places and read the same text."""

    opener: re.Pattern[str]
    run: Run
    needs: str
    cue: Cue | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class PreparedChecks:
    """Checks as a gate asks them: found out once for many short texts, of which each has a gate of its own."""

    groups: tuple[_Group, ...]
    cue_words: tuple[str, ...]

    @classmethod
    def of(cls, checks: Iterable[Check]) -> Self:
        """These checks in their order."""
        groups = _grouped(checks)
        return cls(groups, tuple({word for group in groups if group.cue for word in group.cue.words}))


def _grouped(checks: Iterable[Check]) -> tuple[_Group, ...]:
    groups: dict[tuple[re.Pattern[str], Run, str, Cue | None], list[Check]] = {}
    for check in checks:
        groups.setdefault((check.opener, check.run, check.needs, check.cue), []).append(check)
    return tuple(_Group(*key, tuple(of)) for key, of in groups.items())


def placeholder(kind: str) -> str:
    """What stands in the text instead of a finding."""
    return f"[redacted: {kind}]"


class Gate:
    """Redacts one stream: `feed` each piece, `flush` at its end. An aborted stream is simply not flushed."""

    def __init__(self, checks: Sequence[Check] | PreparedChecks) -> None:
        prepared = checks if isinstance(checks, PreparedChecks) else PreparedChecks.of(checks)
        self._groups, self._cue_words = prepared.groups, prepared.cue_words
        self._normaliser = Normaliser()
        self._raw = ""  # text as it came, from the oldest character still needed
        self._text = ""  # the same, folded; positions below are positions in it
        self._drops: list[int] = []
        self._scan = 0  # starts before this are decided
        self._out = 0  # raw position: what lies before is released or swallowed
        self._mask_start = self._mask_end = -1  # the latest mask
        self._mask_before = ""  # the redacted text before it
        self._mask_kind = ""
        self._tail: Tail | None = None
        self._waiting: Run | None = None  # what the start at scan, the first undecided one, waits for the end of
        self._cued = -1  # up to here, a cue word is near enough to matter
        self._parts: list[str] = []
        self._counts: Counter[str] = Counter()
        self._open = True

    @property
    def counts(self) -> Mapping[str, int]:
        """Redactions released so far, by kind."""
        return MappingProxyType(self._counts)

    @property
    def held(self) -> int:
        """Characters that came in and are neither released nor swallowed yet."""
        return len(self._raw) - self._out

    def feed(self, token: str) -> str:
        """Take the next piece of the text; returns what can be released now (often nothing, or more than the piece)."""
        self._enter()
        if token:
            raw, folded, drops = self._normaliser.feed(token)
            if drops:
                size = len(self._text)
                self._drops.extend(size + at for at in drops)
            self._raw += raw
            self._text += folded
        released = self._advance(final=False)
        self._open = True
        return released

    def flush(self) -> str:
        """The text is complete: returns what was held back. The gate is closed afterwards."""
        self._enter()
        return self._advance(final=True)

    def _enter(self) -> None:
        if not self._open:
            raise GateClosed("the stream has ended or a check has failed; nothing more is released")
        self._open = False  # stays so if a check raises

    def _advance(self, *, final: bool) -> str:
        size = len(self._text)
        if self._tail is not None:
            self._swallow(self._tail, final=final)
        limit = size if final else self._frontier(size)
        if self._tail is None and self._scan < limit:
            self._decide(limit, final=final)
        if self._scan > self._mask_end or final:
            self._release(size if final else self._scan)
        released = "".join(self._parts)
        self._parts.clear()
        if self._scan > _SLACK:
            self._trim()
        return released

    def _frontier(self, size: int) -> int:
        """Starts before this lie in words whose end is known, or too far from the end of the text to depend on it."""
        oldest = max(size - WORD.extent, 0)
        return max(self._text.rfind(" ", oldest), self._text.rfind("\n", oldest), oldest - 1) + 1

    def _candidates(self, limit: int) -> list[tuple[int, int]]:
        """Starts in scan..limit that some group wants to see, in order, each with the number of the group."""
        text, scan = self._text, self._scan
        recent = text[max(scan - BEFORE, 0) : limit].lower()
        if any(word in recent for word in self._cue_words):
            self._cued = limit + BEFORE
        cued = self._cued >= scan
        if not cued and _WORTH_A_LOOK.search(text, scan) is None:
            return []
        found = []
        for number, group in enumerate(self._groups):
            if (group.cue is not None and not cued) or (group.needs and text.find(group.needs, scan) < 0):
                continue
            for match in group.opener.finditer(text, scan):
                if match.start() >= limit:
                    break
                found.append((match.start(), number))
        found.sort()
        return found

    def _decide(self, limit: int, *, final: bool) -> None:
        """Decide the starts in scan..limit from left to right, stopping early at one that needs more text."""
        if self._waiting is not None and not final and self._reach(self._waiting, self._scan) == len(self._text):
            return
        queue = self._candidates(limit)
        at = 0
        while True:
            while at < len(queue) and queue[at][0] < self._scan:
                at += 1
            start = queue[at][0] if at < len(queue) else limit
            # Behind a mask stands a bracket, not the character that was there: every check gets to see that start.
            if self._scan <= self._mask_end <= start and self._mask_end < limit:
                start = self._mask_end
                groups: Sequence[_Group] = self._groups
            elif start >= limit:
                break
            else:
                upto = at
                while upto < len(queue) and queue[upto][0] == start:
                    upto += 1
                groups = [self._groups[number] for _, number in queue[at:upto]]
            if not self._judge(start, groups, final=final):
                self._scan = start
                return
            if self._tail is not None:
                return
        self._scan = max(self._scan, limit)

    def _judge(self, start: int, groups: Sequence[_Group], *, final: bool) -> bool:
        """Decide one start; False if a check needs text that is not there yet."""
        text, size = self._text, len(self._text)
        before = self._before(start)
        lowered = before.lower()
        best: Finding | None = None
        tail: Tail | None = None
        for group in groups:
            if group.cue is not None and group.cue.found(lowered) is None:
                continue
            end = self._reach(group.run, start)
            if end == size and not final:
                self._waiting = group.run
                return False
            window = before + text[start : end + 1]
            for check in group.checks:
                found = check.at(window, len(before))
                if found is not None and (best is None or found.end > best.end):
                    best, tail = found, check.tail
        self._scan = start + 1
        self._waiting = None
        if best is not None:
            self._mask(start, start + best.end - best.start, best.kind, before)
            if best.open and tail is not None:
                self._swallow(tail, final=final)
        return True

    def _reach(self, run: Run, start: int) -> int:
        """Where a run from a start ends in the text that is there."""
        match = run.pattern.match(self._text, start)
        return match.end() if match is not None else start

    def _before(self, start: int) -> str:
        """The text left of a start as a reader of the release sees it, so that redacting twice changes nothing."""
        if start < self._mask_end:
            return self._text[max(start - BEFORE, 0) : start]
        since = self._text[max(self._mask_end, start - BEFORE, 0) : start]
        if self._mask_end < 0 or len(since) >= BEFORE:
            return since
        return (self._mask_before + placeholder(self._mask_kind) + since)[-BEFORE:]

    def _mask(self, start: int, end: int, kind: str, before: str) -> None:
        if start > self._mask_end:
            self._release(start)
            self._mask_start = self._mask_end = start
            self._mask_before, self._mask_kind = before, kind
            self._parts.append(placeholder(kind))
            self._counts[kind] += 1
        self._cover(max(self._mask_end, end))

    def _cover(self, end: int) -> None:
        """Lengthen the mask. A reader does not see what it hides: a cue before it comes that much nearer."""
        self._cued += end - self._mask_end
        self._mask_end = end
        self._out = end + bisect_left(self._drops, end)

    def _swallow(self, tail: Tail, *, final: bool) -> None:
        """Lengthen the mask over an open finding: to its end if that is known, else over all there is."""
        size = len(self._text)
        if tail.closer:
            match = tail.pattern.search(self._text, max(self._mask_end - tail.longest, self._mask_start + 1))
        else:
            match = tail.pattern.match(self._text, self._mask_end)
        ended = match is not None and (tail.closer or match.end() < size)
        self._cover(max(match.end(), self._mask_end) if ended and match is not None else size)
        self._scan = self._mask_end
        self._tail = None if ended or final else tail

    def _release(self, upto: int) -> None:
        """Pass on what no mask covers, up to a position."""
        raw = upto + bisect_right(self._drops, upto)
        if raw > self._out:
            self._parts.append(self._raw[self._out : raw])
            self._out = raw

    def _trim(self) -> None:
        """Forget text that no decision can read any more."""
        cut = self._scan - BEFORE - 1
        gone = bisect_left(self._drops, cut)
        raw_cut = cut + gone
        self._text, self._raw = self._text[cut:], self._raw[raw_cut:]
        self._drops = [at - cut for at in self._drops[gone:]]
        self._scan -= cut
        self._out -= raw_cut
        self._cued -= cut
        self._mask_start = max(self._mask_start - cut, -1)
        self._mask_end = max(self._mask_end - cut, -1)


def redact(text: str, checks: Sequence[Check] | PreparedChecks) -> Redacted:
    """The redaction of a whole text: what a Gate releases for it."""
    gate = Gate(checks)
    pieces = [gate.feed(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE)]
    released = "".join(pieces) + gate.flush()
    return Redacted(released, dict(gate.counts))
