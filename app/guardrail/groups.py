"""Checks as the gate asks them: in groups that start at the same places and read the same text. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.guardrail.check import IMPLIED, WORD, Check, Cue, CueWordFinder, Run, StartPattern
from app.guardrail.lookalikes import lowered

_FEW = 16  # places that are tried one by one
_AHEAD = 2 * WORD.extent  # more than an opener reads: a search for the next start goes no farther
Ranges = list[tuple[int, int]]


def joined(each: Sequence[Ranges]) -> Ranges:
    """All the ranges in order, made one where they touch."""
    if all(one is each[0] for one in each):
        return each[0]
    apart: Ranges = []
    for begin, end in sorted(one for ranges in each for one in ranges):
        if apart and begin <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(apart[-1][1], end)
        else:
            apart.append((begin, end))
    return apart


def within(ranges: Iterable[tuple[int, int]], begin: int, end: int) -> Ranges:
    """What of the ranges lies in begin..end."""
    return [(max(since, begin), min(upto, end)) for since, upto in ranges if since < end and upto > begin]


@dataclass(frozen=True, slots=True, eq=False)
class CheckGroup:
    """Checks that start at the same places and read the same text."""

    opener: StartPattern
    run: Run
    needs: str
    needed: re.Pattern[str]  # finds it
    cue: Cue | None
    checks: tuple[Check, ...]
    of_label: bool  # whether the checks are shown the label of a place instead of the text before it

    def starts(self, text: str, begin: int, end: int) -> Iterator[int]:
        """The places in begin..end at which a finding can start."""
        if end - begin < _FEW < len(text) - end:  # a search would go on through all that follows
            yield from (at for at in range(begin, end) if self.opener.match(text, at) is not None)
            return
        far = isinstance(self.opener, re.Pattern) and len(text) - end > _AHEAD
        for match in self.opener.finditer(text, begin, *((end + _AHEAD,) if far else ())):
            if (at := match.start()) >= end:
                return
            yield at


# Groups with their numbers.
Numbered = tuple[tuple[int, CheckGroup], ...]

_FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}

# Most of prose, and words of prose with capitals and stops: few checks have anything to look for there.
_SIGNS = ("abcdefghijklmnopqrstuvwxyz ,;'\n", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .,;'\n")


@dataclass(frozen=True, slots=True, eq=False)
class NeedingOne:
    """The groups that need the same of a text, and what finds it."""

    needed: re.Pattern[str] | None  # None: nothing
    groups: Numbered
    anywhere: re.Pattern[str] | None  # finds a start of any of them; None where only each itself can tell

    def may_have_starts(self, text: str, begin: int, end: int) -> bool:
        """Whether a finding of one of them can start in begin..end."""
        if self.needed is not None and self.needed.search(text, begin) is None:
            return False
        if self.anywhere is None:
            return True
        first = self.anywhere.search(text, begin)
        return first is not None and first.start() < end


@dataclass(frozen=True, slots=True)
class CheckGroups:
    """The groups of some checks, and the words of all their cues."""

    groups: tuple[CheckGroup, ...]
    cued: tuple[NeedingOne, ...]  # those with a cue, by their opener
    cued_as: Mapping[int, NeedingOne]  # by the number of a group with a cue, where it is among these
    # The others by what they need; before that, those that a text may have which has no other signs than the pattern's.
    plain: tuple[NeedingOne, ...]
    of_signs: tuple[tuple[re.Pattern[str], tuple[NeedingOne, ...]], ...]
    cue_words: tuple[str, ...]
    word_groups: Mapping[str, tuple[int, ...]]  # by cue word, the numbers of the groups whose cue it belongs to
    # Finds where the last part of one of them begins, behind a blank within it: those that no other one begins with.
    any_part: CueWordFinder
    # By what that finds, the words whose last part begins so: each as it is, without its sign, and where that part is.
    words_by_part: Mapping[str, tuple[tuple[str, str, int], ...]]

    def needing(self, text: str, begin: int) -> tuple[NeedingOne, ...]:
        """The groups without a cue that may find something in the text from `begin` on."""
        for signs, needing in self.of_signs:
            if signs.fullmatch(text, begin) is not None:
                return needing
        return self.plain

    def find_cues(self, text: str, since: int, known: int, limit: int) -> dict[str, list[int]]:
        """For each cue word that stands between `since` and `limit` and ends behind `known`, where it ends, ascending;
        some that end before that, too.
        """
        small = lowered(text[since:limit])
        found: dict[str, list[int]] = {}
        begin = max(text.rfind(" ", since, known) + 1 - since, 0) if known > since else 0
        match = self.any_part.search(small, begin) if self.cue_words else None
        while match is not None:
            for word, plain, part in self.words_by_part[match[0]]:
                at = match.start() - part
                if at >= 0 and small.startswith(plain, at) and (plain is word or not small[at - 1 : at].isalpha()):
                    found.setdefault(word, []).append(since + at + len(plain))
            match = self.any_part.search(small, match.start() + 1)
        return found


@lru_cache(maxsize=16)  # of the checks alone, never of a text: there are as many as there are sets of checks
def group_checks(checks: tuple[Check, ...]) -> CheckGroups:
    """The checks in groups, those of one start together."""
    found: dict[tuple[StartPattern, Run, str, Cue | None], list[Check]] = {}
    for check in checks:
        found.setdefault((check.opener, check.run, check.needs or IMPLIED.get(check.opener, ""), check.cue), []).append(
            check
        )
    groups = tuple(
        CheckGroup(
            opener,
            run,
            needs,
            _needed(needs),
            cue,
            tuple(of),
            bool(cue and cue.of_label),
        )
        for (opener, run, needs, cue), of in found.items()
    )
    words: Sequence[str] = [word for group in groups if group.cue and not group.of_label for word in group.cue.words]
    words = tuple(dict.fromkeys(words))
    parts = [(word, word.removeprefix("^"), _last_part(word.removeprefix("^"))) for word in words]
    numbered = tuple(enumerate(groups))
    by_need: dict[str, list[tuple[int, CheckGroup]]] = {}
    for number, group in numbered:
        if group.cue is None or group.of_label:
            by_need.setdefault(group.needs, []).append((number, group))
    plain = tuple(_needing(needs, of) for needs, of in by_need.items())
    by_opener: dict[tuple[StartPattern, str], list[tuple[int, CheckGroup]]] = {}
    for number, group in numbered:
        if group.cue is not None and not group.of_label:
            by_opener.setdefault((group.opener, group.needs), []).append((number, group))
    cued = tuple(_needing(needs, of) for (_, needs), of in by_opener.items())
    return CheckGroups(
        groups,
        cued=cued,
        cued_as={number: one for one in cued for number, _ in one.groups},
        plain=plain,
        of_signs=tuple(
            (re.compile(f"[{signs}]*"), tuple(one for one in plain if _may_have(signs, one))) for signs in _SIGNS
        ),
        cue_words=words,
        word_groups={
            word: tuple(number for one in cued for number, group in one.groups if group.cue and word in group.cue.words)
            for word in words
        },
        any_part=CueWordFinder(plain[part:] for _, plain, part in parts),
        words_by_part=_by_beginning(parts),
    )


def _last_part(word: str) -> int:
    """Where the last of its parts begins that a blank within the word parts."""
    return word.rstrip(" ").rfind(" ") + 1


def _by_beginning(parts: Sequence[tuple[str, str, int]]) -> Mapping[str, tuple[tuple[str, str, int], ...]]:
    last = {plain[part:] for _, plain, part in parts}
    first = {one for one in last if not any(one != other and one.startswith(other) for other in last)}
    return {beginning: tuple(one for one in parts if one[1].startswith(beginning, one[2])) for beginning in first}


def _needing(needs: str, groups: Sequence[tuple[int, CheckGroup]]) -> NeedingOne:
    openers = tuple(dict.fromkeys(group.opener for _, group in groups))
    # One with groups is left alone: they would have other numbers within another pattern.
    patterns = [opener for opener in openers if isinstance(opener, re.Pattern) and not opener.groups]
    anywhere = None
    if len(groups) > 1 and len(patterns) == len(openers):
        anywhere = re.compile("|".join(f"(?{_scoped(pattern)}:{pattern.pattern})" for pattern in patterns))
    return NeedingOne(_needed(needs) if needs else None, tuple(groups), anywhere)


def _scoped(pattern: re.Pattern[str]) -> str:
    """The flags of a pattern as they are written within another."""
    return "".join(sign for sign, flag in _FLAGS.items() if pattern.flags & flag)


def _may_have(signs: str, one: NeedingOne) -> bool:
    """Whether a text of such signs may have what the groups need."""
    needs = one.groups[0][1].needs
    if needs.startswith("[") and one.needed is not None:
        return any(one.needed.search(sign * 8) is not None for sign in signs)
    return set(needs) <= set(signs)


def _needed(needs: str) -> re.Pattern[str]:
    return re.compile(needs if needs.startswith("[") else re.escape(needs))
