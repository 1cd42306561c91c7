"""Marks the words of a question in a text, and picks the snippet to show. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.indexing.terms import Word, matching_pieces

WORD = re.compile(r"[^\W_]+(?:[-'’._][^\W_]+)*")
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
        found = [(m.group(), m.span()) for m in WORD.finditer(text)]
        new = list(dict.fromkeys(word for word, _ in found if word not in self._known))
        meant = matching_pieces(new, self._words)
        self._known |= {word: word in meant for word in new}
        return [span for word, span in found if self._known[word]]

    def snippet(self, text: str, *, length: int) -> Snippet:
        """The part of at most `length` characters that has the most different words of the question, marked."""
        found = self.marks(text)
        start = _start(text, found, length)
        end = min(start + length, len(text))
        if end < len(text) and (space := text.rfind(" ", start + length // 2, end)) > 0:
            end = space
        inside = tuple((a - start, b - start) for a, b in found if a >= start and b <= end)
        return Snippet(text[start:end], inside, (start > 0, end < len(text)))


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
