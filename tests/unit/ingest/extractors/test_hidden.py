"""What a file hides from its reader is not indexed, and counted: one test a format, each choice of docs/formats.md."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor
from openpyxl.comments import Comment

from ingest.document import Extracted
from ingest.extract import extract
from ingest.extractors.errors import Empty
from tests.unit.ingest.extractors.files import blank_page, saved

DELETED = "<w:del {ns} w:id='1' w:author='a'><w:r><w:delText>struck</w:delText></w:r></w:del>"
INSERTED = "<w:ins {ns} w:id='2' w:author='a'><w:r><w:t xml:space='preserve'> added</w:t></w:r></w:ins>"
MOVED = (
    "<w:moveFrom {ns} w:id='3' w:author='a'><w:r><w:t>movedaway</w:t></w:r></w:moveFrom>",
    "<w:moveTo {ns} w:id='4' w:author='a'><w:r><w:t xml:space='preserve'> movedhere</w:t></w:r></w:moveTo>",
)


def words(found: Extracted) -> str:
    return " ".join([found.title, *(text for b in found.blocks for text in (b.text, *b.heading_path))])


def edited(content: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """The archive with one part changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data.decode()) if name == part else data)
    return buffer.getvalue()


def add(paragraph: Any, *markup: str) -> None:
    for text in markup:
        paragraph._p.append(parse_xml(text.format(ns=nsdecls("w"))))


def word_file() -> Any:
    document = docx.Document()
    add(document.add_paragraph("kept"), DELETED, INSERTED, *MOVED)
    hidden = document.add_paragraph("seen ").add_run("vanished")
    hidden.font.hidden = True
    shown = document.add_paragraph().add_run("notvanished")
    shown.font.hidden = False
    style = document.styles.add_style("Secret", WD_STYLE_TYPE.PARAGRAPH)
    style.font.hidden = True
    heir = document.styles.add_style("Heir", WD_STYLE_TYPE.PARAGRAPH)
    heir.base_style = style
    document.add_paragraph("hiddenbystyle", style="Heir")
    table = document.add_table(rows=2, cols=1)
    table.cell(0, 0).text, table.cell(1, 0).text = "rowkept", "rowstruck"
    table.rows[1]._tr.get_or_add_trPr().append(parse_xml(f"<w:del {nsdecls('w')} w:id='9' w:author='a'/>"))
    document.sections[0].header.paragraphs[0].text = "margin"
    add(document.sections[0].header.paragraphs[0], DELETED)
    document.add_comment(document.paragraphs[0].runs, text="remarked")
    return document


def test_word_shows_insertions_and_hides_deletions_hidden_text_and_comments() -> None:
    found = extract(saved(word_file()), filename="a.docx")
    shown = words(found)
    for word in ("kept added movedhere", "seen", "notvanished", "rowkept", "margin"):
        assert word in shown
    for word in ("struck", "movedaway", " vanished", "hiddenbystyle", "rowstruck", "remarked"):
        assert word not in shown
    assert found.hidden == {"deletions": 4, "hidden_text": 2, "comments": 1}


def test_slides_hide_notes_slides_and_shapes_and_keep_their_numbers() -> None:
    deck = pptx.Presentation()
    for text in ("first", "second", "third"):
        slide = deck.slides.add_slide(deck.slide_layouts[6])
        slide.shapes.add_textbox(0, 0, 9, 9).text_frame.text = text
        slide.notes_slide.notes_text_frame.text = f"say {text}"
    deck.slides[1]._element.set("show", "0")
    box = deck.slides[2].shapes.add_textbox(0, 0, 9, 9)
    box.text_frame.text = "invisible"
    box._element.nvSpPr.cNvPr.set("hidden", "1")
    found = extract(saved(deck), filename="a.pptx")
    assert [(block.text, block.page) for block in found.blocks] == [("first", 1), ("third", 3)]
    assert found.hidden == {"slides": 1, "shapes": 1, "notes": 3}


def workbook() -> Any:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Name", "Wage", "City"], ["Ann", "w11", "Oslo"], ["Bob", "w22", "Rome"], ["Eve", "w33", "Bern"]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    sheet["A1"].comment = Comment("remarked", "a")
    for name, state in (("Drafts", "hidden"), ("Deep", "veryHidden")):
        other = book.create_sheet(name)
        other.append([f"{name} text"])
        other.sheet_state = state
    book.create_sheet("Last").append(["last text"])
    return book


def test_sheets_rows_and_columns_that_are_hidden_are_not_read() -> None:
    found = extract(saved(workbook()), filename="a.xlsx")
    shown = words(found)
    assert [b.text for b in found.blocks] == [
        "Sheet",
        "Name: Ann; City: Oslo\nName: Eve; City: Bern",
        "Last",
        "last text",
    ]
    assert not re.search(r"Bob|Wage|w\d\d|Drafts|Deep|remarked", shown)
    assert found.hidden == {"sheets": 2, "rows": 1, "columns": 1, "comments": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.replace('<row r="3" hidden="1"', "<row r='3' hidden='true'"),
        lambda x: x.replace('<row r="3" hidden="1"', '<row r="3" ht="0" customHeight="1"'),
        lambda x: x.replace('<row r="3" hidden="1"', '<row r="3"')
        .replace("<sheetFormatPr", '<sheetFormatPr zeroHeight="1"')
        .replace('<row r="1"', '<row r="1" hidden="0"').replace('<row r="2"', '<row r="2" ht="15"')
        .replace('<row r="4"', '<row r="4" ht="15"'),
    ],
)  # fmt: skip
def test_a_row_is_hidden_by_any_of_the_ways_there_are(change: Callable[[str], str]) -> None:
    content = edited(saved(workbook()), "xl/worksheets/sheet1.xml", change)
    assert "Bob" not in words(extract(content, filename="a.xlsx"))


def test_hidden_columns_to_the_right_edge_count_only_where_they_hold_something() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Name", "City"])
    book.worksheets[0].append(["Ann", "Oslo"])
    book.worksheets[0].column_dimensions.group("C", "XFD", hidden=True)
    assert extract(saved(book), filename="a.xlsx").hidden == {}


PAGE = """<p>seen</p><p hidden>h1</p><p style="color:red; DISPLAY : none">h2</p><p style="visibility:hidden">h3</p>
<template><p>h4</p></template><!-- h5 --><div hidden><p hidden>h6</p></div><p style="font-size:0">h7</p>
<p style="opacity: 0;">h8</p><p aria-hidden="true">icons</p><p style="opacity:0.5">half</p><p hidden></p>
<script>h9</script><style>h10</style><p style="font-size:0.9em">small</p>"""


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.html", PAGE), ("a.md", PAGE), ("a.eml", f"Subject: s\nContent-Type: text/html\n\n{PAGE}")],
)
def test_markup_hides_elements_and_comments(name: str, content: str) -> None:
    found = extract(content.encode(), filename=name)
    shown = words(found)
    assert all(word in shown for word in ("seen", "icons", "half", "small"))
    assert not re.search(r"\bh\d+\b", shown)
    assert found.hidden == {"elements": 7, "comments": 1}


def test_remarks_in_a_pdf_are_not_read_and_invisible_text_is_since_recognised_scans_have_it() -> None:
    document = blank_page()
    with document.local_context(text_mode=3):
        document.cell(0, 10, "recognised words")
    document.text_annotation(x=50, y=50, text="remarked")
    found = extract(bytes(document.output()), filename="a.pdf")
    assert "recognised words" in words(found)
    assert "remarked" not in words(found)
    assert found.hidden == {"annotations": 1}


def test_a_file_that_hides_everything_says_so() -> None:
    with pytest.raises(Empty, match="hidden"):
        extract(b"<p hidden>x</p>", filename="a.html")


def test_another_prefix_for_the_namespace_hides_as_well() -> None:
    def renamed(part: str) -> str:
        return re.sub(r"(</?)w:|\bw:(?=\w+=)", lambda m: (m[1] or "") + "q:", part).replace("xmlns:w=", "xmlns:q=")

    content = edited(saved(word_file()), "word/document.xml", renamed)
    assert "struck" not in words(extract(content, filename="a.docx"))


UNSEEN = """<p>seen</p><p style="color:#fff">h1</p><p style="color: WHITE !important">h2</p>
<p style="position:absolute;left:-9999px">h3</p><p style="text-indent:-5000px">h4</p><p style="font-size:1px">h5</p>
<p style="color:red;background:RED">h6</p><p style="color:transparent">h7</p>
<div style="background:navy"><p style="color:white">banner</p></div><p style="color:white;background:#333">chip</p>
<p style="color:#fff0f0">pink</p><p style="font-size:12px; left:-10px">near</p>"""


def test_markup_that_shows_nothing_by_its_looks_is_hidden_where_that_is_certain() -> None:
    found = extract(UNSEEN.encode(), filename="a.html")
    assert all(word in words(found) for word in ("seen", "banner", "chip", "pink", "near"))
    assert not re.search(r"\bh\d\b", words(found))
    assert found.hidden == {"elements": 7}
    styled = extract(f"<style>p {{background: navy}}</style>{UNSEEN}".encode(), filename="a.html")
    assert "h1" in words(styled)


def test_word_hides_white_and_tiny_text_where_that_is_certain() -> None:
    document = docx.Document()
    looks: list[tuple[str, RGBColor, float]] = [
        ("gone", RGBColor(255, 255, 255), 11), ("speck", RGBColor(0, 0, 0), 1), ("stays", RGBColor(0, 0, 0), 8),
    ]  # fmt: skip
    for text, colour, size in looks:
        run = document.add_paragraph().add_run(text)
        run.font.color.rgb, run.font.size = colour, Pt(size)
    shaded = document.add_paragraph().add_run("shaded")
    shaded.font.color.rgb, shaded.font.highlight_color = RGBColor(255, 255, 255), WD_COLOR_INDEX.BLUE
    cell = document.add_table(rows=1, cols=1).cell(0, 0).paragraphs[0].add_run("header")
    cell.font.color.rgb = RGBColor(255, 255, 255)
    found = extract(saved(document), filename="a.docx")
    assert all(word in words(found) for word in ("stays", "shaded", "header"))
    assert not re.search("gone|speck", words(found))
    assert found.hidden == {"hidden_text": 2}
