"""The stream redactor. What it has released is always a prefix of the redaction of the whole text, however it was cut.

Starts are decided from left to right, each once, as soon as the text its checks may read is there. Masks are the union
of the findings; one unbroken mask becomes one placeholder, named after the longest finding at its first character.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.guardrail.check import BEFORE, OPENING, WORD, Check, Run, Tail
from app.guardrail.groups import CheckGroup, Ranges, group_checks, joined
from app.guardrail.lookalikes import lowered
from app.guardrail.normal import Normaliser
from app.guardrail.outline import Outline

_WITHIN = re.compile(re.escape(OPENING) + r"[a-z ]*\Z")  # nothing begins within a placeholder
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


# A group of checks, what it is shown left of a start, and where the stretch to the right ends.
Asked = tuple[CheckGroup, str, int]


@dataclass(frozen=True, slots=True)
class _Found:
    end: int  # characters from the start
    kind: str
    open: bool
    tail: Tail | None


def _longest(text: str, start: int, asked: Iterable[Asked], hidden: int | None = None) -> _Found | None:
    """The longest finding at a start. None goes into what is hidden already: a placeholder, or what lies at `hidden`."""
    best: _Found | None = None
    for group, left, end in asked:
        stretch, at = text[start : end + 1], len(left)
        cut = stretch.find(OPENING) if hidden is None else hidden - start
        window = left + (stretch if cut < 0 else stretch[:cut] + "\0")
        for check in group.checks:
            found = check.at(window, at)
            if found is None or 0 <= cut < found.end - at:
                continue
            if best is None or found.end - at > best.end:
                best = _Found(found.end - at, found.kind, found.open, check.tail)
    return best


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
        # Starts without a finding whose windows reach beyond what is decided: a mask there changes what they see.
        self._judged: list[tuple[int, int, list[Asked]]] = []
        self._tail: Tail | None = None
        self._waiting: Run | None = None  # what the start at scan, the first undecided one, waits for the end of
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
        self._judged = [one for one in self._judged if one[1] >= self._scan]
        if final:
            self._release(size)
        elif self._scan > self._mask_end:
            self._release(self._oldest())
            self._outline_upto(self._oldest())
        released = "".join(self._parts)
        self._parts.clear()
        if self._scan > _SLACK:
            self._trim()
        return released

    def _oldest(self) -> int:
        """What lies before is decided whatever follows."""
        return min(self._scan, self._judged[0][0]) if self._judged else self._scan

    def _frontier(self, size: int) -> int:
        """Starts before this lie in words whose end is known, or too far from the end of the text to depend on it."""
        oldest = max(size - WORD.extent, 0)
        return max(self._text.rfind(" ", oldest), self._text.rfind("\n", oldest), oldest - 1) + 1

    def _candidates(self, limit: int) -> list[tuple[int, int]]:
        """Starts in scan..limit that some group wants to see, in order, each with the number of the group."""
        text, scan = self._text, self._scan
        cues = self._find_cues(limit)
        found = [(at, number) for number, group in self._checks.labelled for at in group.starts(text, scan, limit)]
        for needed, numbered in self._checks.plain:
            if needed.search(text, scan) is not None:
                found += [(at, number) for number, group in numbered for at in group.starts(text, scan, limit)]
        near: dict[re.Pattern[str], list[tuple[int, Ranges]]] = {}
        for number, group in self._checks.cued if cues else ():
            if ranges := group.near_cue(cues, limit):
                near.setdefault(group.opener, []).append((number, ranges))
        for asked in near.values():
            found += self._near(asked)
        if self._mask_end >= 0:
            found = list({*found, *self._behind_mask(limit)})
        found.sort()
        return found

    def _near(self, asked: list[tuple[int, Ranges]]) -> Iterator[tuple[int, int]]:
        """The starts of groups with one opener that lie in the ranges of each; the text is searched once."""
        group = self._groups[asked[0][0]]
        starts = [
            at
            for begin, end in joined(span for _, ranges in asked for span in ranges)
            for at in group.starts(self._text, max(begin, self._scan), end)
        ]
        for number, ranges in asked:
            for begin, end in ranges:
                yield from ((at, number) for at in starts[bisect_left(starts, begin) : bisect_left(starts, end)])

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
        for number, group in self._checks.cued:
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
        before = self._before(start)
        asked: list[Asked] = []
        run, end = WORD, -1
        for group in () if _WITHIN.search(before) is not None else groups:
            left = before
            if group.cue is not None:
                left = self._label(start) if group.of_label else before
                if not left or group.cue.found(lowered(left)) is None:
                    continue
            if end < 0 or group.run is not run:
                run, end = group.run, group.run.end(text, start)
            if end == size and not final:
                self._waiting = run
                return False
            if end - start >= run.min_extent:
                asked.append((group, left, end))
        best = _longest(text, start, asked)
        self._scan = start + 1
        self._waiting = None
        if best is None:
            if asked:
                self._judged.append((start, max(end for _, _, end in asked), asked))
            return True
        self._mask(start, start + best.end, best.kind, before)
        if best.open and best.tail is not None:
            self._swallow(best.tail, final=final)
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
        self._judged = [one for one in self._judged if one[1] >= start]
        self._outline_upto(min(self._oldest(), start))
        return self._outline.after(self._text[self._outlined : start]).label()

    def _outline_upto(self, end: int) -> None:
        """Show the outline what is decided whatever follows."""
        if end > self._outlined:
            self._outline.feed(self._text[self._outlined : end])
            self._outlined = end

    def _mask(self, start: int, end: int, kind: str, before: str) -> None:
        if start > self._mask_end:
            before = self._look_again(start, before)
            self._release(start)
            self._outline.feed(self._text[self._outlined : start] + placeholder(kind))
            self._mask_start = self._mask_end = start
            self._mask_before, self._mask_kind = before, kind
            self._parts.append(placeholder(kind))
            self._counts[kind] += 1
        self._cover(max(self._mask_end, end))

    def _look_again(self, start: int, before: str) -> str:
        """Mask what is found left of a mask now that nothing can be read there; gives the text before the mask.

        "AB51 ABC" before a word is no plate; before a placeholder it is one, and redacting twice must change nothing.
        """
        text = self._text
        for begin, reach, asked in self._judged:
            if begin < max(self._mask_end, self._outlined) or reach < start or begin >= start:
                continue
            found = _longest(text, begin, [(group, left, start) for group, left, end in asked if end >= start], start)
            if found is None:
                continue
            end = begin + found.end
            self._release(begin)
            self._outline.feed(text[self._outlined : begin] + placeholder(found.kind))
            self._parts.append(placeholder(found.kind))
            self._counts[found.kind] += 1
            self._cover(end)
            before = (before[: max(len(before) - (start - begin), 0)] + placeholder(found.kind) + text[end:start])[-BEFORE:]
        return before

    def _cover(self, end: int) -> None:
        """Lengthen the mask."""
        self._mask_end = self._outlined = end
        self._out = end + bisect_left(self._drops, end)

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
        cut = self._oldest() - BEFORE - 1
        if cut <= 0:
            return
        self._outline_upto(cut)
        self._outlined -= cut
        gone = bisect_left(self._drops, cut)
        raw_cut = cut + gone
        self._text, self._raw = self._text[cut:], self._raw[raw_cut:]
        self._drops = [at - cut for at in self._drops[gone:]]
        self._cues = {word: [end - cut for end in ends if end > cut] for word, ends in self._cues.items()}
        self._cued = max(self._cued - cut, 0)
        self._judged = [(begin - cut, reach - cut, [(group, left, end - cut) for group, left, end in asked]) for begin, reach, asked in self._judged]
        self._scan -= cut
        self._out -= raw_cut
        self._mask_start = max(self._mask_start - cut, -1)
        self._mask_end = max(self._mask_end - cut, -1)


def redact(text: str, checks: Sequence[Check]) -> Redacted:
    """The redaction of a whole text: what a Gate releases for it."""
    gate = Gate(checks)
    last = max((len(text) - 1) // _PIECE * _PIECE, 0)
    pieces = [gate.feed(text[at : at + _PIECE]) for at in range(0, last, _PIECE)]
    released = "".join(pieces) + gate.finish(text[last:])
    return Redacted(released, dict(gate.counts))
