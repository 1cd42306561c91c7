"""Exports the log: JSONL that anybody can verify without us, and CSV for a spreadsheet.

JSONL: a header line, one line for each entry with its record verbatim, and the head as the last line.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.audit.chain import encode
from app.audit.listing import ALL, Entry, Filters, latest_head, stream
from app.audit.verify import FORMAT, FORMAT_VERSION

# Gives the sealed fields of a record's body in the clear: app.audit.seal.Opener.
OpenBody: TypeAlias = Callable[[str], Mapping[str, Mapping[str, Any]]]

COLUMNS = (
    *("seq", "at", "kind", "id", "trail", "user", "name", "key", "via", "address", "question", "outcome", "reason"),
    *("policy_epoch", "label", "model", "documents", "target", "action", "leaf_hash"),
)
# A spreadsheet takes a cell that starts so for a formula; NFKC folds the full-width forms into these.
FORMULA_START = ("=", "+", "-", "@")
# Where a spreadsheet that expects another separator would start a new cell inside ours.
INNER_START = re.compile(r"([;,\t\r\n\"|]\s*)(?=[=+\-@＝＋－＠])")


def export_jsonl(session: Session, *, opener: OpenBody | None = None, filters: Filters = ALL) -> Iterator[str]:
    """Lines of the export, each with its newline, in order; with `opener`, personal words go along in the clear.

    A filtered export is no whole chain: its header says `complete: false`, and verification says so too.
    """
    head, at = latest_head(session)
    chosen = filters.as_text()
    yield _line(
        {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "complete": not chosen,
            "range": {"first": 0, "size": head.size},
            "filters": chosen,
        }
    )
    for entry in stream(session, filters, size=head.size):
        opened = dict(opener(entry.body)) if opener else {}
        yield _line(
            {"seq": entry.seq, "leaf_hash": encode(entry.leaf_hash), "record": entry.body}
            | ({"opened": opened} if opened else {})
        )
    published = {"at": at.isoformat()} if at else {}
    yield _line({"head": {"size": head.size, "root": encode(head.root), **published}})


def export_csv(session: Session, *, opener: OpenBody | None = None, filters: Filters = ALL) -> Iterator[str]:
    """Lines of a CSV file, a header row first; no cell can run as a formula. Not for verification: use JSONL."""
    head, _ = latest_head(session)
    yield _row(COLUMNS)
    for entry in stream(session, filters, size=head.size):
        cells = _cells(entry, opener(entry.body) if opener else {})
        yield _row([safe_cell(cells[name]) for name in COLUMNS])


def safe_cell(text: str) -> str:
    """`text` such that no spreadsheet takes it, or a part of it behind a separator, for a formula."""
    text = INNER_START.sub(r"\1'", text)
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in folded if unicodedata.category(c) not in {"Cc", "Cf"}).lstrip()
    return "'" + text if visible.startswith(FORMULA_START) or text.startswith(("\t", "\r", "\n")) else text


def _cells(entry: Entry, opened: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    record = json.loads(entry.body)
    actor, model = record["actor"], record.get("model") or {}
    words = opened.get("question") or opened.get("query") or {}
    documents = [passage["document"] for passage in record.get("passages", [])] or [record.get("document")]
    cells = {name: record.get(name) for name in COLUMNS} | {
        "seq": entry.seq,
        "user": actor["user"],  # who acted; whom it was done to is the target
        "name": actor["name"],
        "key": actor["key"],
        "via": (actor.get("via") or {}).get("name"),  # the service that acted for the user
        "address": actor.get("address"),  # records of before it was written have none
        "question": words.get("text"),
        "policy_epoch": record.get("policy_epoch", record.get("epoch")),
        "model": model.get("name"),
        "documents": " ".join(dict.fromkeys(d for d in documents if d)),
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
