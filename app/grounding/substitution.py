"""Finds what was put in the place of something else: a name or a number whose neighbours have another one. Pure.

Where a passage has "relocated to Arizona" and the answer "relocated to Nevada", both may stand in the passage, and only
the neighbour tells. So this looks at the content words before and behind: if one of them stands in the passage beside
another name, which the answer does not have, and never beside this one, the name was changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.grounding.facts import Fact, says_the_same

MAX_ACRONYM = 6
NEAR = 2  # content words to each side of a neighbour within which the name may stand


@dataclass(frozen=True, slots=True)
class Token:
    """A content word: its folded form, its stem, whether it is a name, and the number that it is."""

    form: str
    stem: str
    is_name: bool = False
    number: Fact | None = None


# The content words of a sentence, and the initials of its names: an acronym may stand for them.
Source = tuple[Sequence[Token], str]


def is_substituted(claim: Sequence[Token], at: int, source: Sequence[Source]) -> bool:
    """Whether the name or number at this place of the claim took the place of another one of these sentences."""
    said = {token.form for token in claim} | {token.stem for token in claim}
    for step in (-1, 1):
        neighbour = at + step
        if 0 <= neighbour < len(claim) and _has_another(claim[at], claim[neighbour], -step, said, source):
            return True
    return False


def _has_another(token: Token, neighbour: Token, step: int, said: set[str], source: Sequence[Source]) -> bool:
    another = False
    for sentence, initials in source:
        if 1 < len(token.form) <= MAX_ACRONYM and token.form in initials:
            return False
        for place in _places(sentence, neighbour):
            around = sentence[max(0, place - NEAR) : place + NEAR + 1]
            if any(_alike(t, token) for t in around):
                return False
            beside = place + step
            if 0 <= beside < len(sentence):
                there = sentence[beside]
                same_sort = there.is_name == token.is_name and (there.number is None) == (token.number is None)
                another |= same_sort and there.form not in said and there.stem not in said
    return another


def _places(sentence: Sequence[Token], neighbour: Token) -> Iterator[int]:
    return (at for at, token in enumerate(sentence) if _alike(token, neighbour))


def _alike(one: Token, other: Token) -> bool:
    if one.number is not None and other.number is not None:
        return says_the_same(one.number, other.number)
    return one.form == other.form or one.stem == other.stem
