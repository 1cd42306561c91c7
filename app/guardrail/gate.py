"""The stream redactor. What it has released is always a prefix of the redaction of the whole text, however it was cut.

Starts are decided from left to right, each once, as soon as the text its checks may read is there. Masks are the union
of the findings; one unbroken mask becomes one placeholder, named after the longest finding at its first character.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.guardrail.check import (
    BEFORE,
    BEGUN,
    FAR_BEFORE,
    MAX_PLACEHOLDER,
    OPENING,
    PLACEHOLDER,
    WORD,
    Check,
    Run,
    Tail,
    plain_placeholders,
)
from app.guardrail.groups import CheckGroup
from app.guardrail.lookalikes import lowered
from app.guardrail.masks import LatestMask, Mask, Renderer, ShownValue
from app.guardrail.names.spans import Spans
from app.guardrail.normal import Normaliser
from app.guardrail.outline import LabelOutline
from app.guardrail.starts import StartQueue
from app.guardrail.windows import Asked, StartFinding, longest

_PIECE = 2048  # a whole text is fed in pieces of this many characters: what a mask moves is looked at again
_SLACK = 768  # decided characters that may stay in the buffer before it is cut


class GateClosed(RuntimeError):
    """The gate was flushed, or a check failed: nothing more is released."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted text, and how many redactions of each kind it holds."""

    text: str
    counts: Mapping[str, int]


class Gate:
    """Redacts one stream: `feed` each piece, `flush` at its end. An aborted stream is simply not flushed."""

    def __init__(self, checks: Sequence[Check], renderer: Renderer | None = None) -> None:
        """`renderer` chooses what a masked value is shown as; without one that is its kind."""
        self._spans = Spans(checks)
        self._queue = StartQueue(checks, self._spans)
        self._normaliser = Normaliser()
        self._raw = ""  # text as it came, from the oldest character still needed
        self._text = ""  # the same, folded; positions below are positions in it
        self._drops: list[int] = []
        self._scan = 0  # starts before this are decided
        self._limit = 0  # those before this lie in words whose end is known, or too far back to depend on what follows
        self._out = 0  # raw position: what lies before is released or swallowed
        self._mask = LatestMask(renderer)
        self._outline = LabelOutline()  # of the redacted text
        self._outlined = 0  # what lies before was fed to it, but for what stands for the latest mask
        self._outlines_mask = True  # unless that was too
        # Starts without a finding whose windows reach beyond what is decided: a mask there changes what they see.
        self._judged: list[tuple[int, int, list[Asked]]] = []
        self._tail: Tail | None = None
        self._waiting: Run | None = None  # what the start at scan, the first undecided one, waits for the end of
        # How far that start was asked for: by whom, with what before it, and what those before can read.
        self._partly: tuple[int, int, str, list[Asked]] | None = None
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
        return len(self._raw) - self._out + self._mask.held

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
            size = len(self._text)
            if drops:
                self._drops.extend(size + at for at in drops)
            self._raw += raw
            self._text += folded
            last = max(folded.rfind(" "), folded.rfind("\n"))
            self._limit = max(self._limit, size + last + 1 if last >= 0 else 0, len(self._text) - WORD.extent)
            self._spans.feed(folded)

    def _advance(self, *, final: bool) -> str:
        size, begun = len(self._text), self._scan
        if self._tail is not None:
            self._swallow(self._tail, final=final)
        elif begun >= self._limit and not final:  # most pieces end within a word
            return ""
        if final:
            self._spans.feed("", final=True)
        limit = size if final else min(self._limit, self._spans.known)
        if self._tail is None and self._scan < limit:
            self._decide(limit, final=final)
        if self._scan == begun and not final and not self._parts:
            return ""
        self._forget_judged(self._scan)
        if final:
            self._close()
            self._release(size)
        elif self._scan > self._mask.end:
            self._close()
            self._release(self._oldest())
        released = "".join(self._parts)
        self._parts.clear()
        if self._scan > _SLACK:
            self._trim()
        return released

    def _forget_judged(self, start: int) -> None:
        """Those that a mask from `start` on changes nothing for: the first ones alone, for `_oldest` asks no others."""
        gone = 0
        while gone < len(self._judged) and self._judged[gone][1] < start:
            gone += 1
        del self._judged[:gone]

    def _oldest(self) -> int:
        """What lies before is decided whatever follows."""
        return min(self._scan, self._judged[0][0]) if self._judged else self._scan

    def _decide(self, limit: int, *, final: bool) -> None:
        """Decide the starts in scan..limit from left to right, stopping early at one that needs more text."""
        if self._waiting is not None and not final and self._waiting.end(self._text, self._scan) == len(self._text):
            return
        queue, masked = self._queue, -1
        while True:
            if self._mask.end != masked:
                masked = self._mask.end
                queue.find_behind_mask(self._text, self._scan, masked, self._mask.left, limit)
            first = queue.first(self._text, self._scan, limit)
            # Behind a mask stands a bracket, not the character that was there: every check gets to see that start.
            if self._scan <= masked < limit and (first is None or masked <= first[0]):
                first = masked, queue.groups
            if first is None:
                break
            start, groups = first
            if not self._judge(start, groups, final=final):
                self._scan = start
                return
            if self._tail is not None:
                return
        self._scan = max(self._scan, limit)

    def _judge(self, start: int, groups: Sequence[CheckGroup], *, final: bool) -> bool:
        """Decide one start; False if a check needs text that is not there yet."""
        before = self._before(start)
        within = self._within(start, before)
        self._waiting = None
        asked = [] if within else self._asked(start, before, groups, final=final)
        if asked is None or (within is None and not final):
            return False
        best = longest(self._text, start, asked)
        best = best if within else self._or_span(best, start)
        self._scan = start + 1
        if best is not None:
            self._take_finding(start, best, before)
            if best.tail is not None:
                self._swallow(best.tail, final=final)
        elif asked:
            self._judged.append((start, max(end for _, _, end in asked), asked))
        return True

    def _asked(self, start: int, before: str, groups: Sequence[CheckGroup], *, final: bool) -> list[Asked] | None:
        """The groups whose cue is found, each with what it may read; None if that is not all there yet."""
        at, known, asked = self._partly[1:] if self._partly is not None and self._partly[0] == start else (0, "", [])
        run, end, small = WORD, -1, ""
        for number in range(at, len(groups)):
            group, left = groups[number], known or before
            if group.cue is not None and not known:
                if group.of_label:
                    left = self._label(start)
                    shown = lowered(left)
                else:
                    shown = small = small or lowered(before)
                if not left or group.cue.found(shown) is None:
                    continue
            known = ""
            if end < 0 or group.run is not run:
                run, end = group.run, group.run.end(self._text, start)
                if not final and (end == len(self._text) or self._may_open(end)):
                    self._waiting = run if end == len(self._text) else None
                    self._partly = start, number, left, asked
                    return None
            if end - start >= run.min_extent:
                asked.append((group, left, end))
        self._partly = None
        return asked

    def _within(self, start: int, before: str) -> bool | None:
        """Whether a start lies within a placeholder, where nothing begins; None where more text would tell."""
        at = before.rfind("[", max(len(before) - MAX_PLACEHOLDER, 0))
        if at < 0 or not before.startswith(OPENING, at) or "]" in before[at:]:
            return False
        text = before[at:] + self._text[start : start + MAX_PLACEHOLDER]
        return True if PLACEHOLDER.match(text) else None if BEGUN.fullmatch(text) else False

    def _may_open(self, end: int) -> bool:
        """Whether a placeholder may begin in what a stretch reads last, and more text would tell."""
        at = self._text.rfind("[", max(end + 1 - MAX_PLACEHOLDER, 0), end + 1)
        return at >= 0 and PLACEHOLDER.match(self._text, at) is None and BEGUN.fullmatch(self._text, at) is not None

    def _or_span(self, best: StartFinding | None, start: int) -> StartFinding | None:
        """What was found, or what a model found there if that goes farther."""
        span = self._spans.at(start)
        if span is None:
            return best
        if best is not None and best.size >= span.end - start:
            return replace(best, kinds=best.kinds.union((span.kind,)))
        kinds = best.kinds.union((span.kind,)) if best is not None else frozenset((span.kind,))
        return StartFinding(span.end - start, span.kind, "found by a model", None, None, kinds)

    def _before(self, start: int) -> str:
        """The text left of a start as a reader of the release sees it, so that redacting twice changes nothing. Of
        placeholders only the kind is seen, so that what a policy has them say changes nothing either.
        """
        begin = max(start - BEFORE, 0)
        if start < self._mask.end:
            return self._text[begin:start]
        since = self._text[max(self._mask.end, begin) : start]
        if "]" in since:
            since = plain_placeholders(self._text[max(self._mask.end, start - FAR_BEFORE, 0) : start])[-BEFORE:]
        if self._mask.end < 0 or len(since) >= BEFORE:
            return since
        return (self._mask.left + since)[-BEFORE:]

    def _label(self, start: int) -> str:
        """What names the place otherwise, as a reader of the release sees it; none within a mask."""
        if start < self._outlined:
            return ""
        self._forget_judged(start)
        self._outline_upto(min(self._oldest(), start))
        return self._outline.label_behind(self._unfed(start))

    def _outline_upto(self, end: int) -> None:
        """Show the outline what is decided whatever follows."""
        if end > self._outlined:
            self._outline.feed(self._unfed(end))
            self._outlined, self._outlines_mask = end, True

    def _unfed(self, end: int) -> str:
        """What the outline was not shown yet of the redacted text up to a place behind the latest mask."""
        text = self._text[self._outlined : end]
        return text if self._outlines_mask else self._mask.stand_in + text

    def _take_finding(self, start: int, found: StartFinding, before: str) -> None:
        if start > self._mask.end:
            self._begin(start, found, self._look_again(start, before))
        else:
            self._show(self._mask.extend(start, found))
        self._cover(max(self._mask.end, start + found.size))

    def _begin(self, start: int, found: StartFinding, before: str) -> None:
        """A mask begins, behind what stands before it."""
        self._close()
        self._release(start)
        if self.masks is not None:
            self.masks.append(Mask(self._cut + self._out, 0, found.kind, found.reason, found.check))
        self._outline.feed(self._unfed(start))
        self._outlined, self._outlines_mask = start, False
        self._show(self._mask.begin(start, found, before))

    def _close(self) -> None:
        """The latest mask has come to its end."""
        if self._mask.open:
            self._show(self._mask.close())

    def _show(self, shown: ShownValue | None) -> None:
        """Release what the latest mask is shown as, once that is known."""
        if shown is None:
            return
        self._parts.append(shown.text)
        if shown.hidden:
            self._counts[self._mask.kind] += 1
        if self.masks:
            self.masks[-1].action = shown.action

    def _look_again(self, start: int, before: str) -> str:
        """Mask what is found left of a mask now that nothing can be read there; gives the text before the mask.

        "AB51 ABC" before a word is no plate; before a placeholder it is one, and redacting twice must change nothing.
        """
        text, found_more = self._text, False
        for begin, reach, asked in self._judged:
            if begin < max(self._mask.end, self._outlined) or reach < start or begin >= start:
                continue
            found = longest(text, begin, [(group, left, start) for group, left, end in asked if end >= start], start)
            if found is None:
                continue
            self._begin(begin, found, self._before(begin))
            self._cover(begin + found.size)
            found_more = True
        return self._before(start) if found_more else before

    def _cover(self, end: int) -> None:
        """Lengthen the mask."""
        self._outlined = end
        out = end + bisect_left(self._drops, end)
        self._show(self._mask.cover(self._raw[self._out : out], end))
        self._out = out
        if self.masks:
            self.masks[-1].end = self._cut + self._out

    def _swallow(self, tail: Tail, *, final: bool) -> None:
        """Lengthen the mask over an open finding: to its end if that is known, else over all that must belong to it."""
        size, ended = len(self._text), False
        if not tail.closer:
            match = tail.pattern.match(self._text, self._mask.end)
            ended = match is not None and match.end() < size
            self._cover(match.end() if ended and match is not None else size)
        while tail.closer and not ended:
            match = tail.pattern.match(self._text, self._mask.end)
            closed = match is not None and match.lastgroup == "closer"
            known = size - match.end() >= tail.ahead if match else size - self._mask.end > tail.longest
            if not (closed or known or final):
                break
            ended = closed or match is None
            self._cover(self._mask.end if match is None else match.end())
        self._scan = self._mask.end
        self._tail = None if ended or final else tail

    def _release(self, upto: int) -> None:
        """Pass on what no mask covers, up to a position."""
        raw = upto + bisect_right(self._drops, upto)
        if raw > self._out:
            self._parts.append(self._raw[self._out : raw])
            self._out = raw

    def _trim(self) -> None:
        """Forget text that no decision can read any more."""
        cut = self._oldest() - FAR_BEFORE - 1
        if cut <= 0:
            return
        self._outline_upto(cut)
        self._outlined -= cut
        gone = bisect_left(self._drops, cut)
        raw_cut = cut + gone
        self._text, self._raw = self._text[cut:], self._raw[raw_cut:]
        self._drops = [at - cut for at in self._drops[gone:]]
        self._queue.forget(cut)
        self._spans.forget(cut)
        self._judged = [
            (begin - cut, reach - cut, [(group, left, end - cut) for group, left, end in asked])
            for begin, reach, asked in self._judged
        ]
        self._partly = None
        self._scan -= cut
        self._limit -= cut
        self._out -= raw_cut
        self._cut += raw_cut
        self._mask.forget(cut)


def redact(text: str, checks: Sequence[Check], renderer: Renderer | None = None) -> Redacted:
    """The redaction of a whole text: what a Gate releases for it."""
    gate = Gate(checks, renderer)
    released = feed_whole(gate, text)
    return Redacted(released, dict(gate.counts))


def feed_whole(gate: Gate, text: str) -> str:
    """What a new gate releases for a whole text."""
    last = max((len(text) - 1) // _PIECE * _PIECE, 0)
    pieces = [gate.feed(text[at : at + _PIECE]) for at in range(0, last, _PIECE)]
    return "".join(pieces) + gate.finish(text[last:])
