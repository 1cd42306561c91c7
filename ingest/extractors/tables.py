"""Tables as text: each row becomes a line that reads alone, "Name: X; Amount: 12".

A row that carries its own column names keeps its meaning when a long table is cut into passages, and both the embedding
and the word search see "Amount" beside "12"; a row of bare cells answers nothing once its header is in another passage.
"""

import re
from collections.abc import Iterable, Sequence

from lxml import etree, html  # type: ignore[import-untyped]  # ships no types

from ingest.extractors.errors import FileTooLarge
from ingest.extractors.plain import one_line

CELLS = 2_000_000
SPAN = 200  # no real table spans more; a hostile one asks for a billion columns
NUMERIC = re.compile(r"[\s\d.,:/%+()€$£¥~-]*\d[\s\d.,:/%+()€$£¥~-]*")
MIDNIGHT = re.compile(r"^(\d{4}-\d\d-\d\d) 00:00:00$")

Row = list[str]


def parse(markup: str) -> tuple[list[Row], list[Row]]:
    """Header rows (all cells `th`, or in `thead`) and body rows of an HTML table, spans filled in."""
    parser = html.HTMLParser(huge_tree=True, encoding="utf-8")
    table = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    rows = list(table.iter("tr"))
    header: list[Row] = []
    body: list[Row] = []
    for row, cells in zip(rows, expand_spans(rows), strict=True):
        named = [cell.tag for cell in row.iterchildren("th", "td")]
        is_header = not body and (row.getparent().tag == "thead" or (len(named) > 1 and set(named) == {"th"}))
        (header if is_header else body).append(cells)
    return header, body


def expand_spans(rows: Sequence[etree._Element]) -> list[Row]:
    """The cell texts of `rows`: a cell over several rows stands in each of them, one over columns in the first."""
    grid: list[Row] = []
    pending: dict[int, tuple[int, str]] = {}
    total = 0
    for row in rows:
        cells: Row = []
        for cell in row.iterchildren("th", "td"):
            _take_pending(cells, pending)
            text = one_line(" ".join(cell.itertext()))
            down, across = _span(cell, "rowspan"), _span(cell, "colspan")
            if down > 1:
                pending[len(cells)] = (down - 1, text)
            cells.extend([text] + [""] * (across - 1))
        _take_pending(cells, pending)
        total += len(cells)
        if total > CELLS:
            raise FileTooLarge(f"A table has more than {CELLS:,} cells: split it and upload the parts.")
        grid.append(cells)
    return grid


def _take_pending(cells: Row, pending: dict[int, tuple[int, str]]) -> None:
    while (column := len(cells)) in pending:
        left, text = pending.pop(column)
        if left > 1:
            pending[column] = (left - 1, text)
        cells.append(text)


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(int(value), SPAN) if re.fullmatch(r"[1-9]\d{0,8}", value) else 1


def readable(header: Sequence[Row], body: Sequence[Row]) -> str:
    """A table as lines. Without a header the first row serves as one if it reads like one."""
    if not header and len(body) > 1 and _is_header(body[0]) and len(_trimmed(body[0])) > 2:
        header, body = body[:1], body[1:]
    if not body:
        return "\n".join(filter(None, (" | ".join(filter(None, row)) for row in header)))
    if header:
        names = column_names(header)
        return "\n".join(filter(None, (labelled(names, row) for row in body)))
    return "\n".join(filter(None, map(_bare, body)))


def column_names(header: Sequence[Row]) -> Row:
    """One name a column, from all header rows; a name said twice in a column is said once."""
    width = max(map(len, header))
    return [
        " ".join(dict.fromkeys(row[column] for row in header if column < len(row) and row[column]))
        for column in range(width)
    ]


def labelled(names: Sequence[str], row: Iterable[str]) -> str:
    """A row as "name: value; name: value", empty cells left out."""
    parts = []
    for column, cell in enumerate(row):
        name = names[column].rstrip(": ") if column < len(names) else ""
        value = MIDNIGHT.sub(r"\1", cell)  # a spreadsheet stores a day as a moment
        if value:
            parts.append(f"{name}: {value}" if name else value)
    return "; ".join(parts)


def _is_header(row: Row) -> bool:
    """True if every cell is filled with a different text that is no number."""
    cells = _trimmed(row)
    return bool(cells) and all(cells) and len(set(cells)) == len(cells) and not any(map(is_numeric, cells))


def is_numeric(text: str) -> bool:
    return NUMERIC.fullmatch(text) is not None


def _trimmed(row: Row) -> Row:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def _bare(row: Row) -> str:
    """A row of a table without header: two cells are a name and its value, whether or not the first row is a header."""
    cells = [cell for cell in row if cell]
    return f"{cells[0].rstrip(': ')}: {cells[1]}" if len(cells) == 2 else " | ".join(cells)
