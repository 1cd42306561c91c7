"""Files as the programs of their formats write them."""

import io
from typing import Any

from fpdf import FPDF


def saved(document: Any) -> bytes:
    """What docx, openpyxl and pptx save: three libraries with the same method and no common type."""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def blank_page() -> FPDF:
    """A PDF to write on."""
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=12)
    return document
