"""A file without end is refused by its shape, before a parser has spent its time on it."""

import docx
import openpyxl
import pytest

from ingest.extract import extract
from ingest.extractors import bounds, partition
from ingest.extractors.errors import FileTooLarge
from tests.unit.ingest.extractors.files import saved


def workbook(*cells: str, sheets: int = 0) -> bytes:
    book = openpyxl.Workbook()
    for cell in cells:
        book.worksheets[0][cell] = "x"
    for number in range(sheets):
        book.create_sheet(f"s{number}")
    return saved(book)


def word(rows: int) -> bytes:
    document = docx.Document()
    document.add_table(rows=rows, cols=1).cell(0, 0).text = "x"
    return saved(document)


ENDLESS = [
    ("columns.csv", b"a," * 20_000, "columns"),
    ("columns.tsv", b"a\tb\n" + b"a\t" * 20_000, "Row 2"),
    ("cells.csv", (b"a," * 16_000 + b"\n") * 63, "cells"),
    ("deep.html", b"<p>start</p>" + b"<div>" * 300 + b"x" + b"</div>" * 300 + b"<p>end</p>", "nests"),
    ("deep.md", b"<div>" * 300 + b"x", "nests"),
    ("bottom.xlsx", workbook("A1", "A1048576"), "rows"),
]


@pytest.mark.parametrize(("name", "content", "reason"), ENDLESS, ids=[row[0] for row in ENDLESS])
def test_a_shape_without_end_is_refused_with_what_is_too_much(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(FileTooLarge, match=reason):
        extract(content, filename=name)


@pytest.mark.parametrize(
    ("name", "content", "element"),
    [
        ("a.xlsx", workbook("A1", "B1", "C1"), "c"),
        ("a.xlsx", workbook("A1", sheets=3), "worksheet"),
        ("a.docx", word(3), "tr"),
        ("a.docx", word(3), "tc"),
    ],
)
def test_an_office_file_is_refused_before_its_parser_sees_it(
    monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, element: str
) -> None:
    def parsed(_content: bytes) -> list[partition.Element]:
        raise AssertionError("the parser was asked")

    monkeypatch.setattr(partition, "xlsx_elements", parsed)
    monkeypatch.setattr(partition, "docx_elements", parsed)
    monkeypatch.setitem(bounds.MAX_COUNTS, element, (2, "things"))
    with pytest.raises(FileTooLarge, match="more than 2 things"):
        extract(content, filename=name)


def test_a_wide_table_within_the_bound_is_read() -> None:
    wide = b";".join(b"c%d" % n for n in range(3000)) + b"\n" + b"1;" * 2999 + b"1"
    assert extract(wide, filename="a.csv").blocks[0].text == "; ".join(f"c{n}: 1" for n in range(3000))


def test_the_delimiter_is_not_looked_for_inside_quotes() -> None:
    assert extract(b'"a,b,c,d";e\n1;2\n', filename="a.csv").blocks[0].text == "a,b,c,d: 1; e: 2"
