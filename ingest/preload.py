"""Loads at start all that the parsers would load later: a confined parser can open no file, not even of the library's.

Small files of every kind are read once; text encodings are imported, and templates of Word kept, that they do not use.
"""

import encodings
import functools
import importlib
import io
import pkgutil
from collections.abc import Callable
from typing import Any

import docx
import openpyxl
import pptx
from docx.parts.comments import CommentsPart
from docx.parts.hdrftr import FooterPart, HeaderPart
from docx.parts.settings import SettingsPart
from docx.parts.styles import StylesPart

from ingest.extractors.kinds import Kind

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F<</Type/Font"
    b"/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n4 0 obj<</Length 40>>stream\nBT /F 12 Tf 20 100 Td (warm) Tj ET"
    b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n"
)


def samples() -> dict[str, bytes]:
    """File names and contents, one of each kind."""
    word = docx.Document()
    word.add_heading("Heading", level=1)
    word.add_paragraph("Item", style="List Bullet")
    word.add_table(rows=1, cols=2).cell(0, 0).text = "cell"
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Name", "Amount"])
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[0])
    slide.shapes.title.text = "Title"
    return {
        "a.docx": _saved(word), "a.xlsx": _saved(book), "a.pptx": _saved(slides), "a.pdf": PDF,
        "a.md": b"---\nowner: a\n---\n# H\n\n1. item\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n",
        "a.html": b"<title>t</title><h1>h</h1><p>text <b>bold</b> <a href='x'>link</a></p>",
        "a.csv": b"a,b\n1,2\n", "a.tsv": b"a\tb\n1\t2\n", "ragged.csv": b"a,b\n1,2,3,4\n", "a.txt": b"Text\n\n- item\n",
        "latin.txt": "Größe, Maß und Übermut: die Prüfung für Führungskräfte läuft über fünf Wochen.".encode("cp1252"),
        "declared.html": "<meta charset=windows-1252><p>Größe</p>".encode("cp1252"),
        "a.eml": b"From: a@example.com\nSubject: =?utf-8?q?S?=\nDate: Fri, 23 Dec 2022 12:08:48 -0600\n\nBody\n",
    }  # fmt: skip


# What python-docx reads from its own folder for a file that lacks the part.
WORD_TEMPLATES = (
    (CommentsPart, "_default_comments_xml"), (FooterPart, "_default_footer_xml"), (HeaderPart, "_default_header_xml"),
    (SettingsPart, "_default_settings_xml"), (StylesPart, "_default_styles_xml"),
)  # fmt: skip
WINDOWS_ONLY = {"mbcs", "oem"}  # encodings that cannot be imported elsewhere


def warm_up(extract: Callable[..., Any]) -> None:
    """Read each sample; a kind that cannot be read at start could not be read later: its error ends the start."""
    _import_encodings()
    _keep_word_templates()
    kinds = {extract(content, filename=name).media_type for name, content in samples().items()}
    if kinds != set(Kind):
        raise RuntimeError(f"no sample was read as {set(Kind) - kinds}")


def _import_encodings() -> None:
    """All of Python's: a web page or a message names any of them, and a text without a name is tried in many."""
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in WINDOWS_ONLY:
            importlib.import_module(f"encodings.{module.name}")


def _keep_word_templates() -> None:
    for part, name in WORD_TEMPLATES:
        read = functools.cache(getattr(part, name))
        read()
        setattr(part, name, staticmethod(read))


def _saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
