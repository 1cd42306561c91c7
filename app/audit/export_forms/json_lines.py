"""JSON lines that anybody can verify without us: a header, a line for each entry with its record verbatim, the head."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.audit.export_forms.row import ExportedEntry
from app.evidence.fast_json import ascii_json
from app.evidence.log_checker import FORMAT, FORMAT_VERSION
from app.evidence.merkle import Head, encode
from app.evidence.stamps import StampedHead


def jsonl_head(filters: Mapping[str, str], head: Head, note: str | None, stamps: Sequence[StampedHead]) -> bytes:
    """The header's line."""
    return json_line(log_header(filters, head, note, stamps))


def log_header(
    filters: Mapping[str, str], head: Head, note: str | None, stamps: Sequence[StampedHead]
) -> dict[str, Any]:
    """What an export says of itself; `note` is that of the newest checkpoint."""
    # Of all entries up to a head: they say nothing of a selection.
    signed = {"checkpoint": note} if note and not filters else {}
    stamped = {"timestamps": [stamp.to_json() for stamp in stamps]} if stamps and not filters else {}
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "complete": not filters,
        "range": {"first": 0, "size": head.size},
        "filters": dict(filters),
        **signed,
        **stamped,
    }


def log_head(head: Head, at: dt.datetime | None) -> dict[str, Any]:
    """The head under which an export ends, and when it was published."""
    return {"size": head.size, "root": encode(head.root)} | ({"at": at.isoformat()} if at else {})


def jsonl_entries(entries: Iterable[ExportedEntry]) -> bytes:
    """A line for each entry. Of a record that was pruned it has the hash, and null in the place of the record."""
    return b"".join(
        plain_line(
            {"seq": entry.seq, "leaf_hash": encode(entry.leaf_hash), "record": entry.body}
            | ({"opened": dict(entry.opened)} if entry.opened else {})
        )
        for entry in entries
    )


def jsonl_end(head: Head, at: dt.datetime | None) -> bytes:
    """The line of the head."""
    return json_line({"head": log_head(head, at)})


def json_line(value: Mapping[str, Any]) -> bytes:
    """A value on a line of its own, in ASCII: nothing in it can end the line."""
    return _ENCODER.encode(value).encode() + b"\n"


def plain_line(value: Mapping[str, Any]) -> bytes:
    """The same, of a value that surely has no floats, faster."""
    text = ascii_json(value)
    return json_line(value) if text is None else text + b"\n"


_ENCODER = json.JSONEncoder(separators=(",", ":"))
