"""Where checks may find something: the starts of a stretch of text that some group of checks wants to see."""

from collections.abc import Collection, Iterator, Sequence
from heapq import heappop, heappush

from app.guardrail.check import BEFORE, FAR_BEFORE, Check, says_more
from app.guardrail.groups import CheckGroup, NeedingOne, Ranges, group_checks, joined, within
from app.guardrail.lookalikes import lowered
from app.guardrail.names.spans import Spans

_MAX_CUE = 32  # characters of the longest cue word
_SPAN = -1  # instead of a group's number, where a model's finding begins


class Starts:
    """Finds the starts of one stream. Positions are in the text that each call is given; `forget` moves them."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = group_checks(tuple(checks))
        self.groups = self._checks.groups
        # By the number of a group with a cue, where a start has a word of it near before it, as far as that is known:
        # of the words that end before `_cued`.
        self._near: dict[int, Ranges] = {}
        self._cued = 0

    def find(self, text: str, scan: int, limit: int) -> list[tuple[int, int]]:
        """Starts in scan..limit, in no order, each with the number of the group that wants to see it."""
        self._find_cues(text, scan, limit)
        found: list[tuple[int, int]] = []
        for needing in self._checks.needing(text, scan):
            if needing.may_have_starts(text, scan, limit):
                found += [(at, number) for number, group in needing.groups for at in group.starts(text, scan, limit)]
        if says_more(text, max(scan - FAR_BEFORE, 0), limit):  # a cue is nearer than it looks
            return [*found, *self.of_groups(self._checks.cued_as, text, scan, limit)]
        near: dict[NeedingOne, list[tuple[int, Ranges]]] = {}
        everywhere = [(scan, limit)]  # most stretches lie whole within the reach of a word, or without
        for number, ranges in self._near.items():
            is_whole = ranges[-1][0] <= scan and limit <= ranges[-1][1]
            if here := everywhere if is_whole else within(ranges, scan, limit):
                near.setdefault(self._checks.cued_as[number], []).append((number, here))
        for needing, asked in near.items():
            if needing.needed is None or needing.needed.search(text, scan) is not None:
                found += self._find_near(asked, text)
        return found

    def of_groups(self, numbers: Collection[int], text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """All starts of these groups in begin..end."""
        for number in numbers:
            yield from ((at, number) for at in self.groups[number].starts(text, begin, end))

    def cued_in(self, text: str, known: int) -> set[int]:
        """The groups that have a cue word in a text; of those that end before `known`, not all."""
        words = self._checks.find_cues(text, 0, known, len(text))
        return {number for word in words for number in self._checks.word_groups[word]}

    def forget(self, cut: int) -> None:
        """The first `cut` characters of the text are gone."""
        self._near = {
            number: [(begin - cut, end - cut) for begin, end in ranges]
            for number, ranges in self._near.items()
            if ranges[-1][1] > cut
        }
        self._cued = max(self._cued - cut, 0)

    def _find_near(self, asked: list[tuple[int, Ranges]], text: str) -> Iterator[tuple[int, int]]:
        """The starts of groups with one opener in the ranges of each.

        What stands before a start is the text itself: near a mask, where it is not, `find_behind_mask` looks.
        """
        group: CheckGroup = self.groups[asked[0][0]]
        for begin, end in joined([ranges for _, ranges in asked]):
            for at in group.starts(text, begin, end):
                before = lowered(text[max(at - BEFORE, 0) : at])
                for number, ranges in asked:
                    cue = self.groups[number].cue
                    if (cue is None or cue.may_end is None or cue.may_end(before)) and within(ranges, at, at + 1):
                        yield at, number

    def _find_cues(self, text: str, scan: int, limit: int) -> None:
        """Look for the cue words up to `limit`; those of before are kept as far as they reach beyond `scan`."""
        for number in [number for number, ranges in self._near.items() if ranges[-1][1] <= scan]:
            del self._near[number]
        oldest = scan - BEFORE
        found: dict[int, list[int]] = {}
        since = max(self._cued - _MAX_CUE, oldest, 0)
        for word, ends in self._checks.find_cues(text, since, self._cued, limit).items():
            new = [end for end in ends if end > self._cued and end >= oldest]
            for number in self._checks.word_groups.get(word, ()) if new else ():
                found.setdefault(number, []).extend(new)
        for number, new in found.items():
            ranges = self._near.setdefault(number, [])
            for end in sorted(new):
                if ranges and end <= ranges[-1][1]:
                    ranges[-1] = ranges[-1][0], end + BEFORE
                else:
                    ranges.append((end, end + BEFORE))
        self._cued = limit


class StartQueue:
    """The starts of one stream that are to be decided, in order: each stretch of text is searched once."""

    def __init__(self, checks: Sequence[Check], spans: Spans) -> None:
        self._starts = Starts(checks)
        self.groups = self._starts.groups
        self._spans = spans
        self._order: list[int] = []  # a heap of the keys of `_wanted`
        self._wanted: dict[int, list[int]] = {}  # by start, the numbers of the groups that want to see it
        self._known = 0  # starts before this were looked for
        self._behind = 0  # near the latest masks, starts before this were looked for
        self._mask_end = -1
        self._cued: set[int] = set()  # the groups that have a cue word near the latest mask
        self._cued_upto = 0  # as far as that is known

    def find_behind_mask(self, text: str, scan: int, mask_end: int, left: str, limit: int) -> None:
        """Look for those near the latest mask that text before it may be the cue of: what hides text brings a cue
        nearer. Farther on, what stands before a start is the text itself. `left`: the redacted text up to `mask_end`,
        as far as a start behind it can see.
        """
        begin, end = max(scan, mask_end, self._behind), min(limit, mask_end + BEFORE)
        if mask_end < 0 or begin >= end:
            return
        if mask_end != self._mask_end:
            self._mask_end, self._cued_upto = mask_end, mask_end - len(left)
            self._cued.clear()
        base = mask_end - len(left)
        self._cued |= self._starts.cued_in(left + text[mask_end:end], self._cued_upto - base)
        self._cued_upto = end
        for at, number in self._starts.of_groups(self._cued, text, begin, end):
            self._add(at, number)
        self._behind = end

    def first(self, text: str, scan: int, limit: int) -> tuple[int, Sequence[CheckGroup]] | None:
        """The first start in scan..limit, and who wants to see it; what lies before is forgotten."""
        start = self._next(scan)
        if (start is None or start >= self._known) and self._known < limit:
            self._find(text, scan, limit)
            start = self._next(scan)
        if start is None or start >= limit:
            return None
        return start, [self.groups[number] for number in sorted(set(self._wanted[start])) if number != _SPAN]

    def forget(self, cut: int) -> None:
        """The first `cut` characters of the text are gone; all starts in them are decided."""
        self._starts.forget(cut)
        self._order = [at - cut for at in self._order if at >= cut]
        self._wanted = {at - cut: numbers for at, numbers in self._wanted.items() if at >= cut}
        self._known = max(self._known - cut, 0)
        self._behind = max(self._behind - cut, 0)
        self._mask_end -= cut
        self._cued_upto -= cut

    def _next(self, scan: int) -> int | None:
        while self._order and self._order[0] < scan:
            del self._wanted[heappop(self._order)]
        return self._order[0] if self._order else None

    def _find(self, text: str, scan: int, limit: int) -> None:
        """Look for the starts in scan..limit, as far as that was not done."""
        begin, self._known = max(self._known, scan), limit
        if begin >= limit:
            return
        for at, number in self._starts.find(text, begin, limit):
            self._add(at, number)
        for at in self._spans.starts(begin, limit):
            self._add(at, _SPAN)

    def _add(self, at: int, number: int) -> None:
        if (wanted := self._wanted.get(at)) is not None:
            wanted.append(number)
        else:
            self._wanted[at] = [number]
            heappush(self._order, at)
