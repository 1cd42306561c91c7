"""Exports the log: JSONL that anybody can verify without us, and CSV for a spreadsheet.

JSONL: a header line, one line for each entry with its record verbatim, and the head as the last line.
"""

import csv
import datetime as dt
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.audit.checkpoints import find_checkpoint, list_stamps
from app.audit.events.log_reading import ExportFormat
from app.audit.listing import Entry, latest_head, next_entries
from app.audit.query import EVERYTHING, LogQuery
from app.audit.search import prepare
from app.evidence.merkle import Head, encode
from app.evidence.records import part, read_record
from app.evidence.stamps import StampedHead
from app.evidence.verify import FORMAT, FORMAT_VERSION

# Gives the sealed fields of a record's body in the clear: app.audit.encryption.Opener, which belongs to one session.
OpenBody: TypeAlias = Callable[[str], Mapping[str, Mapping[str, Any]]]
MakeOpener: TypeAlias = Callable[[Session], OpenBody]
# Begins a transaction as the auditor. One for each chunk, so that who reads an export slowly holds no connection.
Reads: TypeAlias = Callable[[], AbstractContextManager[Session]]

COLUMNS = (
    *("seq", "at", "kind", "id", "trail", "user", "name", "key", "via", "address", "question", "outcome", "reason"),
    *("policy_epoch", "label", "model", "documents", "target", "action", "leaf_hash"),
)
# Instead of a kind: no record of ours, shown raw.
UNREADABLE = "unreadable"
# A spreadsheet takes a cell that starts so for a formula; NFKC folds the full-width forms into these.
FORMULA_START = ("=", "+", "-", "@")
# Where a spreadsheet that expects another separator would start a new cell inside ours.
INNER_START = re.compile(r"([;,\t\r\n\"|]\s*)(?=[=+\-@＝＋－＠])")


@dataclass(frozen=True)
class ExportForm:
    """How a file is written: what is first, with the note of a checkpoint if there is one, and time stamps; the line of
    an entry with what is opened of it; what is last.
    """

    first: Callable[[LogQuery, Head, str | None, Sequence[StampedHead]], str]
    entry: Callable[[Entry, Mapping[str, Mapping[str, Any]]], str]
    last: Callable[[Head, dt.datetime | None], str]


@dataclass(frozen=True)
class ExportPiece:
    """Some lines of an export, and how many entries they hold. `reached`: the last number that was looked at, or the
    head's size, which is the number of none, with the last piece.
    """

    text: str
    records: int
    reached: int


def export_log(
    reads: Reads, form: ExportForm, *, opener: MakeOpener | None = None, query: LogQuery = EVERYTHING
) -> Iterator[str]:
    """An export up to the newest head, in pieces; with `opener`, personal words go along in the clear.

    A filtered export is no whole chain: its header says `complete: false`, and verification says so too.
    """
    with reads() as session:
        published = latest_head(session)
    for piece in export_pieces(reads, form, query, published, opener=opener):
        yield piece.text


def export_pieces(
    reads: Reads,
    form: ExportForm,
    query: LogQuery,
    published: tuple[Head, dt.datetime | None],
    *,
    opener: MakeOpener | None,
    after: int = -1,
) -> Iterator[ExportPiece]:
    """What is missing of an export up to a head when the number `after` was reached; -1: all of it.

    Between two pieces no transaction is open.
    """
    head, at = published
    if after >= head.size:
        return
    with reads() as session:
        search = prepare(session, query).within(0, head.size)
        signed = find_checkpoint(session, at_most=head.size)
        stamps = list_stamps(session, at_most=head.size) if after < 0 else []
    text, reached = form.first(query, head, signed.note if signed else None, stamps) if after < 0 else "", after
    while reached < head.size:
        with reads() as session:
            entries, found = next_entries(session, search, after_seq=reached)
            open_body = opener(session) if opener else None
            text += "".join(form.entry(entry, open_body(entry.body) if open_body else {}) for entry in entries)
        reached = head.size if found is None else found
        yield ExportPiece(text + (form.last(head, at) if found is None else ""), len(entries), reached)
        text = ""


def _jsonl_first(query: LogQuery, head: Head, note: str | None, stamps: Sequence[StampedHead]) -> str:
    filters = query.filters
    # Of all entries up to a head: they say nothing of a selection.
    signed = {} if filters or not note else {"checkpoint": note}
    stamped = {} if filters or not stamps else {"timestamps": [stamp.to_json() for stamp in stamps]}
    return _line(
        {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "complete": not filters,
            "range": {"first": 0, "size": head.size},
            "filters": filters,
            **signed,
            **stamped,
        }
    )


def _jsonl_entry(entry: Entry, opened: Mapping[str, Mapping[str, Any]]) -> str:
    return _line(
        {"seq": entry.seq, "leaf_hash": encode(entry.leaf_hash), "record": entry.body}
        | ({"opened": dict(opened)} if opened else {})
    )


def _jsonl_last(head: Head, at: dt.datetime | None) -> str:
    published = {"at": at.isoformat()} if at else {}
    return _line({"head": {"size": head.size, "root": encode(head.root), **published}})


def _csv_entry(entry: Entry, opened: Mapping[str, Mapping[str, Any]]) -> str:
    cells = _cells(entry, opened)
    return _row([safe_cell(cells[name]) for name in COLUMNS])


def safe_cell(text: str) -> str:
    """`text` such that no spreadsheet takes it, or a part of it behind a separator, for a formula."""
    text = INNER_START.sub(r"\1'", text)
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in folded if unicodedata.category(c) not in {"Cc", "Cf"}).lstrip()
    return "'" + text if visible.startswith(FORMULA_START) or text.startswith(("\t", "\r", "\n")) else text


def _cells(entry: Entry, opened: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    record = read_record(entry.body)
    if record is None:
        # As it is, and where it stands.
        cells = dict.fromkeys(COLUMNS) | {"seq": str(entry.seq), "kind": UNREADABLE, "target": entry.body}
        return {name: value or "" for name, value in cells.items()} | {"leaf_hash": entry.leaf_hash.hex()}
    actor = record["actor"]
    words = opened.get("question") or opened.get("query") or {}
    passages = record.get("passages")
    documents = [part(p, "document") for p in passages] if isinstance(passages, list) and passages else []
    cells = {name: record.get(name) for name in COLUMNS} | {
        "seq": entry.seq,
        "user": actor["user"],  # who acted; whom it was done to is the target
        "name": actor.get("name"),
        "key": actor.get("key"),
        "via": part(actor.get("via"), "name"),  # the service that acted for the user
        "address": actor.get("address"),  # records of before it was written have none
        "question": words.get("text"),
        "policy_epoch": record.get("policy_epoch", record.get("epoch")),
        "model": part(record.get("model"), "name"),
        "documents": " ".join(dict.fromkeys(str(d) for d in documents or [record.get("document")] if d)),
        "target": record.get("target") or record.get("user") or record.get("role"),
        # In hex: base64 may start with a plus sign.
        "leaf_hash": entry.leaf_hash.hex(),
    }
    return {name: "" if value is None else str(value) for name, value in cells.items()}


def _row(cells: tuple[str, ...] | list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(cells)
    return buffer.getvalue()


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


# CSV is not for verification; no cell of it can run as a formula.
FORMS: Mapping[ExportFormat, ExportForm] = {
    "jsonl": ExportForm(_jsonl_first, _jsonl_entry, _jsonl_last),
    "csv": ExportForm(lambda _query, _head, _note, _stamps: _row(COLUMNS), _csv_entry, lambda _head, _at: ""),
}
