"""A company's own patterns: each made a check that keeps the law of the stream, or refused with what is wrong. Pure.

What a pattern accepts must have a greatest length, so that the gate knows how far a decision reads. And it may be tried
in so many ways only: an expression such as `(a|aa){1,60}b` never comes to an end on the wrong text. Both are read from
the tree that the interpreter itself matches with.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from app.guardrail.check import Cue, PatternCheck, Run
from app.guardrail.normal import fold
from app.guardrail.word_trees import any_of

# What `re` itself parses with; it has no public name since 3.11.
parser: Any = import_module("re._parser")
codes: Any = import_module("re._constants")

MAX_WIDTH = 128  # characters
MAX_STEPS = 10_000  # of the interpreter at one start of the worst text
_LATIN = 0x250  # characters before this are tried one by one
_GAP = 32  # characters between a word before and the value
# As a whole word: what begins or ends with a letter or digit stands beside none.
_BEGINNING = r"(?:(?<![^\W_])|(?=[\W_]))"
_END = r"(?:(?![^\W_])|(?<=[\W_]))"
_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_ADVICE = {
    codes.GROUPREF: "a backreference", codes.GROUPREF_EXISTS: "a backreference",
    codes.ASSERT: "a lookahead or lookbehind", codes.ASSERT_NOT: "a lookahead or lookbehind",
}  # fmt: skip


class PatternRefused(ValueError):
    """The pattern cannot be used; the message says why, and what to write."""


def pattern_check(
    name: str, kind: str, pattern: str, *, after: Sequence[str] = (), any_case: bool = False
) -> PatternCheck:
    """A check for a company's own pattern, as a whole word; one of the words `after` must stand before it, if any are
    given. Raises PatternRefused.
    """
    flags = re.IGNORECASE if any_case else re.NOFLAG
    sequence = _parsed(pattern, flags)
    if sequence.least == 0:
        raise PatternRefused("it accepts the empty text: at least one character must be there")
    if sequence.most > MAX_WIDTH:
        raise PatternRefused(
            f"what it accepts may be longer than {MAX_WIDTH} characters: write {{1,40}} instead of + or *"
        )
    if sequence.ways * sequence.most > MAX_STEPS:
        raise PatternRefused(
            f"on the wrong text it takes more than {MAX_STEPS:,} steps: write narrower ranges, and fewer in a row"
        )
    return PatternCheck(
        kind,
        name,
        re.compile(f"(?:{pattern}){_END}", flags),
        run=Run(re.compile(f"{_class(sequence.characters)}{{0,{sequence.most}}}", flags), sequence.most),
        opener=re.compile(f"{_BEGINNING}(?={_class(sequence.first)})", flags),
        cue=_cue(after),
    )


def _cue(after: Sequence[str]) -> Cue | None:
    words = tuple(dict.fromkeys(word.casefold() for word in after))
    if not words:
        return None
    return Cue(words, re.compile(rf"(?:\A|(?<![^\W_])){any_of(words)}[^\n]{{0,{_GAP}}}\Z"))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is known of a part of a pattern: its width, all characters and the first ones of what it accepts, as the
    content of character classes, and in how many ways it can be tried.
    """

    least: int = 0
    most: int = 0
    ways: int = 1
    characters: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    single: bool = False  # one character of a class


def _parsed(pattern: str, flags: int) -> _Shape:
    try:
        re.compile(pattern, flags)
        tree = parser.parse(pattern, flags)
    except re.error as error:
        raise PatternRefused(f"it is no regular expression: {error}") from None
    except (OverflowError, RecursionError):
        raise PatternRefused("it is no regular expression that can be read") from None
    if tree.state.flags & ~(flags | re.UNICODE):
        raise PatternRefused("it sets flags: write `any_case: true` beside it instead")
    return _sequence(list(tree))


def _sequence(items: list[tuple[Any, Any]]) -> _Shape:
    """From the end, as what follows a repeat says how often it may be tried."""
    rest = _Shape()
    for code, argument in reversed(items):
        part = _part(code, argument)
        ways = part.ways
        if code in _REPEATS and _sequence(list(argument[2])).single and rest.least and _apart(part.first, rest.first):
            ways = 1  # it ends where it must
        rest = _Shape(
            part.least + rest.least,
            min(part.most + rest.most, MAX_WIDTH + 1),
            min(ways * rest.ways, MAX_STEPS + 1),
            part.characters | rest.characters,
            part.first if part.least else part.first | rest.first,
            part.single and rest.most == 0,
        )
    return rest


def _part(code: Any, argument: Any) -> _Shape:
    if code in _ADVICE:
        raise PatternRefused(f"it has {_ADVICE[code]}, whose reach is not known: leave it out")
    if code is codes.AT:
        if argument not in (codes.AT_BOUNDARY, codes.AT_NON_BOUNDARY):
            raise PatternRefused("a text has no beginning or end while it streams: leave ^, $, \\A and \\Z out")
        return _Shape()
    if code is codes.SUBPATTERN:
        _, added, removed, items = argument
        if added or removed:
            raise PatternRefused("it sets flags: write `any_case: true` beside it instead")
        return _sequence(list(items))
    if code is codes.ATOMIC_GROUP:
        return _sequence(list(argument))
    if code is codes.BRANCH:
        branches = [_sequence(list(items)) for items in argument[1]]
        return _Shape(
            min(branch.least for branch in branches),
            max(branch.most for branch in branches),
            min(sum(branch.ways for branch in branches), MAX_STEPS + 1),
            frozenset().union(*(branch.characters for branch in branches)),
            frozenset().union(*(branch.first for branch in branches)),
        )
    if code in _REPEATS:
        return _repeat(*argument)
    return _one(code, argument)


def _repeat(least: int, most: int, items: Any) -> _Shape:
    body = _sequence(list(items))
    most = min(int(most), MAX_WIDTH + 1)
    ways = 0
    for times in range(least, most + 1):
        ways += body.ways**times
        if ways > MAX_STEPS:
            break
    return _Shape(
        body.least * least,
        min(body.most * most, MAX_WIDTH + 1),
        min(ways, MAX_STEPS + 1),
        body.characters,
        body.first,
    )


def _one(code: Any, argument: Any) -> _Shape:
    """One character: itself, any but that, any, or one of a class."""
    if code is codes.LITERAL:
        found = frozenset((_literal(chr(argument)),))
    elif code is codes.ANY:
        found = frozenset((r"\S", " "))
    elif code is codes.IN and argument[0][0] is not codes.NEGATE:
        found = frozenset(map(_member, argument))
    else:
        found = frozenset((r"\S", r"\s"))
    return _Shape(1, 1, 1, found, found, single=True)


def _literal(character: str) -> str:
    plain = fold(character)[0]
    if plain != character:
        raise PatternRefused(
            f"{character!r} is never met, as texts are folded to plain characters: "
            + (f"write {plain!r}" if plain else "leave it out")
        )
    return re.escape(character)


def _member(item: tuple[Any, Any]) -> str:
    code, argument = item
    if code is codes.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    return _literal(chr(argument)) if code is codes.LITERAL else _CATEGORIES[argument]


def _class(members: frozenset[str]) -> str:
    return f"[{''.join(sorted(members))}]"


def _apart(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether two classes surely have no character in common: by trying the Latin ones, and where both go beyond these
    they may.
    """
    if _goes_beyond(left) and _goes_beyond(right):
        return False
    one, other = (re.compile(_class(each), re.IGNORECASE) for each in (left, right))
    return not any(one.match(chr(code)) and other.match(chr(code)) for code in range(_LATIN))


def _goes_beyond(members: frozenset[str]) -> bool:
    """Whether a class may have characters that are not Latin: by such a one, or by a category."""
    categories = set(_CATEGORIES.values())
    return any(member in categories or max(map(ord, member)) >= _LATIN for member in members)
