"""What all records have in common: id, time, actor, trail, and how personal words are marked."""

import datetime as dt
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar, TypeAlias

# 2: with `writer`, the database role that wrote the record (`app.audit.log`). 3: people by id alone, addresses sealed.
VERSION = 3


def new_id() -> uuid.UUID:
    """A time-ordered id (UUID version 7, RFC 9562), so that the log's index grows at one end."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | secrets.randbits(80)
    number = (number & ~(0xF << 76)) | 0x7 << 76
    return uuid.UUID(int=(number & ~(0x3 << 62)) | 0x2 << 62)


def utc_now() -> dt.datetime:
    """This process's clock; the leaf's own column has the database's."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class SealedText:
    """Personal words that may be opened for a reason: kept, sealed under the actor's key, with a commitment beside.

    `documents` are those whose text is in them, by their public ids: it is sealed under their keys too. `person`: whose
    words they are, where they are not the actor's; theirs is the key.
    """

    text: str = field(repr=False)
    documents: frozenset[uuid.UUID] = frozenset()
    person: uuid.UUID | None = None


@dataclass(frozen=True)
class CommittedText:
    """Text that is not kept: only a commitment, so that who holds the text can show that it was this one."""

    text: str = field(repr=False)


Personal: TypeAlias = SealedText | CommittedText


@dataclass(frozen=True)
class RecordedService:
    """The service that asked for the actor: its id, its name as a label, and the prefix of the actor's token."""

    service: uuid.UUID
    name: str
    delegation: str


@dataclass(frozen=True)
class Actor:
    """Whose rights were used: a user, by id alone, or a part of ours, by its name.

    `key` is the key that was sent; where `via` is set it is that service's, and the user only lent their rights.
    `address` is where the request came from, as far as the operator's declared proxies tell; a record has it sealed.
    """

    user: uuid.UUID | None
    name: str | None = None
    key: str | None = None
    via: RecordedService | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if self.user is not None and self.name is not None:
            raise ValueError("a record names a user by id alone: names are erased, records are not")

    @classmethod
    def service(cls, name: str) -> "Actor":
        """A process of ours that acts by itself."""
        return cls(user=None, name=name)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all records: id, time, actor, and the trail it belongs to, if any."""

    kind: ClassVar[str]
    actor: Actor
    id: uuid.UUID = field(default_factory=new_id)
    at: dt.datetime = field(default_factory=utc_now)
    trail: uuid.UUID | None = None

    def to_record(self) -> dict[str, Any]:
        """The record as JSON values, with SealedText and CommittedText still in it for the sealer to replace."""
        record = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return {"v": VERSION, "kind": self.kind, **record}


def _plain(value: Any) -> Any:
    # Most values are texts and ids.
    if value is None or isinstance(value, str | int | SealedText | CommittedText):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError("a time in a record needs its zone")
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"a {type(value).__name__} does not belong in a record")
