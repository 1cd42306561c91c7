"""Checks as the gate asks them: in groups that start at the same places and read the same text. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.guardrail.check import IMPLIED, Check, Cue, Run, StartPattern, beginnings
from app.guardrail.lookalikes import lowered

_FEW = 16  # places that are tried one by one
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
        for match in self.opener.finditer(text, begin):
            if (at := match.start()) >= end:
                return
            yield at


# Groups with their numbers.
Numbered = tuple[tuple[int, CheckGroup], ...]
ByNeed = tuple[tuple[re.Pattern[str], Numbered], ...]

# Most of prose: no check that needs another character looks at it.
_QUIET_SIGNS = "abcdefghijklmnopqrstuvwxyz ,;'\n"
QUIET = re.compile(f"[{_QUIET_SIGNS}]*")


@dataclass(frozen=True, slots=True)
class CheckGroups:
    """The groups of some checks, and the words of all their cues."""

    groups: tuple[CheckGroup, ...]
    labelled: Numbered
    cued: Numbered
    # The others by what they need, and the pattern that finds it; of these, the ones that `QUIET` text may have.
    plain: ByNeed
    quiet: ByNeed
    cue_words: tuple[str, ...]
    word_groups: Mapping[str, tuple[int, ...]]  # by cue word, the numbers of the groups whose cue it belongs to
    any_word: re.Pattern[str]  # finds where one of them begins: those that no other is the beginning of
    # By what that finds, the words that begin so, each as it is and without its sign.
    words_beginning: Mapping[str, tuple[tuple[str, str], ...]]

    def find_cues(self, text: str, since: int, limit: int) -> dict[str, list[int]]:
        """For each cue word that stands between `since` and `limit`, where it ends, ascending."""
        small = lowered(text[since:limit])
        found: dict[str, list[int]] = {}
        match = self.any_word.search(small) if self.cue_words else None
        while match is not None:
            at = match.start()
            for word, plain in self.words_beginning[match[0]]:
                if small.startswith(plain, at) and (plain is word or not small[at - 1 : at].isalpha()):
                    found.setdefault(word, []).append(since + at + len(plain))
            match = self.any_word.search(small, at + 1)
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
    numbered = tuple(enumerate(groups))
    plain: dict[str, list[tuple[int, CheckGroup]]] = {}
    for number, group in numbered:
        if group.cue is None:
            plain.setdefault(group.needs, []).append((number, group))
    by_need = tuple((of[0][1].needed, tuple(of)) for of in plain.values())
    cued = tuple(one for one in numbered if one[1].cue and not one[1].of_label)
    return CheckGroups(
        groups,
        labelled=tuple(one for one in numbered if one[1].of_label),
        cued=cued,
        plain=by_need,
        quiet=tuple(one for one in by_need if _may_be_quiet(one[1][0][1])),
        cue_words=words,
        word_groups={
            word: tuple(number for number, group in cued if group.cue and word in group.cue.words) for word in words
        },
        any_word=beginnings(words),
        words_beginning=_by_beginning(words),
    )


def _by_beginning(words: Sequence[str]) -> Mapping[str, tuple[tuple[str, str], ...]]:
    plain = {word: word.removeprefix("^") for word in words}
    first = {
        one for one in plain.values() if not any(one != other and one.startswith(other) for other in plain.values())
    }
    return {
        beginning: tuple((word, bare) for word, bare in plain.items() if bare.startswith(beginning))
        for beginning in first
    }


def _may_be_quiet(group: CheckGroup) -> bool:
    """Whether `QUIET` text may have what the group needs."""
    if group.needs.startswith("["):
        return group.needed.search(_QUIET_SIGNS) is not None
    return set(group.needs) <= set(_QUIET_SIGNS)


def _needed(needs: str) -> re.Pattern[str]:
    return re.compile(needs if needs.startswith("[") else re.escape(needs))
