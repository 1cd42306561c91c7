"""Collects blocks in reading order and keeps the path of headings that holds each of them."""

import re
from collections import Counter

from ingest.document import Block, BlockKind
from ingest.extractors.plain import clean, one_line

HEADING_CHARACTERS = 300  # what is longer is a paragraph in heading style
NUMBERED = re.compile(r"(\d+|[A-Za-z]|[ivxIVX]+)(\.\d+)*[.)]\s")


class Outline:
    """Add headings, text and list items in reading order; read `blocks`."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._open: list[tuple[int, str]] = []
        self._items: list[tuple[int, str]] = []
        self._items_page: int | None = None
        self.hidden: Counter[str] = Counter()  # what the file hides and is left out, by kind

    @property
    def path(self) -> tuple[str, ...]:
        """The headings that hold what comes next."""
        return tuple(text for _, text in self._open)

    def heading(self, text: str, *, level: int, page: int | None = None) -> None:
        """Open a section; a heading closes all of its own level and deeper, so skipped levels nest correctly."""
        text = one_line(text)
        if not text or len(text) > HEADING_CHARACTERS:
            self.add("paragraph", text, page=page)
            return
        self._close_list()
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, text))
        self._blocks.append(Block(text, "heading", self.path, page))

    def add(self, kind: BlockKind, text: str, *, page: int | None = None) -> None:
        """Add a block under the open headings; blank text adds none."""
        text = clean(text)
        if not text.strip():
            return
        self._close_list()
        self._blocks.append(Block(text, kind, self.path, page))

    def item(self, text: str, *, depth: int = 0, page: int | None = None) -> None:
        """Add a list item; neighbours become one list. An item without a number gets a dash."""
        text = one_line(text)
        if not text:
            return
        if self._items and page != self._items_page:
            self._close_list()
        self._items_page = page
        self._items.append((depth, text if NUMBERED.match(text) else f"- {text}"))

    @property
    def blocks(self) -> tuple[Block, ...]:
        self._close_list()
        return tuple(self._blocks)

    def leave(self) -> None:
        self._close_list()
        self._open.clear()

    def put_first(self, blocks: tuple[Block, ...]) -> None:
        self._blocks[:0] = blocks

    def _close_list(self) -> None:
        if self._items:
            least = min(depth for depth, _ in self._items)
            lines = ["  " * min(depth - least, 8) + text for depth, text in self._items]
            self._items = []
            self._blocks.append(Block("\n".join(lines), "list", self.path, self._items_page))
