"""OCSF 1.8.0: an event for each entry, as JSON lines. The record itself is the event's raw data, so that nothing is
lost and the log's hashes can be computed from the file.
"""

import datetime as dt
import functools
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.audit.export_forms.event_classes import (
    ACCOUNT_CHANGE,
    AUTHENTICATION,
    GROUP_MANAGEMENT,
    EventClass,
    event_class,
)
from app.audit.export_forms.json_lines import json_line, plain_line
from app.audit.export_forms.row import ExportedEntry, ExportRow, read_entry
from app.evidence.manifest import FileEntry
from app.evidence.merkle import decode, encode
from app.evidence.records import part, unique_keys

SCHEMA_VERSION = "1.8.0"
AI_OPERATION = "ai_operation"
PRODUCT = "Clearance"
_UNKNOWN = "unknown"
_SERVICE = {"name": PRODUCT}
_SUCCESS, _FAILURE, _OTHER_STATUS = 1, 2, 99
_ASSISTANT = 2
_EPOCH, _MILLISECOND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(milliseconds=1)
# How an answer ended, to a collector of events; one that its asker left is neither.
_ENDS = {"refused": _FAILURE, "failed": _FAILURE, "abandoned": _OTHER_STATUS, "hung_up": _OTHER_STATUS}


def ocsf_events(entries: Iterable[ExportedEntry]) -> bytes:
    """An event for each entry, each on a line."""
    return b"".join(plain_line(ocsf_event(entry)) for entry in entries)


def ocsf_event(entry: ExportedEntry) -> dict[str, Any]:
    """The event of an entry."""
    row, record = read_entry(entry)
    record, of = record or {}, event_class(row.kind)
    answers = row.kind in {"answer.opened", "answer.closed"}
    status = _FAILURE if of.failure else _ENDS.get(row.outcome or "", _SUCCESS)
    event = {
        **_classified(of),
        # Of what does not say when it happened: when the database took it.
        "time": ((row.time or entry.at) - _EPOCH) // _MILLISECOND,
        "message": row.kind.replace(".", " "),
        "status_id": status,
        "status_code": row.outcome,
        "status_detail": row.reason,
        "metadata": _metadata(entry, row, [AI_OPERATION] if answers else []),
        "actor": _actor(row, record),
        "src_endpoint": _source(row.address, row.name if row.user is None else None),
        **_of_class(of, row, record),
        **(_ai_operation(record) if answers else {}),
        "raw_data": entry.body,
        "unmapped": {"leaf_hash": encode(entry.leaf_hash)} | ({"opened": entry.opened} if entry.opened else {}),
    }
    return _without_none(event)


def read_ocsf(path: Path) -> Iterator[FileEntry]:
    """The entries of a file of such events, each held to the event that its record gives. Raises OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield _file_entry(f"line {number}", line)


def _file_entry(place: str, line: bytes) -> FileEntry:
    try:
        event = json.loads(line.decode(), object_pairs_hook=unique_keys)
        entry = ExportedEntry(
            seq=event["metadata"]["sequence"],
            at=_EPOCH + event["time"] * _MILLISECOND,
            leaf_hash=decode(event["unmapped"]["leaf_hash"]),
            # One that was pruned has none.
            body=event.get("raw_data"),
            opened=event["unmapped"].get("opened", {}),
            # Neither is under the record's hash: whatever stands here is taken.
            name=part(part(event["actor"], "user"), "name"),
            address=_address_of(event["src_endpoint"]),
        )
        says_the_same = line == json_line(ocsf_event(entry))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return FileEntry(place)
    return FileEntry(place, entry.seq, entry.leaf_hash, entry.body, entry.opened, says_the_same)


@functools.cache
def _classified(of: EventClass) -> Mapping[str, Any]:
    return {
        "class_uid": of.ocsf.uid,
        "class_name": of.ocsf.name,
        "category_uid": of.ocsf.category_uid,
        "category_name": of.ocsf.category,
        "activity_id": of.activity,
        "activity_name": of.ocsf.activities[of.activity],
        "type_uid": 100 * of.ocsf.uid + of.activity,
        "severity_id": of.severity,
    }


def _metadata(entry: ExportedEntry, row: ExportRow, profiles: list[str]) -> dict[str, Any]:
    return _without_none(
        {
            "version": SCHEMA_VERSION,
            "product": {"name": PRODUCT, "vendor_name": PRODUCT},
            "profiles": profiles or None,
            "log_name": "audit",
            "sequence": entry.seq,
            "uid": row.id,
            "event_code": row.kind,
            "original_time": row.at,
            "correlation_uid": row.trail,
        }
    )


def _actor(row: ExportRow, record: Mapping[str, Any]) -> dict[str, Any]:
    """The person, with the key that was sent, and the service that asked for them; or the part of ours that acted."""
    if row.user is None:
        return {"app_name": row.name or _UNKNOWN}
    credentials = [{"uid": row.key}] if row.key else None
    user = {"uid": row.user, "name": row.name, "type_id": 1, "programmatic_credentials": credentials}
    via = part(record["actor"], "via")
    return _without_none({"user": _without_none(user), "app_name": row.via, "app_uid": _name(part(via, "service"))})


def _source(address: str | None, part_of_ours: str | None) -> Mapping[str, str]:
    """The address that the request came from; a part of ours has none, and a name in its place."""
    # A file that is read may have anything here, which then cannot be looked up.
    ip = _ip(address) if isinstance(address, str) else _ip(address or "")
    return {"name": address or part_of_ours or _UNKNOWN} if ip is None else {"ip": ip}


def _ip(address: str) -> str | None:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def _address_of(source: Mapping[str, str]) -> str | None:
    """What `_source` was made of; None for the name that stands where there is no address."""
    name = source.get("ip", source.get("name"))
    return None if name == _UNKNOWN else name


def _of_class(of: EventClass, row: ExportRow, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the class asks for beside what all have."""
    if of.ocsf is AUTHENTICATION:
        session = {"uid": _name(record.get("session")), "issuer": _name(record.get("source"))}
        return {
            "user": _user(record),
            "service": _SERVICE,
            "session": _without_none(session) or None,
            "count": _count(record.get("count")),
        }
    if of.ocsf is ACCOUNT_CHANGE:
        return {"user": _user(record)}
    if of.ocsf is GROUP_MANAGEMENT:
        group = _without_none({"uid": _name(record.get("role")), "name": _name(record.get("name"))})
        return {"group": group or {"name": _UNKNOWN}, "user": _user(record) if "user" in record else None}
    documents = [{"uid": document, "type": "document"} for document in row.documents]
    target = [{"uid": row.target}] if row.target and row.target not in row.documents else []
    api = {"operation": row.kind, "service": _SERVICE}
    return {"api": api, "resources": [*documents, *target] or None}


def _ai_operation(record: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of that name: the model and where it is reached, the conversation, and how many tokens it took."""
    name, endpoint = (_name(part(record.get("model"), field)) for field in ("name", "endpoint"))
    context = {
        "service": _SERVICE,
        "ai_role_id": _ASSISTANT,
        "uid": _name(record.get("conversation")),
        "prompt_tokens": _count(record.get("tokens_in")),
        "completion_tokens": _count(record.get("tokens_out")),
    }
    return {
        "ai_model": {"name": name, "ai_provider": endpoint} if name and endpoint else None,
        "message_context": _without_none(context),
    }


def _user(record: Mapping[str, Any]) -> dict[str, Any]:
    """Who was signed in, or changed; of a sign-in that failed nobody knows."""
    user = _name(record.get("user"))
    return {"uid": user, "type_id": 1} if user else {"name": _UNKNOWN, "type_id": 0}


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _without_none(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if each is not None}
