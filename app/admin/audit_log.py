"""The audit log for auditors, who do not thereby read documents. Reading and exporting it is recorded too."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.audit.actor import actor
from app.audit.encryption import Opener, Sealer
from app.audit.events.answers import AuditExported, AuditRead
from app.audit.events.base import Event
from app.audit.export import export_csv, export_jsonl
from app.audit.listing import Entry, Filters, latest_head, list_events
from app.audit.log import record
from app.db.paging import Page
from app.db.session import Database
from app.errors import InvalidInput
from app.evidence.merkle import Head
from app.evidence.records import read_record
from app.identity.names import find_user
from app.identity.subject import Capability, Subject, require_capability

# Of a text in the log that is no record; an export has all of it.
RAW_CHARACTERS = 4_096

Format = Literal["jsonl", "csv"]


@dataclass(frozen=True)
class EventView:
    """An entry of the log: the record verbatim, or the beginning of a text that is none. `opened`: personal words."""

    seq: int
    at: dt.datetime
    record: dict[str, Any] | None
    raw: str | None
    opened: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class AuditLog:
    """What an auditor does with the log. Raises MissingCapability for anybody else."""

    database: Database
    sealer: Sealer
    subject: Subject

    def __post_init__(self) -> None:
        require_capability(self.subject, Capability.AUDIT)

    def filters(
        self, *, user: str | None, kind: str | None, since: dt.datetime | None, until: dt.datetime | None
    ) -> Filters:
        """Which records are meant; `user` by name. Raises NotFound, or InvalidInput for a time without zone."""
        if any(t is not None and t.tzinfo is None for t in (since, until)):
            raise InvalidInput("Give since and until with their zone, as in 2027-01-01T00:00:00Z.")
        user_id = None
        if user is not None:
            with self.database.reading(self.subject.user_id) as session:
                user_id = find_user(session, user).id
        return Filters(user=user_id, kind=kind, since=since, until=until)

    def read(self, filters: Filters, page: Page, *, newest_first: bool) -> list[EventView]:
        """One page of records in their order; its place is the number of the last one."""
        with self.database.reading(self.subject.user_id) as session:
            after = None if page.after is None else int(page.after)
            more = list_events(session, filters, after_seq=after, limit=page.limit + 1, newest_first=newest_first)
            entries = page.first(more, lambda entry: str(entry.seq))
            opener = Opener(session, self.sealer)
            views = [event_view(entry, opener) for entry in entries]
        self._record(AuditRead(actor=actor(self.subject), filters=filters.as_text(), rows=len(views)))
        return views

    def head(self) -> tuple[Head, dt.datetime | None]:
        """The newest head and when it was published."""
        with self.database.reading(self.subject.user_id) as session:
            return latest_head(session)

    def export(self, filters: Filters, format: Format, *, opened: bool) -> Iterator[str]:
        """The records as text, in pieces; recorded when it is called. `opened`: with personal words in the clear."""
        event = AuditExported(actor=actor(self.subject), format=format, filters=filters.as_text(), opened=opened)
        self._record(event)
        write = export_jsonl if format == "jsonl" else export_csv

        def opener(session: Session) -> Opener:
            return Opener(session, self.sealer)

        return write(
            lambda: self.database.reading(self.subject.user_id), opener=opener if opened else None, filters=filters
        )

    def _record(self, event: Event) -> None:
        with self.database.writing(self.subject.user_id) as session:
            record(session, event, self.sealer)


def event_view(entry: Entry, opener: Opener) -> EventView:
    """An entry as it is shown; raw where it is no record of ours."""
    found = read_record(entry.body)
    raw = None if found is not None else entry.body[:RAW_CHARACTERS]
    return EventView(entry.seq, entry.at, found, raw, opener(entry.body))
