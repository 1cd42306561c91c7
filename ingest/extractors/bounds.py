"""Refuses a file by its shape before a parser spends its time on it: rows, cells, sheets and slides without end.

The time limit would end such a file too, after minutes of one processor, and with a reason that says less.
"""

import io
import re
import zipfile
from collections import Counter

from ingest.extractors.errors import FileTooLarge

MAX_CELLS = 1_000_000
MAX_COLUMNS = 16_384  # as many as Excel has
MAX_COUNTS = {
    "row": (500_000, "rows"),
    "c": (MAX_CELLS, "cells"),
    "worksheet": (1_000, "sheets"),
    "sld": (5_000, "slides"),
    "tr": (100_000, "rows in tables"),
    "tc": (MAX_CELLS, "cells in tables"),
    "p": (1_000_000, "paragraphs"),
}
OPENING = re.compile(rb"<(?:[\w.-]+:)?(row|c|worksheet|sld|tr|tc|p)(?=[\s/>])")
ROW_NUMBER = re.compile(rb"<(?:[\w.-]+:)?row\s[^>]*?\br=[\"'](\d{1,12})[\"']")


def refuse_endless(content: bytes) -> None:
    """Raise `TooLarge` for an office file with more rows, cells, sheets, slides or paragraphs than can be read."""
    counts: Counter[str] = Counter()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.lower().endswith(".xml"):
                continue
            part = archive.read(name).replace(b"\0", b"")
            counts.update(match[1].decode() for match in OPENING.finditer(part))
            # A row may stand far below the one before it, and each row between them is read as well.
            last = max((int(match[1]) for match in ROW_NUMBER.finditer(part)), default=0)
            counts["row"] += max(last - part.count(b"<row"), 0)
            for element, (most, what) in MAX_COUNTS.items():
                if counts[element] > most:
                    raise FileTooLarge(f"The file has more than {most:,} {what}: split it and upload the parts.")


def check_table(rows: int, cells: int, columns: int) -> None:
    """Raise `TooLarge` for a table of more columns or cells than can be read."""
    if columns > MAX_COLUMNS:
        raise FileTooLarge(f"Row {rows:,} of the table has more than {MAX_COLUMNS:,} columns: split it by columns.")
    if cells > MAX_CELLS:
        raise FileTooLarge(f"The table has more than {MAX_CELLS:,} cells: split it and upload the parts.")
