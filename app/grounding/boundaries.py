"""Cuts a streamed answer into the pieces that are checked one by one. Pure.

A piece is a sentence; in code, tables and headings it is a line. A sentence's end is decided as soon as what follows
settles it, and the same way however the text was cut: citations behind a full stop belong to the sentence before them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.grounding.markers import BEHIND_STOP
from app.indexing.analysis.sentences import sentence_spans

# Characters behind a sentence that have to be known before it is taken to have ended; more where a citation may follow.
AHEAD, AHEAD_OF_MARKER = 24, 96
# What has no end is cut here, at white space.
MAX_LENGTH = 1_500
_PREFIX = re.compile(r"[ \t]*(?:>[ \t]?)*(?:(?:[-*+•]|\(?\d{1,3}[.)])[ \t]+)?")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
# A fence as it is shown: its marks and the name of a language. What else stands on its line nobody would have checked.
_BARE_FENCE = re.compile(r"[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[A-Za-z][\w+#.-]{0,19})?[ \t]*$")
Form = Literal["text", "heading", "row", "code", "fence"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the answer: `prefix + text + tail` is what came.

    `prefix` is white space and a list mark before the first sentence of a line, `tail` the white space behind it, with
    the line break if it is the last. An empty line is a piece without text; that of a fence is its marks and the name
    of a language.
    """

    prefix: str
    text: str
    tail: str
    form: Form = "text"


class Splitter:
    """One answer: `feed` each part of it, `flush` at its end."""

    def __init__(self) -> None:
        self._text = ""
        self._in_line = False  # a sentence of this line has been given already
        self._in_code = False
        self.wanted = 0  # characters that have to come before another piece can be known, unless a line ends

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that are known now."""
        self._text += text
        yield from self._advance(final=False)

    def flush(self) -> Iterator[Piece]:
        """The text is complete: what was held back."""
        yield from self._advance(final=True)

    def _advance(self, *, final: bool) -> Iterator[Piece]:
        self.wanted = AHEAD  # at least: whatever ends a sentence has to come too
        while (end := self._text.find("\n")) >= 0:
            line, self._text = self._text[: end + 1], self._text[end + 1 :]
            yield from self._line(line)
            self._in_line = False
        if final:
            if self._text:
                yield from self._line(self._text)
            self._text = ""
        elif not self._in_code and self._in_text():
            yield from self._settled()

    def _in_text(self) -> bool:
        """Whether the line so far is certainly running text: its first characters tell."""
        start = self._text.lstrip(" \t>")
        return self._in_line or (len(start) > 3 and not start.startswith(("#", "|", "```", "~~~")))

    def _line(self, line: str) -> Iterator[Piece]:
        """A whole line, or the rest of one."""
        body = line.rstrip()
        if not self._in_line:
            form = self._form(body)
            if form != "text" or not body:
                prefix = body[: len(body) - len(body.lstrip())]
                shown = _bare_fence(body) if form == "fence" else body[len(prefix) :]
                yield Piece(prefix, shown, line[len(body) :], form)
                return
        yield from self._sentences(line)

    def _form(self, body: str) -> Form:
        if _FENCE.match(body):
            self._in_code = not self._in_code
            return "fence"
        if self._in_code:
            return "code"
        start = body.lstrip(" \t>")
        return "heading" if start.startswith("#") else "row" if start.startswith("|") else "text"

    def _settled(self) -> Iterator[Piece]:
        """The sentences of the unfinished line whose ends are certain."""
        while True:
            spans, size = _spans(self._text, first=not self._in_line), len(self._text)
            if len(spans) < 2 and size <= MAX_LENGTH + AHEAD_OF_MARKER:
                self.wanted = min(AHEAD, MAX_LENGTH + AHEAD_OF_MARKER + 1 - size)
                return
            start = spans[1][0] if len(spans) > 1 else size
            if start > MAX_LENGTH:
                start = _cut(self._text)
            else:
                self.wanted = (AHEAD_OF_MARKER if self._text[start] in "[【" else AHEAD) - (size - start)
                if self.wanted > 0:
                    return
            piece, self._text = self._text[:start], self._text[start:]
            yield self._piece(piece)

    def _sentences(self, line: str) -> Iterator[Piece]:
        while line:
            spans = _spans(line, first=not self._in_line)
            start = spans[1][0] if len(spans) > 1 else len(line)
            if start > MAX_LENGTH:
                start = _cut(line)
            yield self._piece(line[:start])
            line = line[start:]

    def _piece(self, text: str) -> Piece:
        match = None if self._in_line else _PREFIX.match(text)
        prefix = match[0] if match else ""
        body = text[len(prefix) :].rstrip()
        self._in_line = True
        return Piece(prefix, body, text[len(prefix) + len(body) :])


def _bare_fence(line: str) -> str:
    """The marks of a fence, with the language if that is all that follows."""
    bare = _BARE_FENCE.match(line)
    return bare["marks"] + (bare["language"] or "") if bare else line.lstrip()[:3]


def _spans(text: str, *, first: bool) -> list[tuple[int, int]]:
    """Where sentences stand, without the list mark before the first; citations behind a full stop close it."""
    match = _PREFIX.match(text) if first else None
    offset = match.end() if match else 0
    closed = BEHIND_STOP.sub(lambda m: ")" * len(m[0]), text[offset:])
    return [(start + offset, end + offset) for start, end in sentence_spans(closed)]


def _cut(text: str) -> int:
    """Where a stretch that is too long is cut: behind the last white space within the limit."""
    at = text.rfind(" ", 1, MAX_LENGTH)
    return at + 1 if at > 0 else MAX_LENGTH
