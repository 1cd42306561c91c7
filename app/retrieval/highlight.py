"""Marks the words of a question in a text, and picks the snippet to show. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.indexing.analysis.tokens import DENSE_RUN, LETTER
from app.indexing.terms import Word, matching_pieces

WORD = re.compile(rf"{LETTER}+(?:[-'’._]{LETTER}+)*")
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
        found = [(text[a:b], (a, b)) for a, b in _pieces(text)]
        new = list(dict.fromkeys(word for word, _ in found if word not in self._known))
        meant = matching_pieces(new, self._words)
        self._known |= {word: word in meant for word in new}
        return _joined(span for word, span in found if self._known[word])

    def snippet(self, text: str, *, length: int) -> Snippet:
        """The part of at most `length` characters that has the most different words of the question, marked."""
        found = self.marks(text)
        start = _start(text, found, length)
        end = min(start + length, len(text))
        if end < len(text) and (space := text.rfind(" ", start + length // 2, end)) > 0:
            end = space
        inside = tuple((a - start, b - start) for a, b in found if a >= start and b <= end)
        return Snippet(text[start:end], inside, (start > 0, end < len(text)))


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where the words of a text stand; of a script without spaces, its pairs of characters, as they are indexed."""
    for word in WORD.finditer(text):
        start = word.start()
        for part in filter(None, DENSE_RUN.split(word.group())) if DENSE_RUN.search(word.group()) else [word.group()]:
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
