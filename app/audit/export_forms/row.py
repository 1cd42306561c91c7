"""What an export in columns says of an entry: the parts of its record that people look for."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from app.evidence.merkle import canonical
from app.evidence.records import is_sealed, part, read_record, seals_addresses

# Instead of a kind: no record of ours, shown raw; and one that a rule of retention removed.
UNREADABLE, PRUNED = "unreadable", "pruned"

Opened: TypeAlias = Mapping[str, Mapping[str, Any]]


class Unread(Enum):
    """Instead of a record that nobody has read yet: None is a text that is none."""

    UNREAD = "unread"


@dataclass(frozen=True)
class ExportedEntry:
    """An entry as an export has it. `at`: the database's clock; `body`: its record's canonical text, verbatim, None of
    one that was pruned, whose `at` is when it was.

    `opened`: its personal words. `name` and `address`: who acted, as they were called then, and from where, which a
    record has not in the clear. `record`: what its text was read as, if it was read already.
    """

    seq: int
    at: dt.datetime
    leaf_hash: bytes
    body: str | None
    opened: Opened
    name: str | None = None
    address: str | None = None
    record: Mapping[str, Any] | Unread | None = Unread.UNREAD


class ExportRow(NamedTuple):
    """An entry in columns. Whom it was done to is the target; who acted is the user, for whom a service (`via`) may
    have asked.
    """

    seq: int
    at: str | None
    kind: str
    id: str | None
    trail: str | None
    user: str | None
    name: str | None
    key: str | None
    via: str | None
    address: str | None
    question: str | None
    answer: str | None
    excerpts: str | None
    outcome: str | None
    reason: str | None
    policy_epoch: int | None
    label: str | None
    model: str | None
    documents: tuple[str, ...]
    target: str | None
    action: str | None
    leaf_hash: bytes

    @property
    def time(self) -> dt.datetime | None:
        """When it happened, of a record that says so."""
        try:
            at = dt.datetime.fromisoformat(self.at or "")
        except ValueError:
            return None
        return at if at.tzinfo else None


COLUMNS = ExportRow._fields


def row_of(entry: ExportedEntry, record: Mapping[str, Any] | None) -> ExportRow:
    """The columns of an entry whose record this is; of a text that is no record only where it stands, and so of a
    record that was pruned.
    """
    record = record or {"kind": PRUNED if entry.body is None else UNREADABLE}
    actor, epoch = record.get("actor"), record.get("policy_epoch", record.get("epoch"))
    return ExportRow(
        **{name: _shown(record.get(name), entry.opened, name) for name in _TEXTS},
        seq=entry.seq,
        kind=str(record["kind"]),
        user=_text(part(actor, "user")),
        name=entry.name if part(actor, "name") is None else _text(part(actor, "name")),
        key=_text(part(actor, "key")),
        via=_text(part(part(actor, "via"), "name")),
        # Records of before it was written have none.
        address=entry.address if seals_addresses(record) else _text(part(actor, "address")),
        question=_opened(entry.opened, "question", "query"),
        answer=_opened(entry.opened, "output"),
        excerpts=_opened(entry.opened, "excerpts"),
        policy_epoch=epoch if isinstance(epoch, int) and not isinstance(epoch, bool) else None,
        model=_text(part(record.get("model"), "name")),
        documents=documents_of(record),
        target=_text(record.get("target") or record.get("user") or record.get("role")),
        leaf_hash=entry.leaf_hash,
    )


_TEXTS = ("at", "id", "trail", "outcome", "reason", "label", "action")


def read_entry(entry: ExportedEntry) -> tuple[ExportRow, Mapping[str, Any] | None]:
    """The columns of an entry, and its record, None for a text that is no record, or of one that was pruned."""
    if entry.record is not Unread.UNREAD:
        record = entry.record
    else:
        record = None if entry.body is None else read_record(entry.body)
    return row_of(entry, record), record


def _shown(value: object, opened: Opened, name: str) -> str | None:
    """A field as a text; of a sealed one what is opened."""
    if value is None or type(value) is str:
        return value
    return _opened(opened, name) if is_sealed(value) else _text(value)


def _opened(opened: Opened, *names: str) -> str | None:
    """The text of the first of these fields that is opened: of a question or of searched words, say."""
    if opened == {}:
        return None
    return next((_text(part(opened[name], "text")) for name in names if name in opened), None)


def documents_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The documents that a record names, each once: shown, found, or the one that it is about."""
    passages, found = record.get("passages"), record.get("documents")
    named = [part(passage, "document") for passage in passages] if isinstance(passages, list) else []
    named += found if isinstance(found, list) else []
    return tuple(dict.fromkeys(each for each in (*named, record.get("document")) if isinstance(each, str)))


def _text(value: object) -> str | None:
    """A value as a text; what is none is written as it stands in the record."""
    if value is None or isinstance(value, str):
        return value
    return canonical(value)  # type: ignore[arg-type]  # a part of a record that was read, which has a canonical form
