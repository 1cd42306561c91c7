"""Values that are spelled out: "four one one one …", "alfa kilo india …", "A-K-I-A …", "34 31 31 31 …"."""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

import yaml

from app.guardrail.check import DIGIT, Check, Cue, Run
from app.guardrail.readings.reading import Reading, groups_of
from app.guardrail.readings.rewriting import Rewritten
from app.guardrail.values import VALUE_START
from app.guardrail.word_trees import any_of, prefixes

_EXTENT = 190
_MIN_WORDS = 4
_MIN_SIGNS = 7
_TABLES: dict[str, dict[str, str]] = yaml.load(
    files("app.guardrail").joinpath("spelling.yaml").read_text("utf-8"),
    Loader=yaml.BaseLoader,  # noqa: S506 (strings alone; "no" is a word)
)
_CHARACTERS = {word: character for table in _TABLES.values() for word, character in table.items()}
_BEGINNINGS = [word for word, character in _CHARACTERS.items() if character.isalnum() or character == "+"]


_WORD = rf"(?i:{any_of([*_CHARACTERS])})"
_BETWEEN = r"(?:, ?|[ \-])"
# One by one, else "exclamation m" would be read as two words and "exclamation mark" as one: see `Run`.
_SINGLE = sorted({word for words in _CHARACTERS for word in words.split()})
_STEP = rf"(?i:{any_of(_SINGLE)})"
_PART = rf"(?i:{prefixes(_SINGLE)})"
_SPELLED = re.compile(rf"(?<![A-Za-z0-9])(?={any_of([*_BEGINNINGS, *map(str.capitalize, _BEGINNINGS)])}[ ,\-])")
_SPELLED_RUN = Run(re.compile(rf"(?:{_STEP}{_BETWEEN})*(?:{_PART})?"), _EXTENT)
# A piece that stands as it is, then spelled characters: only where a value is announced.
_MIXED_RUN = Run(
    re.compile(rf"(?:[^ \n]{{1,40}}(?: (?:{_STEP}[ \-](?:[^ \n]{{1,24}}(?: {_PART}|)[ ]?)?)*(?:{_PART})?)?)?"), _EXTENT
)
_UNIT = re.compile(rf"({_WORD})(?![^\W_])|([^ ,\n]+)")
_APART = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9+][ .\-])")
_APART_RUN = Run(re.compile(r"(?:[^ \n][ .\-])*[^ \n]?"), _EXTENT)
# The last is no first letter of the word that follows.
_SIGNS = re.compile(rf"[^ \n]([ .\-])(?:[^ \n]\1){{{_MIN_SIGNS - 2},}}(?:[^ \n](?![^\W_]))?")
_BYTES = re.compile(r"(?<![A-Za-z0-9])(?=[2-7][0-9A-Fa-f][ :])")
_BYTES_RUN = Run(re.compile(r"(?:[2-7][0-9A-Fa-f][ :])*(?:[2-7][0-9A-Fa-f]?)?"), _EXTENT)


_PAIR = re.compile(r"[2-7][0-9A-Fa-f](?=[ :]|\Z|[^0-9A-Za-z])")


def _words(before: str, stretch: str) -> Iterator[tuple[str, Rewritten]]:
    """Spelled characters put together, with the pieces between them."""
    text, words, last, mixed = "", 0, 0, False
    ends: list[int] = []
    for unit in _UNIT.finditer(stretch):
        piece = _CHARACTERS[unit[1].lower()] if unit[1] else unit[2]
        words += unit[1] is not None
        mixed = mixed or (unit[2] is not None and not unit[2].islower())
        text += piece
        ends += [unit.end()] * len(piece) if unit[1] else range(unit.start() + 1, unit.end() + 1)
        last = len(text) if unit[1] else last
    if words < _MIN_WORDS and not (words and mixed and len(text) >= 16):  # "valid three months" is no value
        return
    for said in dict.fromkeys((text, text[:last])):  # behind the last one the sentence may go on
        yield before, Rewritten(said, ends[: len(said)], 0, len(said))
        if said.islower():  # letters of the alphabet are said without their case
            yield before, Rewritten(said.upper(), ends[: len(said)], 0, len(said))


def _signs(before: str, stretch: str) -> Iterator[tuple[str, Rewritten]]:
    """Every other character."""
    if stretch[0].isdigit() and before[-2:-1].isdigit():
        return  # within digits apart
    found = _SIGNS.match(stretch)
    if found is not None:
        text = found[0][::2]
        yield before, Rewritten(text, [2 * place + 1 for place in range(len(text))], 0, len(text))


def _bytes(before: str, stretch: str) -> Iterator[tuple[str, Rewritten]]:
    """Characters as pairs of hexadecimal digits."""
    pairs = _PAIR.findall(stretch)
    if len(pairs) >= _MIN_SIGNS:
        text = bytes.fromhex("".join(pairs)).decode("ascii").replace("\x7f", " ")
        yield before, Rewritten(text, [3 * place + 2 for place in range(len(text))], 0, len(text))


def spelled_readings(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks in every reading that puts together what is spelled."""
    groups = groups_of(checks)
    words = tuple({word for group in groups if group.cue for word in group.cue.words})
    announced = Cue((*words, "iban", "mail", "number", "address"), re.compile(""), _announces)
    return (
        Reading(groups, _SPELLED, _SPELLED_RUN, _words, _SEVERAL),
        Reading(groups, VALUE_START, _MIXED_RUN, _words, _ANY_WORD, cue=announced),
        Reading(groups, _APART, _APART_RUN, _signs, _SIGNS),
        Reading(groups, _BYTES, _BYTES_RUN, _bytes, re.compile(rf"(?:..[ :]){{{_MIN_SIGNS - 1}}}"), needs=DIGIT),
    )


_SEVERAL = re.compile(rf"(?:{_WORD}{_BETWEEN}){{{_MIN_WORDS - 1}}}")
_ANY_WORD = re.compile(rf"[^ \n]+ {_WORD}(?![^\W_])")
_ENDS = re.compile(r"(?:[:=]|(?: (?:is|are|was|ist|lautet|est|es|è|é|är|er|to|как))) ?[\"'`]?\Z")


def _announces(before: str) -> bool:
    return _ENDS.search(before, max(len(before) - 12, 0)) is not None
