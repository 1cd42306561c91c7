"""A record of each kind that there is, made from the types of its fields: a new kind is among them by itself."""

import datetime as dt
import types
import typing
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from app.audit.encryption import seal, seal_address
from app.audit.events import KINDS
from app.audit.events.base import Actor, CommittedText, Event, RecordedService, SealedText
from app.audit.export_forms.row import ExportedEntry
from app.evidence import merkle
from tests.support.exported_log import KEY

AT = dt.datetime(2026, 11, 1, 12, 30, 0, 123_456, tzinfo=dt.UTC)
ONE = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
SERVICE = RecordedService(ONE, "bot", "cld_12345678")
ACTORS = {
    "a person": Actor(ONE, key="clr_12345678", address="192.0.2.7"),
    "a service for a person": Actor(ONE, key="clr_12345678", via=SERVICE, address="2001:db8::1"),
    "a person in a browser, of whom no address is known": Actor(ONE),
    "a part of ours": Actor.service("worker"),
}


def entries_of_every_kind(actor: Actor) -> Iterator[ExportedEntry]:
    """For each kind one record with all its fields, and one that lacks whatever may be missing."""
    for kind, event in KINDS.items():
        for full in (True, False):
            yield entry_of(record_of(kind, event, actor, full=full), name="Ada", address=actor.address)


def record_of(kind: str, event: type[Event], actor: Actor, *, full: bool = True) -> dict[str, Any]:
    """A record of this kind, its personal words and its address sealed."""
    made = event(actor=actor, id=ONE, at=AT, **_values(event, full=full, but={"id", "at", "actor"}))
    record = made.to_record()
    for name, value in record.items():
        if isinstance(value, SealedText | CommittedText):
            record[name] = seal(KEY, value, record=ONE, field=name)
    if actor.address is not None:
        record["actor"]["address"] = seal_address(KEY, actor.address)
    assert record["kind"] == kind
    return record


def entry_of(
    record: Mapping[str, Any], seq: int = 7, *, name: str | None = None, address: str | None = None
) -> ExportedEntry:
    """The record in its place, with nothing opened; its actor was called so, and asked from there."""
    body = merkle.canonical(record)
    return ExportedEntry(seq, AT, merkle.leaf_hash(body), body, {}, name, address)


def _values(of: Any, *, full: bool, but: Collection[str] = ()) -> dict[str, Any]:
    return {f.name: _value(f.type, full=full) for f in fields(of) if f.init and f.name not in but}


def _value(hint: Any, *, full: bool) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    made: Any
    if origin in {typing.Union, types.UnionType}:
        made = None if type(None) in arguments and not full else _value(arguments[0], full=full)
    elif origin is typing.Literal:
        made = arguments[0]
    elif origin is tuple and Ellipsis not in arguments:
        made = tuple(_value(each, full=full) for each in arguments)
    elif origin in {tuple, Sequence}:
        made = (_value(arguments[0], full=full),) if full else ()
    elif origin is Mapping:
        made = {"a": _value(arguments[1], full=full)} if full else {}
    elif hint in {SealedText, CommittedText}:
        made = hint("who earns what?")
    elif is_dataclass(hint):
        made = hint(**_values(hint, full=full))  # type: ignore[operator]  # a class, of fields that are all given
    else:
        made = _PLAIN[hint]
    return made


# The last is any JSON, whose type refers to itself and is a name.
_PLAIN: dict[Any, Any] = {
    uuid.UUID: ONE, str: "text", int: 3, bool: True, dt.datetime: AT, merkle.Json: {"a": ["b", None]},
}  # fmt: skip
