"""Word, PowerPoint and Excel files, CSV and TSV."""

import csv
import html
import io
import re
import zipfile
from collections.abc import Iterable, Sequence

from ingest.extractors import bounds, partition, tables
from ingest.extractors.encoding import decode
from ingest.extractors.errors import Unsupported
from ingest.extractors.hidden import visible_part
from ingest.extractors.outline import Outline
from ingest.extractors.partition import Element
from ingest.extractors.plain import one_line

DC_TITLE = re.compile(rb"<(?:\w+:)?title(?:\s[^>]*)?>([^<]*)<")
# What programs write into the title property by themselves.
STOCK_TITLE = re.compile(r"(microsoft word - .*|powerpoint presentation|untitled.*|document ?\d*|slide ?\d+)", re.I)
STRICT = b"http://purl.oclc.org/ooxml/"
CSV_FIELD = 10 * 2**20
QUOTED = re.compile(r'"[^"\n]*"')


def read_docx(content: bytes) -> tuple[str | None, Outline]:
    """Title (paragraph in style Title, else the property, else first heading) and outline of a Word file."""
    _refuse_strict(content)
    bounds.refuse_endless(content)
    outline = Outline()
    seen = visible_part(content)
    outline.hidden += seen.hidden
    elements = partition.docx_elements(seen.content)
    styled = next((one_line(e.text) for e in elements if _style(e) == "Title" and e.text.strip()), "")
    partition.add_elements(outline, elements, level=_docx_level)
    return styled or property_title(content), outline


def read_pptx(content: bytes) -> tuple[str | None, Outline]:
    """Title (the property, else first slide's title) and outline of a presentation: a slide's title is its heading."""
    bounds.refuse_endless(content)
    outline = Outline()
    seen = visible_part(content)
    outline.hidden += seen.hidden
    elements = partition.pptx_elements(seen.content)
    slide = None
    for element in elements:
        if element.metadata.page_number != slide:
            slide = element.metadata.page_number
            outline.leave()  # a slide without a title does not belong to the one before
        partition.add_elements(outline, [element], level=lambda e: (e.metadata.category_depth or 0) + 1)
    return property_title(content), outline


def read_xlsx(content: bytes) -> tuple[str | None, Outline]:
    """Title (the property) and outline of a workbook: a sheet's name is its heading, its number the page."""
    bounds.refuse_endless(content)
    outline = Outline()
    seen = visible_part(content)
    outline.hidden += seen.hidden
    for element in partition.xlsx_elements(seen.content):
        sheet = element.metadata
        if sheet.page_name in seen.sheets:
            continue
        outline.heading(sheet.page_name or f"Sheet {sheet.page_number}", level=1, page=sheet.page_number)
        if sheet.text_as_html:
            header, body = tables.parse(sheet.text_as_html)
            _add_sheet(outline, [*header, *body], page=sheet.page_number)
    return property_title(content), outline


def read_delimited(content: bytes, *, tabs: bool) -> tuple[str | None, Outline]:
    """Outline of CSV or TSV: the first row names the columns. There is no title in it."""
    outline = Outline()
    rows = _delimited(decode(content), tabs=tabs)
    rows = [row for row in rows if any(row)]
    outline.add("table", tables.readable(rows[:1], rows[1:]) if rows else "")
    return None, outline


def property_title(content: bytes) -> str | None:
    """The title among the document properties, unless a program wrote it there by itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            match = DC_TITLE.search(archive.read("docProps/core.xml"))
    except KeyError:
        return None
    text = one_line(html.unescape(match[1].decode("utf-8", "replace"))) if match else ""
    return text if text and not STOCK_TITLE.fullmatch(text) else None


def _refuse_strict(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "_rels/.rels" in archive.namelist() and STRICT in archive.read("_rels/.rels"):
            raise Unsupported("The file is saved as 'Strict Open XML': save it as 'Word Document (.docx)' instead.")


def _style(element: Element) -> str:
    return str(element.metadata.style_name or "")


def _docx_level(element: Element) -> int:
    """Style Title stands above Heading 1, though the library gives both depth 0."""
    return 0 if _style(element) == "Title" else (element.metadata.category_depth or 0) + 1


def _add_sheet(outline: Outline, rows: Iterable[Sequence[str]], *, page: int | None) -> None:
    """Tables, labels and notes of a sheet: a row of one cell is text, the first row of names is a header.

    After an empty row a row of names that fills other columns begins a table of its own; one that fills the same
    columns is data, since people leave empty rows inside tables.
    """
    names: list[str] = []
    lines: list[str] = []
    gap = True
    for row in map(list, rows):
        filled = [column for column, cell in enumerate(row) if cell]
        if not filled:
            gap = True
            continue
        columns = {column for column, name in enumerate(names) if name}
        if (not names or (gap and set(filled) != columns)) and _names(row, filled):
            outline.add("table", "\n".join(lines), page=page)
            names, lines = row, []
        elif len(filled) == 1 and (gap or not names):
            outline.add("table", "\n".join(lines), page=page)
            lines = []
            outline.add("paragraph", row[filled[0]], page=page)
        else:
            lines.append(tables.labelled(names, row) if names else " | ".join(row[column] for column in filled))
        gap = False
    outline.add("table", "\n".join(lines or [" | ".join(filter(None, names))]), page=page)


def _names(row: Sequence[str], filled: Sequence[int]) -> bool:
    return len(filled) > 1 and not any(tables.is_numeric(row[column]) for column in filled)


def _delimited(text: str, *, tabs: bool) -> list[list[str]]:
    """Rows of delimited text, of any length each; the delimiter is the one that the first line holds most of, outside
    of quotes.
    """
    csv.field_size_limit(CSV_FIELD)
    first = QUOTED.sub("", text.lstrip()[:CSV_FIELD].split("\n", 1)[0])
    delimiter = "\t" if tabs else max(",;\t|", key=first.count)
    rows: list[list[str]] = []
    cells = 0
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        cells += len(row)
        bounds.check_table(len(rows) + 1, cells, len(row))
        rows.append([one_line(cell) for cell in row])
    return rows
