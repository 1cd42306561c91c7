"""CSV for a spreadsheet: not for verification, and no cell of it can run as a formula."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from app.audit.export_forms.row import COLUMNS, ExportedEntry, read_entry

# A spreadsheet takes a cell that starts so for a formula; NFKC folds the full-width forms into these.
FORMULA_START = ("=", "+", "-", "@")
# As most cells are: with no sign at the beginning and no separator inside.
HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/-]*")
# Where a spreadsheet that expects another separator would start a new cell inside ours.
INNER_START = re.compile(r"([;,\t\r\n\"|]\s*)(?=[=+\-@＝＋－＠])")


def csv_head() -> bytes:
    """The names of the columns."""
    return _rows([COLUMNS])


def csv_rows(entries: Iterable[ExportedEntry]) -> bytes:
    """A row for each entry."""
    return _rows([safe_cell(cell) for cell in _cells(entry)] for entry in entries)


def safe_cell(text: str) -> str:
    """`text` such that no spreadsheet takes it, or a part of it behind a separator, for a formula."""
    if not text or HARMLESS.fullmatch(text):
        return text
    text = INNER_START.sub(r"\1'", text)
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in folded if unicodedata.category(c) not in {"Cc", "Cf"}).lstrip()
    return "'" + text if visible.startswith(FORMULA_START) or text.startswith(("\t", "\r", "\n")) else text


def _cells(entry: ExportedEntry) -> list[str]:
    row, record = read_entry(entry)
    shown = {name: getattr(row, name) for name in COLUMNS} | {
        "documents": " ".join(row.documents),
        # In hex: base64 may start with a plus sign.
        "leaf_hash": entry.leaf_hash.hex(),
    }
    if record is None and entry.body is not None:
        shown["target"] = entry.body  # as it is
    return ["" if value is None else str(value) for value in shown.values()]


def _rows(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue().encode()
