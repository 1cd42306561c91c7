"""PDF by its text layer: lines with their place and size, joined to paragraphs under headings found by font size."""

import ctypes
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from ingest.extractors.errors import Empty, Encrypted, Malformed, TooManyPages
from ingest.extractors.outline import NUMBERED, Outline
from ingest.extractors.plain import one_line

PAGES = 5_000
HEADING_RATIO = 1.15  # against body text: the step from 11 to 12.7 points
HEADING_SIZES = 4
STOCK_TITLE = re.compile(
    r"(microsoft word|powerpoint|untitled|slide \d|.*\.(docx?|indd|pptx?|tex|dvi|pdf|qxd)\b).*", re.I
)
BULLET = re.compile(r"[•‣▪●○■□–\uf0b7\uf0a7]\s*")
REMARKS = {
    raw.FPDF_ANNOT_TEXT, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_SQUIGGLY, raw.FPDF_ANNOT_STRIKEOUT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_CARET,
    raw.FPDF_ANNOT_FILEATTACHMENT,
}  # fmt: skip
HYPHENS = "\x02\xad\ufffe"  # how PDFium marks a word broken at the end of a line


@dataclass(slots=True)
class Line:
    """A line of text: `size` is the height of its font, `top` its distance from the page's lower edge, in points."""

    text: str
    size: float
    top: float
    page: int


def read_pdf(content: bytes) -> tuple[str | None, Outline]:
    """Title (the property, else first heading) and outline of a PDF."""
    document = _open(content)
    try:
        if len(document) > PAGES:
            raise TooManyPages(f"The PDF has more than {PAGES:,} pages: split it and upload the parts.")
        pages = [_lines(document, number) for number in range(len(document))]
        remarks = sum(_remarks(document, number) for number in range(len(document)))
        title = one_line(str(document.get_metadata_value("Title") or ""))
    finally:
        document.close()
    lines = _without_margins(pages)
    if not lines:
        raise Empty("The PDF holds no text, only images: run text recognition (OCR) on it and upload the result.")
    outline = _outline(lines)
    outline.hidden["annotations"] += remarks
    return (title if title and not STOCK_TITLE.fullmatch(title) else None), outline


def _open(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise Encrypted from error
        raise Malformed("The PDF is damaged: print or export it to PDF again and upload that.") from error


def _lines(document: pypdfium2.PdfDocument, index: int) -> list[Line]:
    """The lines of a page in reading order; none for a page that PDFium cannot load."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return []
    text_page = page.get_textpage()
    count = text_page.count_chars()
    # PDFium's own index counts UTF-16 units, as this buffer does, so a position in it is a character's index.
    buffer = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetText(text_page.raw, 0, count, buffer) if count else 0
    units = bytes(buffer)[: max(written - 1, 0) * 2]
    text = units.decode("utf-16-le", errors="surrogatepass")
    lines = []
    start = 0
    for part in text.split("\n"):
        stripped = part.strip("\r \t")
        if stripped:
            size, top = _box(text_page, start + len(part) - len(part.lstrip()))
            lines.append(Line(stripped, size, top, index + 1))
        start += len(part.encode("utf-16-le", errors="surrogatepass")) // 2 + 1
    text_page.close()
    page.close()
    return lines


def _remarks(document: pypdfium2.PdfDocument, index: int) -> int:
    """How many annotations of a page are remarks of somebody, which are no text of the page."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return 0
    found = 0
    for number in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        if annotation:
            found += raw.FPDFAnnot_GetSubtype(annotation) in REMARKS
            raw.FPDFPage_CloseAnnot(annotation)
    page.close()
    return found


def _box(text_page: pypdfium2.PdfTextPage, index: int) -> tuple[float, float]:
    """Font height and top of the character at `index`; the loose box depends on the font alone, not on the letter."""
    rectangle = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(text_page.raw, index, rectangle):
        return 0.0, 0.0
    return round(abs(rectangle.top - rectangle.bottom), 1), max(rectangle.top, rectangle.bottom)


def _body_size(lines: Iterable[Line]) -> float:
    """The font height that most characters have."""
    weights: Counter[float] = Counter()
    for line in lines:
        weights[line.size] += len(line.text)
    return max(weights, key=lambda size: (weights[size], -size), default=0.0)


def _without_margins(pages: list[list[Line]]) -> list[Line]:
    """All lines but running heads and page numbers: what most pages share, but for digits, at their top or bottom.

    A line in heading size stays: "Chapter 1", "Chapter 2" stand at the top of pages too.
    """
    highest = _body_size(line for page in pages for line in page) * HEADING_RATIO
    edges = [{id(line): line for line in page[:2] + page[-2:] if line.size <= highest} for page in pages if page]
    counts = Counter(shape for edge in edges for shape in {_shape(line) for line in edge.values()})
    often = {shape for shape, count in counts.items() if len(edges) >= 4 and count > len(edges) / 2}
    margins = {key for edge in edges for key, line in edge.items() if _shape(line) in often}
    return [line for page in pages for line in page if id(line) not in margins]


def _shape(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _outline(lines: list[Line]) -> Outline:
    outline = Outline()
    levels = _heading_levels(lines, _body_size(lines))
    gap = _usual_gap(lines)
    group: list[Line] = []
    for line in lines:
        if group and _breaks(group[-1], line, gap=gap, levels=levels):
            _add(outline, group, levels)
            group = []
        group.append(line)
    if group:
        _add(outline, group, levels)
    return outline


def _heading_levels(lines: list[Line], body: float) -> dict[float, int]:
    """Font sizes that are headings, with their level from 1: clearly above the body, in short lines, and rare."""
    total = sum(len(line.text) for line in lines)
    sizes: dict[float, list[int]] = {}
    for line in lines:
        if body and line.size > body * HEADING_RATIO:
            sizes.setdefault(line.size, []).append(len(line.text))
    headings = [size for size, n in sizes.items() if statistics.median(n) <= 120 and sum(n) < total * 0.25]
    return {size: level for level, size in enumerate(sorted(headings, reverse=True)[:HEADING_SIZES], start=1)}


def _usual_gap(lines: list[Line]) -> float:
    """The median distance from one line to the next on the same page."""
    gaps = [a.top - b.top for a, b in itertools.pairwise(lines) if a.page == b.page and a.top > b.top]
    return statistics.median(gaps) if gaps else 0.0


def _breaks(before: Line, line: Line, *, gap: float, levels: dict[float, int]) -> bool:
    """True if `line` begins a new block."""
    if levels.get(before.size) != levels.get(line.size) or BULLET.match(line.text):
        return True
    if before.page != line.page:
        return before.text[-1:] in ".:;?!" or line.size in levels
    down = before.top - line.top
    return down > gap * 1.45 or down < -gap or bool(NUMBERED.match(line.text) and before.text[-1:] in ".:;?!")


def _add(outline: Outline, group: list[Line], levels: dict[float, int]) -> None:
    text, page = _joined(group), group[0].page
    level = levels.get(group[0].size)
    if level is not None and any(character.isalpha() for character in text):
        outline.heading(text, level=level, page=page)
    elif bullet := BULLET.match(text):
        outline.item(text[bullet.end() :], page=page)
    else:
        outline.add("paragraph", text, page=page)


def _joined(group: list[Line]) -> str:
    """The lines as running text, words broken at a line's end made whole."""
    text = group[0].text
    for line in group[1:]:
        broken = text[-1:] == "-" and text[-2:-1].islower() and line.text[:1].islower()
        text = text[:-1] + line.text if broken or text[-1:] in HYPHENS else f"{text} {line.text}"
    return text
