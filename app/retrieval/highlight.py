"""Marks the words of a question in a text, and picks the snippet to show. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.indexing.analysis.tokens import DENSE_RUN, LETTER
from app.indexing.terms import Word, words_in

_WORD = re.compile(rf"{LETTER}+(?:[-'’._]{LETTER}+)*")
# The same for a text that is ASCII, for which it is several times faster.
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:[-'._][A-Za-z0-9]+)*")
# A snippet begins at a word, at most this many characters before its first mark.
LEAD = 80


@dataclass(frozen=True)
class Snippet:
    """A part of a text; `marks` are (start, end) in characters of `text`, ascending. `cut` says which ends are cut."""

    text: str
    marks: tuple[tuple[int, int], ...]
    cut: tuple[bool, bool]


class Marker:
    """Marks the words of one question in the texts that are shown for it.

    It caches its lookups, so each request creates its own: with one cache for all callers a search would be faster if
    somebody had been shown the same words before, and so tell it (promise N3).
    """

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._known: dict[str, bool] = {}

    def marks(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each word of the text that is one of the question's, in any of its forms."""
        self.look_at([text])
        return _joined((a, b) for a, b in _pieces(text) if self._known[text[a:b]])

    def look_at(self, texts: Iterable[str]) -> None:
        """Look up the words of all these texts at once, in a fraction of the time that one after the other takes."""
        pieces = dict.fromkeys(text[a:b] for text in texts for a, b in _pieces(text))
        new = [piece for piece in pieces if piece not in self._known]
        meant = words_in(new, self._words) if new else {}
        self._known |= {word: word in meant for word in new}

    def snippet(self, text: str, *, length: int) -> Snippet:
        """The part of at most `length` characters that has the most different words of the question, marked."""
        found = self.marks(text)
        start = _start(text, found, length)
        end = min(start + length, len(text))
        if end < len(text) and (space := text.rfind(" ", start + length // 2, end)) > 0:
            end = space
        inside = tuple((a - start, b - start) for a, b in found if a >= start and b <= end)
        return Snippet(text[start:end], inside, (start > 0, end < len(text)))


def words_of(text: str) -> list[str]:
    """The words of a text in order, joined where they stand inside identifiers and the like."""
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where these words stand, [start, end) in characters."""
    return [word.span() for word in (_ASCII_WORD if text.isascii() else _WORD).finditer(text)]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where the words of a text stand; of a script without spaces, its pairs of characters, as they are indexed."""
    if text.isascii():
        yield from word_spans(text)
        return
    for begin, stop in word_spans(text):
        word, start = text[begin:stop], begin
        for part in filter(None, DENSE_RUN.split(word)) if DENSE_RUN.search(word) else [word]:
            end = start + len(part)
            if DENSE_RUN.match(part) and len(part) > 1:
                yield from ((at, at + 2) for at in range(start, end - 1))
            else:
                yield start, end
            start = end


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans, those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _start(text: str, found: Sequence[tuple[int, int]], length: int) -> int:
    """Where the snippet begins: at 0 if all fits or nothing is marked."""
    if len(text) <= length or not found:
        return 0

    def different(first: int) -> int:
        return len({text[a:b].casefold() for a, b in found if first <= a and b <= first + length})

    starts = [0, *(max(a - LEAD, 0) for a, _ in found)]
    best = max(starts, key=lambda s: (different(s), -s))
    if best == 0:
        return 0
    space = text.find(" ", best)
    return space + 1 if 0 <= space < best + LEAD else best
