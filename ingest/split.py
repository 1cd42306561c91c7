"""Cuts an extracted document into passages along its structure; pure.

Sizes are in tokens of the embedding model, which sees 254 and forgets the rest without a word: a passage and its
headline together stay within `max_tokens`. See docs/adr/0004-parsing.md for how the sizes were chosen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.embedding.protocol import TokenCounter
from app.indexing.analysis.sentences import sentences
from ingest.document import Block, DocumentPassage, Extracted

MAX_TOKENS = 254  # 256 positions of the model less its two special tokens
TARGET = 200
HEADLINE = 48
# A word that the model cannot read (base64, a URL of a thousand letters) is one token to it, but not to anyone else.
CHARACTERS_PER_TOKEN = 12
STUB = 40  # what is left of a section joins the passage before it rather than stand alone


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of a block that is not cut any further."""

    text: str
    page: int | None
    size: int


class _Ruler:
    """Measures text in tokens, and very long words by their length."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter

    def size(self, text: str) -> int:
        """Tokens in `text`, at least one for each 12 characters. White space must cost no tokens."""
        return max(self._counter.count(text), -(-len(text) // CHARACTERS_PER_TOKEN))

    def fits(self, text: str, limit: int) -> bool:
        """True if `text` is no larger than `limit`; a huge text is not tokenized to find out."""
        return len(text) <= limit * CHARACTERS_PER_TOKEN and self.size(text) <= limit

    def cut(self, text: str, limit: int) -> Iterator[str]:
        """Pieces of `text` within `limit`, cut between words where there are any."""
        while not self.fits(text, limit):
            end = self._fitting(text[: limit * CHARACTERS_PER_TOKEN], limit)
            yield text[:end].rstrip()
            text = text[end:].lstrip()
        if text:
            yield text

    def _fitting(self, window: str, limit: int) -> int:
        spans = self._counter.spans(window)
        end = spans[limit][0] if len(spans) > limit else len(window)
        space = max(window.rfind(" ", 0, end + 1), window.rfind("\n", 0, end + 1))
        end = space if space > end // 2 else end
        while end > 1 and not self.fits(window[:end].rstrip(), limit):
            end = end * 9 // 10  # half a word may be more tokens than the whole
        return max(end, 1)


def split(
    extracted: Extracted, *, counter: TokenCounter, target: int = TARGET, max_tokens: int = MAX_TOKENS
) -> tuple[DocumentPassage, ...]:
    """The passages of a document in order.

    Blocks under the same headings are joined up to `target` tokens. A block that is larger stays whole up to the
    limit, then it is cut at its lines, sentences or words. What ends in a colon goes with the beginning of what it
    introduces. `max_tokens` bounds headline and text together.
    """
    if not 0 < target <= max_tokens or max_tokens < 2 * HEADLINE:
        raise ValueError("sizes must be 0 < target <= max_tokens, and max_tokens at least twice the headline's 48")
    ruler = _Ruler(counter)
    passages: list[DocumentPassage] = []
    for path, blocks in _sections(extracted.blocks):
        line = headline(extracted.title, path, counter=counter)
        limit = max_tokens - counter.count(line)
        units = [_Unit(text, page, ruler.size(text)) for text, page in _all_pieces(blocks, ruler, limit)]
        for group in _packed(units, min(target, limit), limit):
            text = "\n".join(unit.text for unit in group)
            passages.append(
                DocumentPassage(text, path, group[0].page, len(passages), counter.count(text), line, extracted.title)
            )
    return tuple(passages)


def headline(title: str, path: tuple[str, ...], *, counter: TokenCounter, max_tokens: int = HEADLINE) -> str:
    """`Title > Heading > Heading` within `max_tokens`: the middle goes first, title and last heading are cut last."""
    parts = [" ".join(part.split()) for part in (title, *path)]
    parts = [part for index, part in enumerate(parts) if part and (index == 0 or part != parts[index - 1])]
    while len(parts) > 2 and counter.count(" > ".join(parts)) > max_tokens:
        del parts[1]
    ruler = _Ruler(counter)
    if not ruler.fits(" > ".join(parts), max_tokens):
        share = (max_tokens - 2) // len(parts)
        parts = [next(ruler.cut(part, share)) for part in parts]
    return " > ".join(parts)


def _sections(blocks: tuple[Block, ...]) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Runs of blocks under the same headings. A heading with nothing below it is text of the section that holds it."""
    path: tuple[str, ...] = ()
    run: list[Block] = []
    for index, block in enumerate(blocks):
        inside = block.heading_path
        if block.kind == "heading":
            after = blocks[index + 1].heading_path if index + 1 < len(blocks) else ()
            if after[: len(inside)] == inside and not _is_twin(blocks, index):
                continue
            inside = inside[:-1]
        if run and inside != path:
            yield path, run
            run = []
        path = inside
        run.append(block)
    if run:
        yield path, run


def _is_twin(blocks: tuple[Block, ...], index: int) -> bool:
    """True if the next block is a heading of the same path: then this one's section is empty."""
    after = blocks[index + 1]
    return after.kind == "heading" and after.heading_path == blocks[index].heading_path


def _all_pieces(blocks: Iterable[Block], ruler: _Ruler, limit: int) -> Iterator[tuple[str, int | None]]:
    """The pieces of a section's blocks, each with its page: a list that has no room for its introduction in lines."""
    before = ""
    for block in blocks:
        whole = not (_introduces(before) and ruler.size(before) + ruler.size(block.text) > limit)
        for text in _pieces(block, ruler, limit, whole=whole or block.kind not in ("list", "table")):
            yield text, block.page
            before = text


def _introduces(text: str) -> bool:
    return text.endswith((":", "："))


def _pieces(block: Block, ruler: _Ruler, limit: int, *, whole: bool) -> Iterator[str]:
    """A block whole if it may be and fits, else its lines, else their sentences (for a row: its cells), or words."""
    if whole and ruler.fits(block.text, limit):
        yield block.text
        return
    for line in filter(str.strip, block.text.split("\n")):
        if ruler.fits(line, limit):
            yield line
            continue
        parts = _cells(line) if block.kind == "table" else sentences(line)
        for part in _joined(parts, ruler, limit):
            yield from ruler.cut(part, limit)


def _cells(row: str) -> list[str]:
    """The cells of a row, each with its separator."""
    cells = row.split("; ")
    return [f"{cell};" for cell in cells[:-1]] + cells[-1:]


def _joined(parts: Iterable[str], ruler: _Ruler, limit: int) -> Iterator[str]:
    """Neighbouring parts on one line, as many as fit."""
    line, size = "", 0
    for part in parts:
        grown = size + ruler.size(part) + 1
        if line and grown > limit:
            yield line
            line, size = part, ruler.size(part)
        else:
            line, size = (f"{line} {part}", grown) if line else (part, ruler.size(part))
    if line:
        yield line


def _packed(units: list[_Unit], target: int, limit: int) -> list[list[_Unit]]:
    """Units in groups up to `target` tokens; a stub at the end joins the group before it, up to `limit`."""
    groups: list[list[_Unit]] = []
    for unit in units:
        if groups and _total(groups[-1]) + unit.size <= target:
            groups[-1].append(unit)
        else:
            groups.append([*_take_introduction(groups, limit - unit.size), unit])
    if len(groups) > 1 and _total(groups[-1]) < STUB and _total(groups[-1]) + _total(groups[-2]) <= limit:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups


def _take_introduction(groups: list[list[_Unit]], room: int) -> list[_Unit]:
    """Take the last unit out of the last group if it introduces what follows and there is room for it."""
    if not groups or not _introduces(groups[-1][-1].text) or groups[-1][-1].size > room:
        return []
    taken = groups[-1].pop()
    if not groups[-1]:
        groups.pop()
    return [taken]


def _total(group: list[_Unit]) -> int:
    return sum(unit.size for unit in group)
