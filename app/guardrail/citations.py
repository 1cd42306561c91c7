"""Citations in a stream: known ones renumbered by first use, invented ones dropped. Any cutting gives the same text."""

import re

# [3], [^3], [1, 2] and the full-width form that some models write. Bounded, so that the hold-back is.
MARKER = re.compile(r"[\[【] ?\^?[0-9]{1,3}(?: ?, ?\^?[0-9]{1,3}){0,7} ?[\]】]")
# What could still become a marker when more text comes.
BEGUN = re.compile(r"[\[【] ?\^?(?:[0-9]{1,3}(?: ?, ?\^?[0-9]{1,3}){0,7}(?: ?,? ?\^?)?)?\Z")
OPENING = re.compile(r" *[\[【]")
NUMBER = re.compile(r"[0-9]+")
# Spaces held back, since a dropped marker takes those before it along; more than these are text.
MOST_SPACES = 8
SPACES_AT_END = re.compile(r" {1,8}\Z")


class CitationFilter:
    """A stream transformer. `sources` is how many passages the model was shown, numbered from 1.

    What follows a marker is text: `[2](link)` keeps its link. An index such as `rows[0]` counts as a citation, since
    models write citations right behind a word: one that names no passage is dropped rather than shown.
    """

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._buffer = ""
        self._order: dict[int, int] = {}

    @property
    def used(self) -> tuple[int, ...]:
        """The passages cited so far, by their numbers in the context, in the order of first use."""
        return tuple(self._order)

    def feed(self, token: str) -> str:
        """Take the next piece; returns what is decided."""
        self._buffer += token
        return self._advance(final=False)

    def flush(self) -> str:
        """The text is complete."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> str:
        text, at = self._buffer, 0
        out: list[str] = []
        while opening := OPENING.search(text, at):
            bracket = opening.end() - 1
            marker = MARKER.match(text, bracket)
            if marker is None and not final and BEGUN.match(text, bracket):
                break
            if marker is None:
                out.append(text[at : bracket + 1])
                at = bracket + 1
                continue
            spaces = min(bracket - opening.start(), MOST_SPACES)
            cited = self._renumbered(marker.group())
            out.append(text[at : bracket if cited else bracket - spaces] + cited)
            at = marker.end()
        held = len(text) if final else self._held_from(text, at)
        out.append(text[at:held])
        self._buffer = text[held:]
        return "".join(out)

    def _held_from(self, text: str, at: int) -> int:
        """Where the undecided end begins: an open marker, and spaces that it may take along."""
        opening = OPENING.search(text, at)
        end = opening.end() - 1 if opening else len(text)
        spaces = SPACES_AT_END.search(text[max(at, end - MOST_SPACES) : end])
        return end - (len(spaces.group()) if spaces else 0)

    def _renumbered(self, marker: str) -> str:
        known = [n for n in (int(d) for d in NUMBER.findall(marker)) if 1 <= n <= self._sources]
        for number in known:
            self._order.setdefault(number, len(self._order) + 1)
        return "".join(f"[{self._order[n]}]" for n in dict.fromkeys(known))
