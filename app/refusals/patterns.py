"""An administrator's phrases and patterns, compiled when the file is read: bounded, so that no question takes long."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import takewhile
from re import _constants as codes
from re import _parser
from typing import Any

from app.refusals.folding import fold

# In how many ways a pattern may be tried at one place: it is tried at each of a question's.
MAX_WAYS = 5_000
MAX_LENGTH = 500
# Scripts that are written without blanks: there a phrase may begin and end within what `\w` takes for a word.
_UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0xD7FF), (0x20000, 0x3FFFF))
_CHARACTERS = frozenset(
    (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN, codes.AT, codes.CATEGORY, codes.RANGE, codes.NEGATE)
)
_REPEATS = frozenset((codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT))


class UnboundedPattern(ValueError):
    """The pattern cannot be used; the message says why and what to write."""


def phrase(text: str) -> re.Pattern[str]:
    """Words that follow each other, whatever stands between them but words, or nothing, in folded text."""
    words = re.findall(r"\w+", fold(text))
    if not words:
        raise UnboundedPattern("a phrase needs a word")
    between = r"[\W_]{0,4}"
    begin = "" if _is_unspaced(words[0][0]) else r"(?<!\w)"
    end = "" if _is_unspaced(words[-1][-1]) else r"(?!\w)"
    return re.compile(begin + between.join(map(re.escape, words)) + end)


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression for folded text, in which every repetition has an end. Raises UnboundedPattern."""
    text = _folded_letters(text)
    if len(text) > MAX_LENGTH:
        raise UnboundedPattern(f"it has {len(text)} characters: at most {MAX_LENGTH}; write several patterns")
    try:
        parsed = _parser.parse(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnboundedPattern(f"it is no regular expression ({error})") from None
    ways, shortest = _ways(parsed), parsed.getwidth()[0]
    if ways > MAX_WAYS:
        raise UnboundedPattern(
            f"it may be tried in {ways:,} ways at each place: at most {MAX_WAYS:,}; shorten its repetitions, "
            "or write several patterns"
        )
    if shortest == 0:
        raise UnboundedPattern("it matches nothing at all, and so every question: write something that has to be there")
    if text != text.lower() and re.search(r"(?<!\\)[A-Z]", text):
        raise UnboundedPattern("questions are compared in small letters: write it in small letters")
    return re.compile(text)


def _folded_letters(text: str) -> str:
    """A pattern with the letters that folding leaves of those outside ASCII: `ö` is `o` in a folded question."""
    folded = ((each, each if each.isascii() else fold(each)) for each in unicodedata.normalize("NFC", text))
    return "".join(left if left.isalnum() else each for each, left in folded)


def found(patterns: Iterable[re.Pattern[str]], views: Iterable[str]) -> int | None:
    """The number, from 0, of the first that stands in one of the views."""
    shown = tuple(views)
    return next((n for n, each in enumerate(patterns) if any(each.search(view) for view in shown)), None)


def _ways(parsed: Any) -> int:
    """In how many ways it may be tried at one place; raises UnboundedPattern for what has no bound."""
    ways = 1
    for code, argument in parsed:
        ways *= _ways_of(code, argument)
        if ways > 10**9:
            return ways
    return ways


def _ways_of(code: Any, argument: Any) -> int:
    if code in _CHARACTERS:
        return 1
    if code in _REPEATS:
        low, high, inner = argument
        if high is codes.MAXREPEAT:
            raise UnboundedPattern("`*`, `+` and `{n,}` have no end: write `{0,40}`, `{1,40}` or the like")
        return _ways_repeated(int(low), int(high), _ways(inner))
    if code is codes.BRANCH:
        return _ways_of_branch(argument[1])
    if code is codes.SUBPATTERN:
        return _ways(argument[3])
    if code in {codes.ASSERT, codes.ASSERT_NOT}:
        return _ways(argument[1])
    if code is codes.ATOMIC_GROUP:
        return _ways(argument)
    raise UnboundedPattern(
        "references to what was matched before, and conditions, may take without end: leave them out"
    )


def _ways_repeated(low: int, high: int, each: int) -> int:
    if each == 1:
        return high - low + 1
    ways = 0
    for times in range(low, high + 1):
        ways += each**times
        if ways > MAX_WAYS:
            break
    return ways


def _ways_of_branch(branches: Any) -> int:
    """Of alternatives that begin with other letters only one fits at a place; of others each may."""
    begun = [(_beginning(each), _ways(each)) for each in branches]
    return max(
        sum(ways for other, ways in begun if other.startswith(beginning) or beginning.startswith(other))
        for beginning, _ in begun
    )


def _beginning(parsed: Any) -> str:
    """The letters that it surely begins with."""
    return "".join(chr(argument) for _, argument in takewhile(lambda each: each[0] is codes.LITERAL, parsed))


def _is_unspaced(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _UNSPACED)
