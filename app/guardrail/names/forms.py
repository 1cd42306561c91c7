"""The forms in which a text may have a listed name: "Anna Müller", "Müller, Anna", "A. Müller", "Mr Müller". Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.guardrail.names.spelling import key, keys

_PARTICLES = """
    van von vom zu zur zum de der den del della di da do dos das du des la le el al bin ibn ben ter ten af av
"""
_TITLES = "mr mrs ms miss dr prof professor herr frau dipl ing med phd jr sr"
PARTICLES = frozenset(map(key, _PARTICLES.split()))
TITLES = frozenset(map(key, _TITLES.split()))
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_MAX_WORDS = 8

# What a key begins with that is not the whole name: the only word of it, or a surname, which needs a title before it.
ALONE = "="
TITLED = "~"

_Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forms:
    """The keys of the forms of one name, and the keys of the words that they begin with."""

    keys: tuple[str, ...] = ()
    firsts: tuple[str, ...] = ()
    words: int = 0


def forms_of(name: str) -> Forms:
    """The forms of a name as a list has it: "Anna Maria Müller" or "Müller, Anna Maria"."""
    before, _, behind = _IN_BRACKETS.sub(" ", name).partition(",")
    surname, given = _without_titles(keys(before)), _without_titles(keys(behind))
    if not 0 < len(surname) + len(given) <= _MAX_WORDS:
        return Forms()
    if surname and given:
        one = [surname[:1], surname[-1:]] if len(surname) > 1 and surname[0] not in PARTICLES else []
        return _forms([(given, part) for part in (surname, *one)])
    words = surname or given
    if len(words) > 1:
        return _forms(_splits(words))
    return Forms((ALONE + words[0],), words, 1) if len(words[0]) > 2 else Forms()


def _forms(parts: list[tuple[_Words, _Words]]) -> Forms:
    """Of a name whose given names and surname are one of these."""
    found, firsts = dict[str, None](), dict[str, None]()
    for given, surname in parts:
        last = "".join(surname)
        found[TITLED + last] = None
        for words in _given(given):
            first = "".join(words)
            found[first + last] = found[last + first] = None
            if len(surname) > 1 and surname[0] in PARTICLES:  # "Berg, Anna van den"
                found[surname[-1] + first + "".join(surname[:-1])] = None
            firsts[words[0]] = None
        firsts.update(dict.fromkeys((*_beginnings(given), *_beginnings(surname), surname[-1])))
    return Forms(tuple(found), tuple(firsts), max(len(given) + len(surname) for given, surname in parts))


def _without_titles(words: _Words) -> _Words:
    return tuple(word for word in words if word.rstrip(".") not in TITLES)


def _splits(words: _Words) -> list[tuple[_Words, _Words]]:
    """Given names and surname: the surname begins at a particle, or is the last word or the last two."""
    particle = next((at for at in range(1, len(words) - 1) if words[at] in PARTICLES), None)
    if particle is not None:
        return [(words[:particle], words[particle:])]
    return [(words[:-size], words[-size:]) for size in (1, 2) if size < len(words)]


def _given(words: _Words) -> set[_Words]:
    """The given names, the first alone, and either with initials."""
    initials = tuple(f"{word[0]}." for word in words)
    return {words, words[:1], initials, initials[:1], (words[0], *initials[1:])}


def _beginnings(words: _Words) -> Iterator[str]:
    """The first word, also where more are written as one: "van", "vanden", "vandenberg"."""
    for count in range(1, len(words) + 1):
        yield "".join(words[:count])
