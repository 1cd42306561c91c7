"""What checks of personal numbers have in common: a number that stands alone, and words that name it."""

import re
from collections.abc import Callable

from app.guardrail.check import NUMBER, NUMBER_START, PatternCheck
from app.guardrail.checks.numbers import digits

KIND = "national id"
_EDGE = r"(?<![A-Za-z0-9])(?<!\d[.\-])"
_END = r"(?![A-Za-z0-9]|[.\-]\d)"


def standing_alone(pattern: str, flags: re.RegexFlag = re.ASCII) -> re.Pattern[str]:
    """The pattern where it is not a part of a longer number or word."""
    return re.compile(_EDGE + pattern + _END, flags)


def named(words: str) -> Callable[[str], bool]:
    """Whether one of the words (a pattern) stands shortly before."""
    cue = re.compile(rf"(?i)(?<![a-z])(?:{words})(?![a-z])[^\n]{{0,32}}\Z")
    return lambda before: cue.search(before) is not None


def number_rule(
    reason: str, pattern: str, valid: Callable[[str], bool], *, words: str, strong: str = ""
) -> PatternCheck:
    """A number whose digits are `valid` and that one of `words` names; in the form `strong` it needs no name."""
    is_named = named(words)
    shape = re.compile(strong, re.ASCII) if strong else None

    def accept(match: re.Match[str], before: str) -> bool:
        alone = shape is not None and shape.fullmatch(match[0]) is not None
        return valid(digits(match[0])) and (alone or is_named(before))

    return PatternCheck(KIND, reason, standing_alone(pattern), accept, run=NUMBER, opener=NUMBER_START)


def text_rule(reason: str, pattern: str, accept: Callable[[re.Match[str], str], bool], *, begins: str) -> PatternCheck:
    """A number with letters in it; `begins`: a pattern of how it starts, within one word."""
    opener = re.compile(rf"(?<![A-Za-z0-9])(?={begins})", re.ASCII)
    return PatternCheck(KIND, reason, standing_alone(pattern, re.ASCII | re.IGNORECASE), accept, opener=opener)
