"""Structure, titles and characters of each format."""

import unicodedata

import docx
import openpyxl
import pptx
import pytest
from fpdf import FPDF

from ingest.document import Extracted
from ingest.extract import extract
from ingest.extractors.prose import is_heading
from ingest.extractors.tables import parse, readable
from tests.unit.ingest.extractors.files import saved

MARKDOWN = b"""---
title: Leave policy
owner: People team
layout: page
---
# Leave

Intro.

## Parental leave

1. Ask your lead
2. Fill the form
   - by mail

Steps without a blank line:
- one
- two

### How to apply

```python
# not a heading
```

## Pay

| Grade | Amount |
|-------|--------|
| A     | 100    |
| B     | 200    |

<details><summary>Who pays?</summary>The company.</details>
"""


def read(text: bytes, name: str) -> Extracted:
    return extract(text, filename=name)


def paths(extracted: Extracted) -> dict[str, tuple[str, ...]]:
    return {block.text: block.heading_path for block in extracted.blocks}


def test_markdown_keeps_headings_lists_code_tables_and_front_matter() -> None:
    found = read(MARKDOWN, "leave.md")
    assert (found.title, found.media_type) == ("Leave policy", "text/markdown")
    assert [(b.kind, b.text) for b in found.blocks if b.kind in ("list", "code", "table")] == [
        ("list", "1. Ask your lead\n2. Fill the form\n  - by mail"),
        ("list", "- one\n- two"),
        ("code", "# not a heading"),
        ("table", "Grade: A; Amount: 100\nGrade: B; Amount: 200"),
    ]
    where = paths(found)
    assert where["Owner: People team"] == ()
    assert where["# not a heading"] == ("Leave", "Parental leave", "How to apply")
    assert where["The company."] == ("Leave", "Pay")
    assert where["Who pays?"] == ("Leave", "Pay")
    assert not any("layout" in block.text for block in found.blocks)


def test_front_matter_that_is_none_stays_text() -> None:
    found = read(b"---\njust a line\n---\n\nText.\n", "a.md")
    assert "just a line" in " ".join(block.text for block in found.blocks)


def test_html_title_nesting_spans_and_what_nobody_sees() -> None:
    markup = b"""<html><head><title>Site</title></head><body><nav>Menu</nav><h2>Late</h2><h4>Skipped</h4><p>p</p>
    <h3>Up</h3>    <ol start="3"><li>three<li><p>four</p></ol>
    <table><thead><tr><th>Team<th>Lead</thead><tr><td rowspan=2>Ops<td>Ann<tr><td>Bob</table>
    <p hidden>planted</p><div style="color:red; display: none">planted</div>
    <form><label>Name</label> here</form><p>7</p><script>planted()</script></body></html>"""
    found = read(markup, "a.html")
    where = paths(found)
    assert found.title == "Site"
    assert where["p"] == ("Late", "Skipped")
    assert where["3. three\n4. four"] == ("Late", "Up")
    assert "Team: Ops; Lead: Ann\nTeam: Ops; Lead: Bob" in where
    assert {"Name here", "7"} <= where.keys()
    assert not any("planted" in text or "Menu" in text for text in where)


def test_html_prefers_its_h1_to_the_title_element() -> None:
    assert read(b"<title>Site | Page</title><h1>Page</h1><p>x</p>", "a.html").title == "Page"


def test_word_styles_lists_tables_and_title() -> None:
    document = docx.Document()
    document.add_heading("Travel rules", level=0)
    document.add_heading("Flights", level=1)
    document.add_paragraph("Economy only.")
    document.add_heading("Exceptions", level=2)
    document.add_paragraph("Above ten hours", style="List Bullet")
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip(
        [c for row in table.rows for c in row.cells], ["City", "Cap", "Note", "Rome", "120", "-"], strict=True
    ):
        cell.text = text
    found = read(saved(document), "travel.docx")
    where = paths(found)
    assert (found.title, found.hidden) == ("Travel rules", {})
    assert where["Economy only."] == ("Travel rules", "Flights")
    assert where["- Above ten hours"] == ("Travel rules", "Flights", "Exceptions")
    assert "City: Rome; Cap: 120; Note: -" in where


def test_slides_have_their_title_as_heading_their_number_as_page() -> None:
    deck = pptx.Presentation()
    for title in ("First", None):
        slide = deck.slides.add_slide(deck.slide_layouts[1 if title else 6])
        if title and slide.shapes.title is not None:
            slide.shapes.title.text = title
        box = slide.shapes.add_textbox(0, 0, 100, 100)
        box.text_frame.text = f"Body of {title}"
    found = read(saved(deck), "deck.pptx")
    pages = {block.text: (block.page, block.heading_path) for block in found.blocks}
    assert pages["Body of First"][0] == 1
    assert pages["Body of None"] == (2, ())


def test_sheets_are_headings_and_rows_carry_their_column_names() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Budget"
    for row in (
        ["Plan of 2026"],
        [],
        ["Team", "Amount"],
        ["Ops", 1200],
        [],
        ["Sales", 0.5],
        [],
        ["Site", "Rooms", "Floor"],
        ["Oslo", 4, 1],
    ):
        sheet.append(row)
    second = book.create_sheet("Notes")
    second.append(["Only a note"])
    found = read(saved(book), "budget.xlsx")
    assert found.title == "budget"
    assert [(b.kind, b.text, b.heading_path, b.page) for b in found.blocks if b.kind != "heading"] == [
        ("paragraph", "Plan of 2026", ("Budget",), 1),
        ("table", "Team: Ops; Amount: 1200\nTeam: Sales; Amount: 0.5", ("Budget",), 1),
        ("table", "Site: Oslo; Rooms: 4; Floor: 1", ("Budget",), 1),
        ("paragraph", "Only a note", ("Notes",), 2),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"Name,Amount\nAnn,007\n\"Bo, Jr\",N/A\n"),
        ("a.csv", b"Name;Amount\nAnn;007\n\"Bo, Jr\";N/A\n"),
        ("a.tsv", b"Name\tAmount\nAnn\t007\nBo, Jr\tN/A\n"),
        ("a.csv", "Name,Amount\nAnn,007\n\"Bo, Jr\",N/A\n".encode("utf-16")),
    ],
)  # fmt: skip
def test_delimited_rows_read_alone(name: str, content: bytes) -> None:
    found = read(content, name)
    assert [block.text for block in found.blocks] == ["Name: Ann; Amount: 007\nName: Bo, Jr; Amount: N/A"]


def test_ragged_rows_are_read_too() -> None:
    assert read(b"a,b\n1,2\n3,4,5\n", "a.csv").blocks[0].text == "a: 1; b: 2\na: 3; b: 4; 5"


def test_mail_shows_who_when_what_and_names_attachments() -> None:
    message = (
        "From: Ann <ann@example.com>\nTo: bob@example.com\nSubject: =?utf-8?q?Caf=C3=A9_budget?=\n"
        "Date: Fri, 23 Dec 2022 12:08:48 -0600\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
        "Das Gerät.\n\n- eins\n- zwei\n"
        "--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=plan.pdf\n"
        "Content-Transfer-Encoding: base64\n\nAAAA\n--b--\n"
    )
    found = read(message.encode("iso-8859-1"), "m.eml")
    assert found.title == "Café budget"
    assert found.blocks[0].text.split("\n") == [
        "Subject: Café budget",
        "From: Ann <ann@example.com>",
        "To: bob@example.com",
        "Date: Fri, 23 Dec 2022 12:08:48 -0600",
        "Attachments: plan.pdf",
    ]
    assert [block.text for block in found.blocks[1:]] == ["Das Gerät.", "- eins\n- zwei"]


def test_text_headings_are_only_the_unmistakable_ones() -> None:
    found = read(b"Report\n======\n\n2.1 Scope of work\n\nAlice\n\nSome text here.\n\nRISKS\n\nMore.\n", "a.txt")
    assert found.title == "Report"
    assert [b.text for b in found.blocks if b.kind == "heading"] == ["Report", "2.1 Scope of work", "RISKS"]
    assert [is_heading(text) for text in ("§ 7 Leave", "CHAPTER IV", "Best regards", "2.5 is enough.", "OK")] == [
        True, True, False, False, False,
    ]  # fmt: skip


WORDS = ("zeroth", "first", "second", "third", "fourth", "fifth")


def test_pdf_headings_by_size_pages_paragraphs_and_running_heads() -> None:
    pdf = FPDF()
    for number in range(1, 6):
        pdf.add_page()
        pdf.set_font("helvetica", size=8)
        pdf.cell(0, 8, f"Company confidential, page {number}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("helvetica", size=20)
        pdf.cell(0, 14, f"Chapter about item {number}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("helvetica", size=11)
        pdf.multi_cell(0, 6, f"Body of the {WORDS[number]} page goes on. " * 12, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(8)
        pdf.multi_cell(0, 6, f"The {WORDS[number]} paragraph.", new_x="LMARGIN", new_y="NEXT")
    found = read(bytes(pdf.output()), "book.pdf")
    assert found.title == "Chapter about item 1"
    third = [block for block in found.blocks if block.page == 3]
    assert [block.kind for block in third] == ["heading", "paragraph", "paragraph"]
    assert third[1].text == ("Body of the third page goes on. " * 12).strip()
    assert third[2].heading_path == ("Chapter about item 3",)
    assert not any("confidential" in block.text for block in found.blocks)


def test_text_is_nfc_and_storable() -> None:
    raw = "Cafe\u0301\x00 so\u00adft\u00a0space \x1b[1m\ufeffend".encode()
    text = read(raw, "a.txt").blocks[0].text
    assert text == "Café soft space [1mend"
    assert unicodedata.is_normalized("NFC", text)


def test_a_table_without_header_is_not_given_one_of_numbers_or_gaps() -> None:
    assert readable([], [["2020", "1", "2"], ["2021", "3", "4"]]) == "2020 | 1 | 2\n2021 | 3 | 4"
    assert readable([], [["Premium", "20"], ["Basic", "10"]]) == "Premium: 20\nBasic: 10"


def test_a_span_of_a_billion_columns_is_bounded() -> None:
    _, body = parse('<table><tr><td colspan="999999999" rowspan="999999999">x</td></tr></table>')
    assert len(body[0]) == 200
