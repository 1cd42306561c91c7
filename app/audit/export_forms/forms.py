"""The forms of an export, by their names on the wire."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.audit.events.log_reading import ExportFormat
from app.audit.export_forms.cef import cef_lines
from app.audit.export_forms.json_lines import jsonl_end, jsonl_entries, jsonl_head
from app.audit.export_forms.ocsf import ocsf_events
from app.audit.export_forms.parquet import parquet_file, parquet_part, require_pyarrow
from app.audit.export_forms.row import ExportedEntry
from app.audit.export_forms.spreadsheet import csv_head, csv_rows
from app.evidence.merkle import Head
from app.evidence.stamps import StampedHead

Filters: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class ExportForm:
    """How a file is written: what is first, with the note of a checkpoint if there is one, and time stamps; entries;
    what is last.

    `file` makes the file of its parts, which are the file itself for all but Parquet. `require` raises InvalidInput
    where this form cannot be written. `names_actors`: whether it has names and addresses of actors
    beside the records.
    """

    ending: str
    entries: Callable[[Iterable[ExportedEntry]], bytes]
    first: Callable[[Filters, Head, str | None, Sequence[StampedHead]], bytes] = lambda *_said: b""
    last: Callable[[Head, dt.datetime | None], bytes] = lambda _head, _at: b""
    file: Callable[[Iterable[bytes]], Iterator[bytes]] = iter
    require: Callable[[], None] = lambda: None
    names_actors: bool = True


FORMS: Mapping[ExportFormat, ExportForm] = {
    "jsonl": ExportForm("jsonl", jsonl_entries, jsonl_head, jsonl_end, names_actors=False),
    "csv": ExportForm("csv", csv_rows, lambda *_said: csv_head()),
    "parquet": ExportForm("parquet", parquet_part, file=parquet_file, require=require_pyarrow),
    "ocsf": ExportForm("ocsf.jsonl", ocsf_events),
    "cef": ExportForm("cef", cef_lines),
}
