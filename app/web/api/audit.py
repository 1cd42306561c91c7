"""The audit log: read and exported by auditors, who do not thereby read documents. Reading it is recorded too."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app.answer.components import Parts
from app.audit.actor import actor
from app.audit.encryption import Opener
from app.audit.events import AuditExported, AuditRead
from app.audit.events.base import Event
from app.audit.export import export_csv, export_jsonl
from app.audit.listing import Entry, Filters, latest_head, list_events
from app.audit.log import record
from app.db.paging import Page
from app.errors import InvalidInput
from app.evidence.merkle import encode
from app.evidence.records import read_record
from app.identity.names import find_user
from app.identity.subject import Subject
from app.web.api.schemas import EventOut, EventsOut, HeadOut
from app.web.http.dependencies import Auditor, PartsOf
from app.web.http.paging import DEFAULT_LIMIT, link_next

# Of a text in the log that is no record; an export has all of it.
RAW_CHARACTERS = 4_096

router = APIRouter(prefix="/audit", tags=["audit"])

User = Annotated[str | None, Query(description="records of what this person did")]
Kind = Annotated[str | None, Query(description="records of this kind, such as answer.opened")]
Since = Annotated[dt.datetime | None, Query(description="from then on")]
Until = Annotated[dt.datetime | None, Query(description="before then")]


def numbered_page(
    request: Request,
    response: Response,
    after: Annotated[int | None, Query(description="the last number of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="most records of one page")] = DEFAULT_LIMIT,
) -> Page:
    """The page that is asked for, by the numbers that the log itself gives."""
    place = None if after is None else str(after)
    return Page(limit=limit, after=place, on_next=lambda seq: link_next(request, response, seq))


@router.get("/events")
def events(  # noqa: PLR0913  # each is one query parameter of the route
    subject: Auditor,
    parts: PartsOf,
    page: Annotated[Page, Depends(numbered_page)],
    *,
    user: User = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    newest_first: bool = False,
) -> EventsOut:
    """Records in their order, with personal words opened (audit)."""
    filters = _filters(parts, subject, user, kind, (since, until))
    with parts.database.reading(subject.user_id) as session:
        after = None if page.after is None else int(page.after)
        more = list_events(session, filters, after_seq=after, limit=page.limit + 1, newest_first=newest_first)
        found = page.first(more, lambda entry: str(entry.seq))
        opener = Opener(session, parts.sealer)
        rows = [event_out(entry, opener) for entry in found]
    _log(parts, subject, AuditRead(actor=actor(subject), filters=filters.as_text(), rows=len(rows)))
    return EventsOut(events=rows)


@router.get("/head")
def head(subject: Auditor, parts: PartsOf) -> HeadOut:
    """The newest head: keep it somewhere else, and no later rewrite of the log goes unseen (audit)."""
    with parts.database.reading(subject.user_id) as session:
        newest, at = latest_head(session)
    return HeadOut(size=newest.size, root=encode(newest.root), at=at)


@router.get("/export")
def export(  # noqa: PLR0913  # each is one query parameter of the route
    subject: Auditor,
    parts: PartsOf,
    *,
    format: Annotated[Literal["jsonl", "csv"], Query()] = "jsonl",  # the name on the wire
    user: User = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    opened: Annotated[bool, Query(description="personal words in the clear")] = True,
) -> StreamingResponse:
    """The log as a file: JSONL for `clearance audit verify`, or CSV for a spreadsheet (audit)."""
    filters = _filters(parts, subject, user, kind, (since, until))
    _log(parts, subject, AuditExported(actor=actor(subject), format=format, filters=filters.as_text(), opened=opened))
    media = "application/x-ndjson" if format == "jsonl" else "text/csv; charset=utf-8"
    name = f"clearance-audit.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(parts, subject, filters, format, opened=opened), media_type=media, headers=headers)


def event_out(entry: Entry, opener: Opener) -> EventOut:
    """An entry as it goes out; raw where it is no record of ours."""
    record = read_record(entry.body)
    raw = None if record is not None else entry.body[:RAW_CHARACTERS]
    return EventOut(seq=entry.seq, at=entry.at, record=record, raw=raw, opened=opener(entry.body))


def _lines(
    parts: Parts, subject: Subject, filters: Filters, kind: Literal["jsonl", "csv"], *, opened: bool
) -> Iterator[str]:
    write = export_jsonl if kind == "jsonl" else export_csv

    def opener(session: Session) -> Opener:
        return Opener(session, parts.sealer)

    yield from write(
        lambda: parts.database.reading(subject.user_id), opener=opener if opened else None, filters=filters
    )


def _filters(parts: Parts, subject: Subject, user: str | None, kind: str | None, times: tuple[Any, Any]) -> Filters:
    if any(t is not None and t.tzinfo is None for t in times):
        raise InvalidInput("Give since and until with their zone, as in 2027-01-01T00:00:00Z.")
    user_id = None
    if user is not None:
        with parts.database.reading(subject.user_id) as session:
            user_id = find_user(session, user).id
    return Filters(user=user_id, kind=kind, since=times[0], until=times[1])


def _log(parts: Parts, subject: Subject, event: Event) -> None:
    with parts.database.writing(subject.user_id) as session:
        record(session, event, parts.sealer)
