"""What in the source of a page must stay as it is: code and maths. Pure."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from re import Match, Pattern

from markdown_it import MarkdownIt

Span = tuple[int, int]

_blocks = MarkdownIt("commonmark", {"html": True}).disable("inline")
_ELEMENTS = re.compile(
    r"<(pre|code|script|style|textarea|samp|kbd)\b[^>]{0,500}>.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
# A run of backticks to the next one of the same length, within a paragraph.
_INLINE = re.compile(r"(?<![\\`])(`+)(?!`)((?:(?!\n[ \t]*\n).){1,5000}?)(?<!`)\1(?!`)", re.DOTALL)
_MATHS = re.compile(
    r"\$\$(?:(?!\n[ \t]*\n).){1,2000}?\$\$|(?<![\\$\w])\$(?=[^\s$])[^\n$]{0,300}?(?<=[^\s\\])\$(?![\d$])"
    r"|\\\((?:(?!\n[ \t]*\n).){1,2000}?\\\)|\\\[(?:(?!\n[ \t]*\n).){1,2000}?\\\]",
    re.DOTALL,
)


def replace_outside(
    text: str,
    pattern: Pattern[str],
    replacement: Callable[[Match[str]], str],
    spans: Callable[[str], list[Span]],
    *,
    around: bool = False,
) -> str:
    """`text` with every match replaced, except those that touch one of the spans of the text, which ascend.

    `around`: a match may hold spans, if it begins and ends outside of them. No match is empty.
    """
    match = pattern.search(text)
    if match is None:
        return text
    kept = spans(text)
    starts = [start for start, _ in kept]
    pieces, at = [], 0
    while match:
        over = kept[max(bisect_right(starts, match.start()) - 1, 0) : bisect_left(starts, match.end())]
        over = [span for span in over if span[1] > match.start()]
        if around:
            over = [span for span in over if span[0] <= match.start() or span[1] >= match.end()]
        if over:
            start = max(over[0][1], match.start() + 1)
        else:
            pieces += [text[at : match.start()], replacement(match)]
            at = start = match.end()
        match = pattern.search(text, start)
    return "".join([*pieces, text[at:]])


def code_lines(text: str) -> set[int]:
    """The numbers of the lines, from 0, that are code blocks of a Markdown text."""
    lines: set[int] = set()
    for token in _blocks.parse(text):
        if token.type in ("fence", "code_block") and token.map:
            lines.update(range(*token.map))
    return lines


def html_blocks(text: str) -> list[Span]:
    """The blocks of HTML in a Markdown text, ascending and apart."""
    starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    return _merged(
        (starts[token.map[0]], starts[min(token.map[1], len(starts) - 1)])
        for token in _blocks.parse(text)
        if token.type == "html_block" and token.map
    )


def verbatim_spans(text: str) -> list[Span]:
    """The code blocks, code spans and formulas of a Markdown text, ascending and apart."""
    inside = code_lines(text)
    found, at = [], 0
    for number, line in enumerate(text.split("\n")):
        if number in inside:
            found.append((at, at + len(line) + 1))
        at += len(line) + 1
    blocks = _merged(found)
    # Backticks in a code block begin no code span outside of it.
    prose = _blanked(text, blocks)
    elements = _merged([*blocks, *(m.span() for m in _ELEMENTS.finditer(prose))])
    prose = _blanked(text, elements)
    spans = _merged([*elements, *(m.span() for m in _INLINE.finditer(prose))])
    return _merged([*spans, *(m.span() for m in _MATHS.finditer(_blanked(text, spans)))])


def element_spans(text: str) -> list[Span]:
    """The elements of an HTML text whose content is code."""
    return _merged(m.span() for m in _ELEMENTS.finditer(text))


def _blanked(text: str, spans: list[Span]) -> str:
    """The text with line feeds in place of what the spans hold, so that nothing is found across them."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], "\n" * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
