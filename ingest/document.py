"""What extraction gives and splitting takes: blocks of text with their headings and pages, then passages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "code"]
# What a file may hide from its reader; it is left out and counted.
HIDDEN_KINDS = (
    "sheets", "rows", "columns", "slides", "shapes", "notes", "deletions", "hidden_text", "comments", "elements",
    "annotations",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One unit of structure.

    `heading_path` names the sections that hold the block, outermost first; that of a heading ends with itself.
    `page` is a page, slide or sheet number from 1, or None where the format has none. Lists, tables and code hold
    one item, row or line a line of `text`.
    """

    text: str
    kind: BlockKind
    heading_path: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of one file, in reading order, in NFC and without control characters other than newline and tab.

    `hidden` counts what the file hides and is left out, by kind (`ingest.extractors.hidden`).
    """

    title: str
    blocks: tuple[Block, ...]
    media_type: str
    hidden: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentPassage:
    """One unit of retrieval: `tokens` counts `text` alone, `ordinal` its place in the document from 0.

    `title` is that of the document, whole. `headline` is title and heading path, cut so that `embedded` fits the
    embedding model.
    """

    text: str
    heading_path: tuple[str, ...]
    page: int | None
    ordinal: int
    tokens: int
    headline: str = ""
    title: str = ""

    @property
    def embedded(self) -> str:
        """What the embedding model reads: the headline, then the text."""
        return f"{self.headline}\n{self.text}" if self.headline else self.text
