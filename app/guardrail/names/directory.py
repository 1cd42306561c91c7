"""Names of a list: at a word that a listed name begins with, the longest of its forms that stands there."""

import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.guardrail.check import Finding, Run
from app.guardrail.names.forms import ALONE, PARTICLES, TITLED, forms_of
from app.guardrail.names.spelling import COMMON, FUNCTION_WORDS, WORD, is_capital, is_initial, key, key_at

_START = re.compile(rf"(?<![^\W_]){WORD.pattern}")
_LONGEST = 64  # characters of a name with all that stands between its words
_RUN = Run(re.compile(r"[^\d()\[\]{}:!?]*"), _LONGEST)
_NEED_CAPITALS = FUNCTION_WORDS - PARTICLES
_MORE_WORDS = 1  # than the list has, such as an initial in the middle
_MAX_FORMS = 4
# What may stand between the words of a name: marks, one comma or cell border, the end of a line with signs of lists
# and quotations behind it, elements.
_TAG = r"(?:</?[A-Za-z][^<>\n]{0,24}>|&nbsp;)"
_MARKS = rf"(?:[ _'\"]|-|\.(?=[^\W\d_])|{_TAG}){{0,6}}"
_BREAK = r"[,;]? ?(?:\||\n[ >]{0,6}(?:[-+] )?)|[,;]"
_BETWEEN = re.compile(rf"{_MARKS}(?:(?:{_BREAK}){_MARKS})?")
_TITLE = re.compile(
    r"(?<![^\W_])(?:Mr|Mrs|Ms|Mister|Miss|Mx|Dr|Prof|Professor|Doctor|Doktor|Herrn?|Frau|Monsieur|Madame|Mme|Mlle|Se[ñn]or(?:a|ita)?|"
    r"Sra?|Signor[ae]?|Sig|Dhr|Mevr|Pan|Pani)\.?[ \n]\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Names to look for, as hashes of their forms in order: eight bytes a form, which processes share."""

    firsts: frozenset[str] = frozenset()  # the words that forms begin with
    forms: "array[int]" = field(default_factory=lambda: array("q"))
    words: int = 0  # of the longest

    def __contains__(self, form: str) -> bool:
        wanted = hash(form)
        at = bisect_left(self.forms, wanted)
        return at < len(self.forms) and self.forms[at] == wanted


def names_of(listed: Iterable[str]) -> NameIndex:
    """The names of a list, ready to be looked for."""
    firsts, forms, words = set[str](), set[int](), 0
    for name in listed:
        found = forms_of(name)
        words = max(words, found.words)
        firsts.update(found.firsts)
        forms.update(map(hash, found.keys))
    return NameIndex(frozenset(firsts), array("q", sorted(forms)), words)


class _FirstWords:
    """Where a word stands that a listed name begins with: what a pattern is for other checks."""

    pattern = _START.pattern

    def __init__(self, check: "DirectoryCheck") -> None:
        self._check = check

    def finditer(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Iterator[re.Match[str]]:
        firsts = self._check.names.firsts
        for match in _START.finditer(text, pos, endpos) if firsts else ():
            if _begins(text, match, firsts):
                yield match

    def match(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> re.Match[str] | None:
        word = _START.match(text, pos, endpos)
        return word if word is not None and _begins(text, word, self._check.names.firsts) else None


def _begins(text: str, word: re.Match[str], firsts: frozenset[str]) -> bool:
    """Whether a listed name begins with the word. A letter alone is one as an initial or with an apostrophe."""
    if word.end() - word.start() > 1:
        said = key(word[0])
        listed = said in firsts or (said.endswith("s") and said[:-1] in firsts)
        return listed and (said not in _NEED_CAPITALS or is_capital(word[0]))
    return text[word.end() : word.end() + 1] in {".", "'"} and key_at(text, word) in firsts


@dataclass(slots=True, eq=False)
class DirectoryCheck:
    """The names of a list. The list may be replaced while texts are under way: each start is decided by one of them."""

    names: NameIndex = field(default_factory=NameIndex)
    kind: str = "name"
    run: Run = _RUN
    needs: str = ""
    cue: None = None
    tail: None = None
    opener: _FirstWords = field(init=False)

    def __post_init__(self) -> None:
        self.opener = _FirstWords(self)

    def at(self, window: str, start: int) -> Finding | None:
        names, end = self.names, -1
        # The character behind a full stretch says only whether the last word is whole.
        size = min(len(window), start + _LONGEST)
        for words, forms in _readings(window, start, size, names.words + _MORE_WORDS):
            stop = words[-1].end()
            if any(_is_listed(names, form, words, window, start) for form in forms):
                end = stop
        return Finding(start, end, self.kind, "listed name") if end > start else None


def _readings(window: str, start: int, size: int, most: int) -> Iterator[tuple[list[re.Match[str]], list[str]]]:
    """The first word, the first two, and so on, each with the keys that a list may have for them."""
    words: list[re.Match[str]] = []
    forms = [""]
    at = start
    while len(words) < most and (word := WORD.match(window, at)) is not None and word.end() <= size:
        if window[word.end() : word.end() + 1].isdigit():
            return
        initial = is_initial(window, word)
        said = key_at(window, word)
        longer = [form + said for form in forms]
        if words and initial:  # in the middle it may be missing in the list
            longer += forms
        elif words and _is_last_initial(window, word):
            longer += [f"{form}{said}." for form in forms]
        forms = list(dict.fromkeys(longer))[:_MAX_FORMS]
        words.append(word)
        yield words, forms
        between = _BETWEEN.match(window, word.end() + initial)
        if between is None:
            return
        at = between.end()


def _is_last_initial(window: str, word: re.Match[str]) -> bool:
    """Whether it is a capital alone, as in "Müller, A", at the end of a line or part."""
    end = word.end()
    return end - word.start() == 1 and word[0].isupper() and (end == len(window) or window[end] in ',;)|_\n"')


def _is_listed(names: NameIndex, form: str, words: list[re.Match[str]], window: str, start: int) -> bool:
    """Whether the words are a listed name, and written as one."""
    if len(words) > 1 and _has(names, form):
        return _has_capitals(words) or _is_plain(words, window)
    if len(words) == 1 and _has(names, ALONE + form):
        return is_capital(words[0][0]) and form not in COMMON
    return _has(names, TITLED + form) and _has_capitals(words) and _TITLE.search(window, 0, start) is not None


def _has_capitals(words: list[re.Match[str]]) -> bool:
    """Whether the words begin with capitals, but for "van" and the like."""
    names = [word[0] for word in words if is_capital(word[0]) or key(word[0]) not in PARTICLES]
    return bool(names) and all(map(is_capital, names))


def _is_plain(words: list[re.Match[str]], window: str) -> bool:
    """Whether the words are a name in small letters too: not all are words of the language, or "van" is among them."""
    said = {key(word[0]) for word in words}
    if not _NEED_CAPITALS.isdisjoint(said) or any(is_initial(window, word) for word in words):
        return False
    return not said <= COMMON or (len(words) > 2 and not said.isdisjoint(PARTICLES))


def _has(names: NameIndex, form: str) -> bool:
    """Whether it is listed, also with the s of a genitive."""
    return form in names or (form.endswith("s") and form[:-1] in names)
