"""Checks as the gate asks them: in groups that start at the same places and read the same text. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.guardrail.check import BEFORE, IMPLIED, Check, Cue, StartFinder, Run, beginnings
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

    opener: StartFinder
    run: Run
    needs: str
    needed: re.Pattern[str]  # finds it
    cue: Cue | None
    checks: tuple[Check, ...]
    words: frozenset[str]  # of the cue
    of_label: bool  # whether the checks are shown the label of a place instead of the text before it

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
        return joined(
            (end, min(end + BEFORE, limit)) for word, ends in found.items() if word in self.words for end in ends
        )


# Groups with their numbers.
Numbered = tuple[tuple[int, CheckGroup], ...]


@dataclass(frozen=True, slots=True)
class CheckGroups:
    """The groups of some checks, and the words of all their cues."""

    groups: tuple[CheckGroup, ...]
    labelled: Numbered
    cued: Numbered
    # The others by what they need, and the pattern that finds it.
    plain: tuple[tuple[re.Pattern[str], Numbered], ...]
    cue_words: tuple[str, ...]
    plain_words: tuple[tuple[str, str], ...]  # the same, each without its sign
    any_word: re.Pattern[str]  # finds one of them

    def find_cues(self, text: str, since: int, limit: int) -> dict[str, list[int]]:
        """For each cue word that stands between `since` and `limit`, where it ends, ascending."""
        small = lowered(text[since:limit])
        if len(small) != limit - since:  # of some letters the small ones are two
            return {word: list(range(since, limit, BEFORE)) for word in self.cue_words}
        found: dict[str, list[int]] = {}
        if self.any_word.search(small) is None:
            return found
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
    found: dict[tuple[StartFinder, Run, str, Cue | None], list[Check]] = {}
    for check in checks:
        found.setdefault((check.opener, check.run, check.needs or IMPLIED.get(check.opener, ""), check.cue), []).append(check)
    groups = tuple(
        CheckGroup(opener, run, needs, _needed(needs), cue, tuple(of), frozenset(cue.words if cue else ()), bool(cue and cue.of_label)) for (opener, run, needs, cue), of in found.items()
    )
    words: Sequence[str] = [word for group in groups if group.cue and not group.of_label for word in group.cue.words]
    words = tuple(dict.fromkeys(words))
    numbered = tuple(enumerate(groups))
    plain: dict[str, list[tuple[int, CheckGroup]]] = {}
    for number, group in numbered:
        if group.cue is None:
            plain.setdefault(group.needs, []).append((number, group))
    return CheckGroups(
        groups,
        labelled=tuple(one for one in numbered if one[1].of_label),
        cued=tuple(one for one in numbered if one[1].cue and not one[1].of_label),
        plain=tuple((of[0][1].needed, tuple(of)) for of in plain.values()),
        cue_words=words,
        plain_words=tuple((word, word.removeprefix("^")) for word in words),
        any_word=beginnings(words),
    )


def _needed(needs: str) -> re.Pattern[str]:
    return re.compile(needs if needs.startswith("[") else re.escape(needs))
