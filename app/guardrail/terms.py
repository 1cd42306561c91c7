"""Strings of a list, wherever they stand in a text and however its layout has them. Pure.

A term is compared by its words, without case, diacritics and what shows nothing, and by the signs between them. What
lays a text out counts as one blank: blanks, line breaks, hyphens, underscores, quotation marks, brackets, marks of
Markdown, elements; some of it may stand within a word too. "Project Nightjar" is so found in "project_nightjar",
"PROJECT\\n> **Nightjar**" and "ProjectNightjar", but not in "the project. Nightjars sleep".
"""

import itertools
import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.guardrail.check import KINDS, Finding, Run
from app.guardrail.lookalikes import lowered
from app.guardrail.normal import fold

LONGEST = 96  # characters of a term
_EXTENT = 192  # of its place in a text, with all that stands between its words
_GLUED = 8  # characters that a term has at least to be looked for without its blanks
_WORD = re.compile(r"[^\W_]+")
_START = re.compile(rf"(?<![^\W_]){_WORD.pattern}")
_ELEMENT = r"<(?:/?[A-Za-z][^<>\n]{0,40}>|!--(?:(?!-->)[^\n]){0,64}-->)|\[\^?\d{1,3}\]|&(?:shy|zwn?j|#173|#x(?i:ad));"
_BLANK = r"&(?:nbsp|ensp|emsp|thinsp|#160|#x(?i:a0));"
# What may yet become one of them. It may be too generous, but never too strict: the text behind it tells.
_BEGUN = r"(?:<(?:/?(?:[A-Za-z][^<>\n]{0,40})?|!(?:-(?:-[^\n]{0,66})?)?)|\[\^?\d{0,3}|&#?\w{0,6})\Z"
_GAP = re.compile(rf"(?:{_ELEMENT}|{_BLANK}|[\W_]){{1,24}}+")
_GAP_SO_FAR = re.compile(rf"(?:{_ELEMENT}|{_BLANK}|{_BEGUN}|[\W_]){{1,24}}+")
_ELEMENTS, _BLANKS = re.compile(_ELEMENT), re.compile(_BLANK)
_MARKS = re.compile(r"[`~\\]*")
_HYPHENATED = re.compile(r"-\n[ >|]*")
_LAYOUT = re.compile(r"\n[ >|]*(?:[-+.] )?|[ \-_`~\\|'\"()\[\]]")
_IN_WORD = frozenset("<-&`~\\[")  # what layout within a word may begin with
# Letters that no decomposition takes apart, and umlauts as those write them who lack the key.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_AS_THEY_ARE: dict[int, str] = {}


class UnusableTerm(ValueError):
    """A term that cannot be looked for. The message says why, and leaves the term to who knows its line."""


@dataclass(frozen=True, slots=True)
class _ListedTerm:
    """A listed term with this form, and the signs that stand right before and behind its words."""

    lead: str
    trail: str
    kind: str
    reason: str


class _Forms:
    """What listed terms look like, ready to be looked for. `sorted`: to tell whether one begins with something."""

    def __init__(self, entries: Mapping[str, tuple[_ListedTerm, ...]]) -> None:
        self.entries = entries
        self._sorted = tuple(sorted(entries))
        self._firsts = frozenset(match[0] for form in entries if (match := _WORD.match(form)) is not None)

    def begin_with(self, said: str) -> bool:
        at = bisect_left(self._sorted, said)
        return at < len(self._sorted) and self._sorted[at].startswith(said)

    def go_on_after(self, said: str) -> bool:
        at = bisect_right(self._sorted, said)
        return at < len(self._sorted) and self._sorted[at].startswith(said)

    def begin_at(self, text: str, word: re.Match[str]) -> bool:
        """Whether a term may begin at a word, of which layout may hide the rest."""
        said, behind = _key(word[0]), text[word.end() : word.end() + 1]
        return said in self._firsts or (behind in _IN_WORD and self.begin_with(said))

    def reach(self, text: str, start: int, extent: int) -> int:
        """How far a term that begins at the start may go on in a text; its end where more text would tell."""
        limit = min(len(text), start + extent)
        said, at = [""], start
        while (word := _WORD.match(text, at, limit)) is not None:
            longer = [form for one in said if self.begin_with(form := one + _key(word[0]))]
            if not longer:
                return self._last_possible(word, said)
            stop = min(word.end() + self._trail(longer), limit)
            going = [form for form in longer if self.go_on_after(form)]
            if not going:
                return stop
            gap = _GAP_SO_FAR.match(text, word.end(), limit)
            if gap is None or gap.end() == limit:
                return limit
            said = [form for one in going for join in _joins(gap[0]) if self.begin_with(form := one + join)]
            if not said:
                return stop
            at = gap.end()
        return at

    def _last_possible(self, word: re.Match[str], said: list[str]) -> int:
        """Up to where in a word a term may still be under way: that it is another word must show behind it."""
        size = 0
        while any(self.begin_with(one + _key(word[0][: size + 1])) for one in said):
            size += 1
        return word.start() + size

    def _trail(self, forms: list[str]) -> int:
        return max((len(one.trail) for form in forms for one in self.entries.get(form, ())), default=0)

    def longest(self, window: str, start: int) -> tuple[int, _ListedTerm] | None:
        """Where the longest term ends that stands at the start, and which it is."""
        limit = min(len(window), start + _EXTENT)
        best: tuple[int, _ListedTerm] | None = None
        said, at = [""], start
        while said and (word := _WORD.match(window, at)) is not None and word.end() <= limit:
            longer = [form for one in said if self.begin_with(form := one + _key(word[0]))]
            listed = (one for form in longer for one in self.entries.get(form, ()))
            found = next((one for one in listed if _fits(one, window, start, word.end())), None)
            if found is not None:
                best = word.end() + len(found.trail), found
            gap = _GAP.match(window, word.end(), limit)
            if gap is None:
                break
            said = [form for one in longer for join in _joins(gap[0]) if self.begin_with(form := one + join)]
            at = gap.end()
        return best


def _fits(entry: _ListedTerm, window: str, start: int, end: int) -> bool:
    """Whether the signs around the words are those of the term."""
    return window.endswith(entry.lead, 0, start) and window.startswith(entry.trail, end)


@dataclass(frozen=True, slots=True, eq=False)
class _TermRun(Run):
    """Ends where no term goes on, so that a text waits for no more than a term that it may hold."""

    forms: _Forms = field(kw_only=True)

    def end(self, text: str, start: int) -> int:
        return self.forms.reach(text, start, self.extent)


@dataclass(frozen=True, slots=True, eq=False)
class _TermStarts:
    """Where a word stands that a listed term may begin with: what a pattern is for other checks."""

    forms: _Forms
    pattern: str = _START.pattern

    def finditer(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Iterator[re.Match[str]]:
        for match in _START.finditer(text, pos, endpos):
            if self.forms.begin_at(text, match):
                yield match

    def match(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> re.Match[str] | None:
        word = _START.match(text, pos, endpos)
        return word if word is not None and self.forms.begin_at(text, word) else None


class ListedTerms:
    """The terms of a list, each with the kind that it is redacted as and the reason that is given for it.

    It is made once of a list and stays as it is: another list is another check.
    """

    kind = ""  # each finding has that of its term
    needs = ""
    cue = None
    tail = None

    def __init__(self, terms: Iterable[tuple[str, str, str]]) -> None:
        """Raises UnusableTerm with the place of a term in the list, counted from 1."""
        entries: dict[str, tuple[_ListedTerm, ...]] = {}
        kinds = set[str]()
        for place, (term, kind, reason) in enumerate(terms, start=1):
            try:
                lead, forms, trail = _taken_apart(term, kind)
            except UnusableTerm as error:
                raise UnusableTerm(f"term {place} of the list cannot be looked for: {error}") from None
            kinds.add(kind)
            for form in forms:
                entries[form] = (*entries.get(form, ()), _ListedTerm(lead, trail, kind, reason))
        # Of terms with one form, that with the most signs around it is the one that stands there.
        for form, of in entries.items():
            entries[form] = tuple(sorted(of, key=lambda one: -len(one.lead + one.trail)))
        self._forms = _Forms(MappingProxyType(entries))
        self.kinds = frozenset(kinds)
        self.opener = _TermStarts(self._forms)
        self.run: Run = _TermRun(re.compile(r"(?s:.*)"), _EXTENT, forms=self._forms)

    def at(self, window: str, start: int) -> Finding | None:
        found = self._forms.longest(window, start)
        if found is None:
            return None
        end, entry = found
        return Finding(start, end, entry.kind, entry.reason)


def _taken_apart(term: str, kind: str) -> tuple[str, tuple[str, ...], str]:
    """The signs before a term's words, the forms of these, and the signs behind them. Raises UnusableTerm."""
    if kind not in KINDS:
        raise UnusableTerm(f"its kind is not one of {', '.join(KINDS)}")
    if any(fold(character)[0] == "\n" for character in term if character not in "\r\n\x85\u2028\u2029"):
        raise UnusableTerm("it has characters of a script that is written without blanks")
    folded = fold(unicodedata.normalize("NFC", term))[0].strip(" \n")
    words = _words(folded)
    if not words or len(folded) < 2 or len(folded) > LONGEST:
        raise UnusableTerm(f"it must have a letter or digit, and from 2 to {LONGEST} characters")
    lead, trail = folded[: words[0].start()], folded[words[-1].end() :]
    if _WORD.search(trail):
        raise UnusableTerm("it has too many signs between two words")
    gaps = [_joins(folded[one.end() : two.start()])[-1] for one, two in itertools.pairwise(words)]
    forms = set[str]()
    # Some capitals of other alphabets are read as other Latin letters than their small ones.
    for umlauts, cased in itertools.product((_AS_THEY_ARE, _UMLAUTS), (str.lower, str.upper, str.capitalize)):
        said = [_key(cased(word[0].lower().translate(umlauts))) for word in words]
        form = said[0] + "".join(gap + word for gap, word in zip(gaps, said[1:], strict=True))
        forms.add(form)
        if len(form) >= _GLUED and all(gap == " " for gap in gaps):
            forms.add("".join(said))
    return lead, tuple(sorted(forms)), trail


def _words(folded: str) -> list[re.Match[str]]:
    """The words of a term, as those of a text are found: an element between them has none."""
    words = list[re.Match[str]]()
    word = _WORD.search(folded)
    while word is not None:
        words.append(word)
        gap = _GAP.match(folded, word.end())
        word = _WORD.match(folded, gap.end()) if gap is not None else None
    return words


def _key(word: str) -> str:
    """What the spellings of a word have in common. The key of its beginning is the beginning of its key."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", lowered(word).translate(_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _joins(gap: str) -> tuple[str, ...]:
    """What may stand in a form for what stands between two words: nothing within a word, a blank, or its signs."""
    bare = _BLANKS.sub(" ", _ELEMENTS.sub("", gap))
    if _MARKS.fullmatch(bare) is not None or _HYPHENATED.fullmatch(bare) is not None:
        return "", " "
    return (_LAYOUT.sub("", bare) or " ",)
