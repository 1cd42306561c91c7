"""Entries of the log as auditors are shown them: the record verbatim, and beside it what it has not in the clear."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audit.listing import Entry
from app.audit.opener import Opener
from app.audit.record_names import RecordNames
from app.evidence.records import read_record

# Of a text in the log that is no record; an export has all of it.
RAW_CHARACTERS = 4_096


@dataclass(frozen=True)
class EventView:
    """An entry of the log: the record verbatim, or the beginning of a text that is none. `opened`: personal words.

    `name` and `address`: who acted, as they were called then, and from where; `names`: by their ids, what the people,
    services and roles in the record were called. What is not known, or of somebody who was erased, is null or left out.
    """

    seq: int
    at: dt.datetime
    record: dict[str, Any] | None
    raw: str | None
    opened: dict[str, dict[str, Any]]
    name: str | None
    address: str | None
    names: dict[str, str]


def event_views(session: Session, entries: Sequence[Entry], opener: Opener | None) -> list[EventView]:
    """Entries as they are shown; raw where one is no record of ours. Without an opener no personal words."""
    read = [(read_record(entry.body), entry.at) for entry in entries]
    names = RecordNames(session)
    return [
        EventView(
            entry.seq,
            entry.at,
            found,
            entry.body[:RAW_CHARACTERS] if found is None else None,
            opener(entry.body) if opener else {},
            actor.name,
            actor.address,
            called,
        )
        for entry, (found, _), actor, called in zip(entries, read, names.actors(read), names.names(read), strict=True)
    ]
