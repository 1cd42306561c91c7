"""The stream redactor. What it has released is always a prefix of the redaction of the whole text, however it was cut.

Starts are decided from left to right, each once, as soon as the text its checks may read is there. Masks are the union
of the findings; one unbroken mask becomes one placeholder, named after the longest finding at its first character.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.guardrail.check import BEFORE, OPENING, WORD, Check, Finding, Run, Tail
from app.guardrail.groups import CheckGroup, group_checks
from app.guardrail.lookalikes import lowered
from app.guardrail.normal import Normaliser
from app.guardrail.outline import Outline

# Text without any of these holds no start that a check would accept unless a cue word stands before it.
_WORTH_A_LOOK = re.compile(r"[@\d:=_/+(\-A-Z\\&%\x80-\U0010ffff]|[^ \n]{8}|[A-Za-z]\.[A-Za-z]", re.ASCII)
_PIECE = 2048  # a whole text is fed in pieces of this many characters: what a mask moves is looked at again
_MAX_CUE = 32  # characters of the longest cue word
_SLACK = 512  # decided characters that may stay in the buffer before it is cut


class GateClosed(RuntimeError):
    """The gate was flushed, or a check failed: nothing more is released."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted text, and how many redactions of each kind it holds."""

    text: str
    counts: Mapping[str, int]


@dataclass(slots=True)
class Mask:
    """What one placeholder stands for: characters start..end of the raw text, and the finding that began it."""

    start: int
    end: int
    kind: str
    reason: str
    check: Check


def placeholder(kind: str) -> str:
    """What stands in the text instead of a finding."""
    return f"[redacted: {kind}]"


class Gate:
    """Redacts one stream: `feed` each piece, `flush` at its end. An aborted stream is simply not flushed."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = group_checks(tuple(checks))
        self._groups = self._checks.groups
        self._normaliser = Normaliser()
        self._raw = ""  # text as it came, from the oldest character still needed
        self._text = ""  # the same, folded; positions below are positions in it
        self._drops: list[int] = []
        self._scan = 0  # starts before this are decided
        self._out = 0  # raw position: what lies before is released or swallowed
        self._mask_start = self._mask_end = -1  # the latest mask
        self._mask_before = ""  # the redacted text before it
        self._mask_kind = ""
        self._cues: dict[str, list[int]] = {}  # where the cue words end that stand before `_cued`
        self._cued = 0
        self._outline = Outline()  # of the redacted text
        self._outlined = 0  # what lies before was fed to it
        self._tail: Tail | None = None
        self._waiting: Run | None = None  # what the start at scan, the first undecided one, waits for the end of
        self._parts: list[str] = []
        self._counts: Counter[str] = Counter()
        self._open = True
        self._cut = 0  # raw characters that the buffer has lost at its beginning
        self.masks: list[Mask] | None = None  # all so far, for who sets a list before the first piece

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
        self._take(token)
        released = self._advance(final=False)
        self._open = True
        return released

    def finish(self, token: str) -> str:
        """Take the last piece of the text; returns all that was held back. The gate is closed afterwards."""
        self._enter()
        self._take(token)
        return self._advance(final=True)

    def flush(self) -> str:
        """The text is complete: returns what was held back. The gate is closed afterwards."""
        return self.finish("")

    def _enter(self) -> None:
        if not self._open:
            raise GateClosed("the stream has ended or a check has failed; nothing more is released")
        self._open = False  # stays so if a check raises

    def _take(self, token: str) -> None:
        if token:
            raw, folded, drops = self._normaliser.feed(token)
            if drops:
                size = len(self._text)
                self._drops.extend(size + at for at in drops)
            self._raw += raw
            self._text += folded

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
        cues = self._find_cues(limit)
        worth = _WORTH_A_LOOK.search(text, scan) is not None
        found = []
        for number, group in enumerate(self._groups):
            if group.of_label:
                found += [(at, number) for at in group.starts(text, scan, limit)]
            elif group.cue is not None:
                for begin, end in group.near_cue(cues, limit) if cues else ():
                    found += [(at, number) for at in group.starts(text, max(begin, scan), end)]
            elif worth and (not group.needs or text.find(group.needs, scan) >= 0):
                found += [(at, number) for at in group.starts(text, scan, limit)]
        if self._mask_end >= 0:
            found = list({*found, *self._behind_mask(limit)})
        found.sort()
        return found

    def _find_cues(self, limit: int) -> dict[str, list[int]]:
        """Where the cue words end that are near enough to a start in scan..limit; those seen before are kept."""
        oldest = self._scan - BEFORE
        cues = {word: [end for end in ends if end >= oldest] for word, ends in self._cues.items()}
        since = max(self._cued - _MAX_CUE, oldest, 0)
        for word, ends in self._checks.find_cues(self._text, since, limit).items():
            known = cues.setdefault(word, [])
            known += [end for end in ends if end > self._cued]
        self._cues = {word: ends for word, ends in cues.items() if ends}
        self._cued = limit
        return self._cues

    def _behind_mask(self, limit: int) -> Iterator[tuple[int, int]]:
        """All starts of the groups with a cue that are near the latest mask: what hides text brings a cue nearer.

        Farther on, what stands before a start is the text itself (`_before`).
        """
        begin, end = max(self._scan, self._mask_end), min(limit, self._mask_end + BEFORE)
        for number, group in enumerate(self._groups):
            if group.cue is not None and not group.of_label:
                yield from ((at, number) for at in group.starts(self._text, begin, end))

    def _decide(self, limit: int, *, final: bool) -> None:
        """Decide the starts in scan..limit from left to right, stopping early at one that needs more text."""
        if self._waiting is not None and not final and self._waiting.end(self._text, self._scan) == len(self._text):
            return
        queue = self._candidates(limit)
        at, masked = 0, self._mask_end
        while True:
            if self._mask_end != masked:
                masked = self._mask_end
                queue, at = sorted({*queue[at:], *self._behind_mask(limit)}), 0
            while at < len(queue) and queue[at][0] < self._scan:
                at += 1
            start = queue[at][0] if at < len(queue) else limit
            # Behind a mask stands a bracket, not the character that was there: every check gets to see that start.
            if self._scan <= self._mask_end <= start and self._mask_end < limit:
                start = self._mask_end
                groups: Sequence[CheckGroup] = self._groups
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

    def _judge(self, start: int, groups: Sequence[CheckGroup], *, final: bool) -> bool:
        """Decide one start; False if a check needs text that is not there yet."""
        text, size = self._text, len(self._text)
        if all(group.of_label for group in groups) and not self._label(start):
            self._scan, self._waiting = start + 1, None
            return True
        before = self._before(start)
        if before.endswith(OPENING):  # nothing begins within a placeholder
            self._scan, self._waiting = start + 1, None
            return True
        cued = lowered(before)
        best: Finding | None = None
        by: Check | None = None
        for group in groups:
            left = before
            if group.of_label:
                left = self._label(start)
                if not left:
                    continue
            elif group.cue is not None and group.cue.found(cued) is None:
                continue
            end = group.run.end(text, start)
            if end == size and not final:
                self._waiting = group.run
                return False
            if end - start < group.run.min_extent:
                continue
            window = left + text[start : end + 1]
            for check in group.checks:
                found = check.at(window, len(left))
                if found is not None and (best is None or found.end - len(left) > best.end):
                    best, by = replace(found, start=0, end=found.end - len(left)), check
        self._scan = start + 1
        self._waiting = None
        if best is not None and by is not None:
            self._mask(start, best, by, before)
            if best.open and by.tail is not None:
                self._swallow(by.tail, final=final)
        return True

    def _before(self, start: int) -> str:
        """The text left of a start as a reader of the release sees it, so that redacting twice changes nothing."""
        if start < self._mask_end:
            return self._text[max(start - BEFORE, 0) : start]
        since = self._text[max(self._mask_end, start - BEFORE, 0) : start]
        if self._mask_end < 0 or len(since) >= BEFORE:
            return since
        return (self._mask_before + placeholder(self._mask_kind) + since)[-BEFORE:]

    def _label(self, start: int) -> str:
        """What names the place otherwise, as a reader of the release sees it; none within a mask."""
        if start < self._outlined:
            return ""
        self._outline.feed(self._text[self._outlined : start])
        self._outlined = start
        return self._outline.label()

    def _mask(self, start: int, found: Finding, by: Check, before: str) -> None:
        end, kind = start + found.end, found.kind
        if start > self._mask_end:
            self._release(start)
            if self.masks is not None:
                self.masks.append(Mask(self._cut + self._out, 0, kind, found.reason, by))
            self._outline.feed(self._text[self._outlined : start] + placeholder(kind))
            self._mask_start = self._mask_end = start
            self._mask_before, self._mask_kind = before, kind
            self._parts.append(placeholder(kind))
            self._counts[kind] += 1
        self._cover(max(self._mask_end, end))

    def _cover(self, end: int) -> None:
        """Lengthen the mask."""
        self._mask_end = self._outlined = end
        self._out = end + bisect_left(self._drops, end)
        if self.masks:
            self.masks[-1].end = self._cut + self._out

    def _swallow(self, tail: Tail, *, final: bool) -> None:
        """Lengthen the mask over an open finding: to its end if that is known, else over all that must belong to it."""
        size, ended = len(self._text), False
        if not tail.closer:
            match = tail.pattern.match(self._text, self._mask_end)
            ended = match is not None and match.end() < size
            self._cover(match.end() if ended and match is not None else size)
        while tail.closer and not ended:
            match = tail.pattern.match(self._text, self._mask_end)
            closed = match is not None and match.lastgroup == "closer"
            known = size - match.end() >= tail.ahead if match else size - self._mask_end > tail.longest
            if not (closed or known or final):
                break
            ended = closed or match is None
            self._cover(self._mask_end if match is None else match.end())
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
        self._outline.feed(self._text[self._outlined : cut])
        self._outlined = max(self._outlined - cut, 0)
        gone = bisect_left(self._drops, cut)
        raw_cut = cut + gone
        self._text, self._raw = self._text[cut:], self._raw[raw_cut:]
        self._drops = [at - cut for at in self._drops[gone:]]
        self._cues = {word: [end - cut for end in ends if end > cut] for word, ends in self._cues.items()}
        self._cued = max(self._cued - cut, 0)
        self._scan -= cut
        self._out -= raw_cut
        self._cut += raw_cut
        self._mask_start = max(self._mask_start - cut, -1)
        self._mask_end = max(self._mask_end - cut, -1)


def redact(text: str, checks: Sequence[Check]) -> Redacted:
    """The redaction of a whole text: what a Gate releases for it."""
    gate = Gate(checks)
    released = feed_whole(gate, text)
    return Redacted(released, dict(gate.counts))


def feed_whole(gate: Gate, text: str) -> str:
    """What a new gate releases for a whole text."""
    last = max((len(text) - 1) // _PIECE * _PIECE, 0)
    pieces = [gate.feed(text[at : at + _PIECE]) for at in range(0, last, _PIECE)]
    return "".join(pieces) + gate.finish(text[last:])
