"""Where checks may find something: the starts of a stretch of text that some group of checks wants to see."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from app.guardrail.check import BEFORE, Check, StartFinder
from app.guardrail.groups import CheckGroup, Ranges, group_checks, joined

_MAX_CUE = 32  # characters of the longest cue word


class Starts:
    """Finds the starts of one stream. Positions are in the text that each call is given; `forget` moves them."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = group_checks(tuple(checks))
        self.groups = self._checks.groups
        self._cues: dict[str, list[int]] = {}  # where the cue words end that stand before `_cued`
        self._cued = 0

    def find(self, text: str, scan: int, limit: int) -> list[tuple[int, int]]:
        """Starts in scan..limit, in no order, each with the number of the group that wants to see it."""
        cues = self._find_cues(text, scan, limit)
        found = [(at, number) for number, group in self._checks.labelled for at in group.starts(text, scan, limit)]
        for needed, numbered in self._checks.plain:
            if needed.search(text, scan) is not None:
                found += [(at, number) for number, group in numbered for at in group.starts(text, scan, limit)]
        near: dict[StartFinder, list[tuple[int, Ranges]]] = {}
        for number, group in self._checks.cued if cues else ():
            if ranges := group.near_cue(cues, limit):
                near.setdefault(group.opener, []).append((number, ranges))
        for asked in near.values():
            found += self._near(asked, text, scan)
        return found

    def behind_mask(self, text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """All starts of the groups with a cue in begin..end, a stretch behind a mask: what hides text brings a cue
        nearer.
        """
        for number, group in self._checks.cued:
            yield from ((at, number) for at in group.starts(text, begin, end))

    def forget(self, cut: int) -> None:
        """The first `cut` characters of the text are gone."""
        self._cues = {word: [end - cut for end in ends if end > cut] for word, ends in self._cues.items()}
        self._cued = max(self._cued - cut, 0)

    def _near(self, asked: list[tuple[int, Ranges]], text: str, scan: int) -> Iterator[tuple[int, int]]:
        """The starts of groups with one opener that lie in the ranges of each; the text is searched once."""
        group: CheckGroup = self.groups[asked[0][0]]
        starts = [
            at
            for begin, end in joined(span for _, ranges in asked for span in ranges)
            for at in group.starts(text, max(begin, scan), end)
        ]
        for number, ranges in asked:
            for begin, end in ranges:
                yield from ((at, number) for at in starts[bisect_left(starts, begin) : bisect_left(starts, end)])

    def _find_cues(self, text: str, scan: int, limit: int) -> dict[str, list[int]]:
        """Where the cue words end that are near enough to a start in scan..limit; those seen before are kept."""
        oldest = scan - BEFORE
        cues = {word: [end for end in ends if end >= oldest] for word, ends in self._cues.items()}
        since = max(self._cued - _MAX_CUE, oldest, 0)
        for word, ends in self._checks.find_cues(text, since, limit).items():
            cues.setdefault(word, []).extend(end for end in ends if end > self._cued)
        self._cues = {word: ends for word, ends in cues.items() if ends}
        self._cued = limit
        return self._cues
