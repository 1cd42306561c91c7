"""Build the sample company's DOCX, PDF and XLSX files from the text in `sources/`.

`sources/<path>.docx.md`, `.pdf.md` and `.xlsx.yaml` become `company/<path>.docx`, `.pdf` and `.xlsx`. The same sources
and library versions give the same content: every date is fixed. Only the compression of Office packages is left to
the machine's zlib, so `--check` compares their members.

    python -m sample.build            write the files
    python -m sample.build --check    exit with 1 and name each file that differs from its source
"""

import io
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
import yaml
from docx.document import Document
from docx.enum.text import WD_BREAK
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace
from openpyxl import Workbook
from openpyxl.styles import Font

SAMPLE = Path(__file__).resolve().parent
SOURCES = SAMPLE / "sources"
COMPANY = SAMPLE / "company"
AUTHOR = "Skerrow Tidal (fictional)"
BUILT_AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

PAGE_BREAK = "---"
HEADING = re.compile(r"(#{1,3}) (.+)")
BULLET = re.compile(r"- (.+)")
NUMBER = re.compile(r"\d+\. (.+)")
TABLE_RULE = re.compile(r"[|\-: ]+")
# openpyxl stamps the moment of saving over whatever was set before.
SAVED_AT = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the document's title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text, or one item of a list."""

    text: str
    style: str = "Normal"


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first row holds the column names."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PageBreak:
    """A new page starts here."""


Block = Heading | Paragraph | Table | PageBreak


def parse_markdown(text: str) -> list[Block]:
    """Read the small Markdown that sources use: headings, paragraphs, lists, tables, `---` for a page break."""
    blocks: list[Block] = []
    for part in re.split(r"\n{2,}", text.strip()):
        lines = part.split("\n")
        if part == PAGE_BREAK:
            blocks.append(PageBreak())
        elif heading := HEADING.fullmatch(part):
            blocks.append(Heading(len(heading[1]), heading[2]))
        elif part.startswith("|"):
            cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            blocks.append(Table(tuple(row for row, line in zip(cells, lines, strict=True) if not _is_rule(line))))
        else:
            blocks.extend(_paragraphs(lines))
    return blocks


def _is_rule(line: str) -> bool:
    return TABLE_RULE.fullmatch(line) is not None


def _paragraphs(lines: list[str]) -> Iterator[Paragraph]:
    for pattern, style in ((BULLET, "List Bullet"), (NUMBER, "List Number")):
        items = [pattern.fullmatch(line) for line in lines]
        if all(items):
            yield from (Paragraph(item[1], style) for item in items if item)
            return
    yield Paragraph(" ".join(lines))


def build_docx(source: str) -> bytes:
    """Return a Word file with heading styles and real tables."""
    blocks = parse_markdown(source)
    document = docx.Document()
    properties = document.core_properties
    properties.author = properties.last_modified_by = AUTHOR
    properties.title = _title(blocks)
    properties.comments = ""
    for block in blocks:
        _add_to_docx(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    return _with_fixed_dates(buffer.getvalue())


def _add_to_docx(document: Document, block: Block) -> None:
    match block:
        case Heading(level, text):
            document.add_heading(text, level)
        case Paragraph(text, style):
            document.add_paragraph(text, style)
        case PageBreak():
            document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        case Table(rows):
            table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
            for row, values in zip(table.rows, rows, strict=True):
                for cell, value in zip(row.cells, values, strict=True):
                    cell.text = value


class _Pdf(FPDF):
    """A4 page with a page number at the foot."""

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Helvetica", size=8)
        self.cell(0, 10, f"Page {self.page_no()} of {{nb}}", align="C")


def build_pdf(source: str) -> bytes:
    """Return a PDF with larger, bold headings, which are also its outline. Text must fit the Latin-1 core fonts."""
    blocks = parse_markdown(source)
    pdf = _Pdf(format="A4")
    pdf.set_compression(False)
    pdf.set_creation_date(BUILT_AT)
    pdf.set_title(_title(blocks))
    pdf.set_author(AUTHOR)
    pdf.set_lang("en")
    pdf.set_margin(22)
    pdf.set_auto_page_break(auto=True, margin=22)
    pdf.add_page()
    for block in blocks:
        _add_to_pdf(pdf, block)
    return bytes(pdf.output())


def _add_to_pdf(pdf: FPDF, block: Block) -> None:
    match block:
        case Heading(level, text):
            pdf.ln(3)
            pdf.start_section(text, level - 1)
            pdf.set_font("Helvetica", "B", {1: 20, 2: 14, 3: 12}[level])
            _write(pdf, text, height=9)
        case Paragraph(text, style):
            pdf.set_font("Helvetica", size=11)
            _write(pdf, text if style == "Normal" else f"- {text}", height=6)
        case PageBreak():
            pdf.add_page()
        case Table(rows):
            pdf.set_font("Helvetica", size=10)
            with pdf.table(headings_style=FontFace(emphasis="BOLD"), text_align="LEFT") as table:
                for row in rows:
                    table.row(row)
            pdf.ln(3)


def _write(pdf: FPDF, text: str, *, height: float) -> None:
    pdf.multi_cell(0, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(2)


def build_xlsx(source: str) -> bytes:
    """Return a workbook; the source gives a title and, for each sheet, its name, columns and rows."""
    plan: dict[str, Any] = yaml.safe_load(source)
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.title = plan["title"]
    workbook.properties.creator = AUTHOR
    for sheet in plan["sheets"]:
        page = workbook.create_sheet(sheet["name"])
        page.append(sheet["columns"])
        for cell in page[1]:
            cell.font = Font(bold=True)
        for row in sheet["rows"]:
            page.append(row)
        for number, name in enumerate(sheet["columns"]):
            texts = [str(name), *(str(row[number]) for row in sheet["rows"])]
            page.column_dimensions[chr(ord("A") + number)].width = min(60, max(map(len, texts)) + 2)
        page.freeze_panes = "A2"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return _with_fixed_dates(buffer.getvalue())


def _title(blocks: list[Block]) -> str:
    return next(block.text for block in blocks if isinstance(block, Heading))


def _with_fixed_dates(package: bytes) -> bytes:
    """Rewrite an Office package with one date everywhere, in its properties and on its members."""
    stamp = BUILT_AT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "docProps/core.xml":
                content = SAVED_AT.sub(rb"\g<1>" + stamp + rb"\g<3>", content)
            info = zipfile.ZipInfo(member, BUILT_AT.timetuple()[:6])
            info.create_system = 0  # the same on every operating system
            new.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def same_content(one: bytes, other: bytes) -> bool:
    """Whether two built files hold the same: byte for byte, or for Office packages member for member."""
    return one == other or (_members(one) == _members(other) != [])


def _members(package: bytes) -> list[tuple[str, bytes]]:
    if not zipfile.is_zipfile(io.BytesIO(package)):
        return []
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


BUILDERS: dict[str, Callable[[str], bytes]] = {
    ".docx.md": build_docx,
    ".pdf.md": build_pdf,
    ".xlsx.yaml": build_xlsx,
}


def sources() -> Iterator[tuple[Path, Path, Callable[[str], bytes]]]:
    """Yield (source, file to build, builder) for everything in `sources/`; an unknown ending is a ValueError."""
    for source in sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        builder = BUILDERS.get("".join(source.suffixes[-2:]))
        if builder is None:
            raise ValueError(f"no builder for {source.relative_to(SAMPLE)}")
        yield source, COMPANY / source.relative_to(SOURCES).with_suffix(""), builder


def main(arguments: list[str]) -> int:
    """Write every file, or with `--check` compare; returns the exit status."""
    stale: list[str] = []
    for source, target, builder in sources():
        content = builder(source.read_text(encoding="utf-8"))
        if "--check" not in arguments:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        elif not target.is_file() or not same_content(target.read_bytes(), content):
            stale.append(str(target.relative_to(SAMPLE)))
    for name in stale:
        sys.stderr.write(f"differs from its source: {name}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
