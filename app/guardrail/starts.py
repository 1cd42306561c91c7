"""Where checks may find something: the starts of a stretch of text that some group of checks wants to see."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

from app.guardrail.check import BEFORE, Check, StartPattern
from app.guardrail.groups import CheckGroup, Ranges, group_checks, joined
from app.guardrail.lookalikes import lowered
from app.guardrail.names.spans import Spans

_MAX_CUE = 32  # characters of the longest cue word
_SPAN = -1  # instead of a group's number, where a model's finding begins


class Starts:
    """Finds the starts of one stream. Positions are in the text that each call is given; `forget` moves them."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = group_checks(tuple(checks))
        self.groups = self._checks.groups
        self._cues: dict[str, Ranges] = {}  # the reach of each cue word that ends before `_cued`
        self._cued = 0

    def find(self, text: str, scan: int, limit: int) -> list[tuple[int, int]]:
        """Starts in scan..limit, in no order, each with the number of the group that wants to see it."""
        cues = self._find_cues(text, scan, limit)
        found: list[tuple[int, int]] = []
        for needing in self._checks.needing(text, scan):
            if needing.may_have_starts(text, scan, limit):
                found += [(at, number) for number, group in needing.groups for at in group.starts(text, scan, limit)]
        near: dict[StartPattern, list[tuple[int, Ranges]]] = {}
        for number, ranges in self._near_cues(cues, scan, limit).items() if cues else ():
            near.setdefault(self.groups[number].opener, []).append((number, ranges))
        for asked in near.values():
            found += self._near(asked, text)
        return found

    def behind_mask(self, text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """All starts of the groups with a cue in begin..end, a stretch behind a mask: what hides text brings a cue
        nearer.
        """
        for number, group in self._checks.cued:
            yield from ((at, number) for at in group.starts(text, begin, end))

    def forget(self, cut: int) -> None:
        """The first `cut` characters of the text are gone."""
        self._cues = {
            word: [(begin - cut, end - cut) for begin, end in reach]
            for word, reach in self._cues.items()
            if reach[-1][1] > cut
        }
        self._cued = max(self._cued - cut, 0)

    def _near_cues(self, reach: Mapping[str, Ranges], scan: int, limit: int) -> dict[int, Ranges]:
        """By group, where in scan..limit a start has a word of its cue before it: ascending, apart."""
        near: dict[int, Ranges] = {}
        for word, ranges in reach.items():
            here = [(max(begin, scan), min(end, limit)) for begin, end in ranges if begin < limit and end > scan]
            for number in self._checks.word_groups.get(word, ()) if here else ():
                near[number] = joined((*near[number], *here)) if number in near else here
        return near

    def _near(self, asked: list[tuple[int, Ranges]], text: str) -> Iterator[tuple[int, int]]:
        """The starts of groups with one opener that lie in the ranges of each; the text is searched once.

        What stands before a start is the text itself: near a mask, where it is not, `behind_mask` gives all starts.
        """
        group: CheckGroup = self.groups[asked[0][0]]
        every = asked[0][1] if len(asked) == 1 else joined(span for _, ranges in asked for span in ranges)
        starts = [at for begin, end in every for at in group.starts(text, begin, end)]
        for number, ranges in asked if starts else ():
            cue = self.groups[number].cue
            for begin, end in ranges:
                for at in starts[bisect_left(starts, begin) : bisect_left(starts, end)]:
                    if cue is None or cue.may_end is None or cue.may_end(lowered(text[max(at - BEFORE, 0) : at])):
                        yield at, number

    def _find_cues(self, text: str, scan: int, limit: int) -> dict[str, Ranges]:
        """For each cue word, the ranges in which a start has it near before it; those of before are kept as far as they
        reach beyond `scan`.
        """
        for word in [word for word, reach in self._cues.items() if reach[-1][1] <= scan]:
            del self._cues[word]
        oldest = scan - BEFORE
        since = max(self._cued - _MAX_CUE, oldest, 0)
        for word, ends in self._checks.find_cues(text, since, self._cued, limit).items():
            reach = self._cues.setdefault(word, [])
            for end in ends:
                if end <= self._cued or end < oldest:
                    continue
                if reach and end <= reach[-1][1]:
                    reach[-1] = reach[-1][0], end + BEFORE
                else:
                    reach.append((end, end + BEFORE))
            if not reach:
                del self._cues[word]
        self._cued = limit
        return self._cues


class StartQueue:
    """The starts of one stream that are to be decided, in order: each stretch of text is searched once."""

    def __init__(self, checks: Sequence[Check], spans: Spans) -> None:
        self._starts = Starts(checks)
        self.groups = self._starts.groups
        self._spans = spans
        self._order: list[int] = []  # a heap of the keys of `_wanted`
        self._wanted: dict[int, list[int]] = {}  # by start, the numbers of the groups that want to see it
        self._known = 0  # starts before this were looked for
        self._behind = 0  # near the latest masks, starts before this of all groups with a cue

    def find_behind_mask(self, text: str, scan: int, mask_end: int, limit: int) -> None:
        """Look for those near the latest mask that text before it may be the cue of. Farther on, what stands before a
        start is the text itself.
        """
        begin, end = max(scan, mask_end, self._behind), min(limit, mask_end + BEFORE)
        if mask_end < 0 or begin >= end:
            return
        for at, number in self._starts.behind_mask(text, begin, end):
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
