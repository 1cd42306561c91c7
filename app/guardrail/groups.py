"""Checks as the gate asks them: in groups that start at the same places and read the same text. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.guardrail.check import BEFORE, Check, Cue, Run
from app.guardrail.lookalikes import lowered

Ranges = list[tuple[int, int]]


def joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges in order, made one where they touch."""
    apart: Ranges = []
    for begin, end in sorted(ranges):
        if apart and begin <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(apart[-1][1], end)
        else:
            apart.append((begin, end))
    return apart


@dataclass(frozen=True, slots=True, eq=False)
class CheckGroup:
    """Checks that start at the same places and read the same text."""

    opener: re.Pattern[str]
    run: Run
    needs: str
    cue: Cue | None
    checks: tuple[Check, ...]

    @property
    def of_label(self) -> bool:
        """Whether the checks are shown the label of a place in the stead of the text before it."""
        return self.cue is not None and self.cue.of_label

    def starts(self, text: str, begin: int, end: int) -> Iterator[int]:
        """The places in begin..end at which a finding can start."""
        for match in self.opener.finditer(text, begin):
            if (at := match.start()) >= end:
                return
            yield at

    def near_cue(self, found: Mapping[str, Sequence[int]], limit: int) -> Ranges:
        """Where a start has a word of the group's cue before it: of what `CheckGroups.find_cues` found, the ranges that
        belong to the cue, made one where they touch, ascending.
        """
        words = self.cue.words if self.cue else ()
        return joined((end, min(end + BEFORE, limit)) for word in words for end in found.get(word, ()))


@dataclass(frozen=True, slots=True)
class CheckGroups:
    """The groups of some checks, and the words of all their cues."""

    groups: tuple[CheckGroup, ...]
    cue_words: tuple[str, ...]
    plain_words: tuple[tuple[str, str], ...]  # the same, each without its sign

    def find_cues(self, text: str, since: int, limit: int) -> dict[str, list[int]]:
        """For each cue word that stands between `since` and `limit`, where it ends, ascending."""
        small = lowered(text[since:limit])
        if len(small) != limit - since:  # of some letters the small ones are two
            return {word: list(range(since, limit, BEFORE)) for word in self.cue_words}
        found: dict[str, list[int]] = {}
        for word, plain in self.plain_words:
            at = small.find(plain)
            while at >= 0:
                if plain is word or not small[at - 1 : at].isalpha():
                    found.setdefault(word, []).append(since + at + len(plain))
                at = small.find(plain, at + 1)
        return found


@lru_cache(maxsize=16)  # of the checks alone, never of a text: there are as many as there are sets of checks
def group_checks(checks: tuple[Check, ...]) -> CheckGroups:
    """The checks in groups, those of one start together."""
    found: dict[tuple[re.Pattern[str], Run, str, Cue | None], list[Check]] = {}
    for check in checks:
        found.setdefault((check.opener, check.run, check.needs, check.cue), []).append(check)
    groups = tuple(CheckGroup(*key, tuple(of)) for key, of in found.items())
    words: Sequence[str] = [word for group in groups if group.cue and not group.of_label for word in group.cue.words]
    words = tuple(dict.fromkeys(words))
    return CheckGroups(groups, words, tuple((word, word.removeprefix("^")) for word in words))
