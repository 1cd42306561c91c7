"""The lines of a passage as its reader sees them: paragraphs, list items with what introduces them, steps, table rows.

A passage keeps the structure of its document by lines (`ingest/split.py`). Ingestion gives each block, a line or a
part of a long one, a vector; quotes are composed of blocks. Both take them from here. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.indexing.analysis.sentences import sentence_spans

LineKind = Literal["paragraph", "item", "step", "row"]

# A longer line is cut at its sentences: a vector blurs what more words say, and a reader wants no more at once.
MAX_BLOCK_WORDS = 50
BULLET = re.compile(r"(\s*)(?:[-*•–◦▪‣·]|\[[ xX]\])\s+")
NUMBER = re.compile(r"(\s*)(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]\s+(?=\S)")
# A table's row is written as `Header: cell; Header: cell`.
ROW = re.compile(r"[^:;\n]{1,80}: [^;\n]*(?:; [^:;\n]{1,80}: [^;\n]*)+;?\s*")


@dataclass(frozen=True, slots=True)
class PassageLine:
    """A line of a passage: [start, end) in characters of its text, without white space around it.

    `indent` is how deep a list item stands; `body` where its words begin, after the bullet or number.
    """

    start: int
    end: int
    kind: LineKind
    indent: int
    body: int


@dataclass(frozen=True, slots=True)
class BlockSpan:
    """A line, or some sentences of a long one: [start, end) in characters of the text, and the number of its line."""

    start: int
    end: int
    line: int


def lines(text: str) -> list[PassageLine]:
    """The lines of a passage that have words, in order."""
    found: list[PassageLine] = []
    at = 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        start = at + len(raw) - len(raw.lstrip())
        if stripped:
            found.append(_line(raw, start, start + len(stripped)))
        at += len(raw) + 1
    return found


def block_spans(text: str) -> list[BlockSpan]:
    """The lines of a passage, those of more than MAX_BLOCK_WORDS cut between sentences. Covers all words, in order.

    A row stays whole: its cells mean nothing without each other. So does a sentence, however long.
    """
    found: list[BlockSpan] = []
    for number, line in enumerate(lines(text)):
        parts = [(line.start, line.end)] if line.kind == "row" else _cut(text, line.start, line.end)
        found += [BlockSpan(start, end, number) for start, end in parts]
    return found


def _line(raw: str, start: int, end: int) -> PassageLine:
    begin = start - (len(raw) - len(raw.lstrip()))
    for kind, mark in (("item", BULLET), ("step", NUMBER)):
        if match := mark.match(raw):
            return PassageLine(start, end, "item" if kind == "item" else "step", len(match[1]), begin + match.end())
    return PassageLine(start, end, "row" if ROW.fullmatch(raw) else "paragraph", start - begin, start)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of whole sentences of at most MAX_BLOCK_WORDS words, as even in length as they come."""
    total = _words(text[start:end])
    if total <= MAX_BLOCK_WORDS:
        yield start, end
        return
    share = total / -(-total // MAX_BLOCK_WORDS)
    begin, last, count = start, start, 0
    for first, stop in sentence_spans(text[start:end]):
        size = _words(text[start + first : start + stop])
        if count and count + size / 2 > share and not _open(text[begin:last]):
            yield begin, last
            begin, count = start + first, 0
        last, count = start + stop, count + size
    yield begin, end


def _open(text: str) -> bool:
    """Whether a bracket is still to be closed."""
    return text.count("(") + text.count("[") > text.count(")") + text.count("]")


def _words(text: str) -> int:
    return len(text.split())
