"""Entries of the log as auditors are shown them: the record verbatim, and beside it what it has not in the clear."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audit.library_names import NameReader, library_names
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
    services and roles in the record were called, and, as far as the auditor may read it now, what the documents and
    collections were. What is not known, or of somebody who was erased, is null or left out.
    """

    seq: int
    at: dt.datetime
    record: dict[str, Any] | None
    raw: str | None
    opened: dict[str, dict[str, Any]]
    name: str | None
    address: str | None
    names: dict[str, str]


def event_views(
    session: Session,
    entries: Sequence[Entry],
    opener: Opener | None,
    reader: NameReader | None = None,
    *,
    beside: Sequence[Entry] = (),
) -> list[EventView]:
    """Entries as they are shown; raw where one is no record of ours. Without an opener no personal words.

    Behind them those `beside`, never with personal words. Without a reader no document and no collection is named.
    """
    every = [*entries, *beside]
    read = [(read_record(entry.body), entry.at) for entry in every]
    openers = [*(opener for _ in entries), *(None for _ in beside)]
    names = RecordNames(session)
    actors, called = names.actors(read), names.names(read)
    listed = library_names(session, reader, read) if reader else [{} for _ in every]
    return [
        EventView(
            entry.seq,
            entry.at,
            found,
            entry.body[:RAW_CHARACTERS] if found is None else None,
            opens(entry.body) if opens else {},
            actor.name,
            actor.address,
            people | library,
        )
        for entry, (found, _), opens, actor, people, library in zip(
            every, read, openers, actors, called, listed, strict=True
        )
    ]
