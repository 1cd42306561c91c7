"""The audit log: read and exported by auditors, who do not thereby read documents. Reading it is recorded too."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.admin.event_views import EventView
from app.audit.query import MAX_CHARACTERS
from app.db.paging import Page
from app.evidence.merkle import encode
from app.web.api.schemas import CheckOut, EventOut, EventPageOut, EventsOut, HeadOut, ProofOut
from app.web.http.dependencies import AuditLogOf, ExportOpeningsOf, OpeningsOf, record_number
from app.web.http.paging import DEFAULT_LIMIT, PageOf, link_next

# The largest number that the log could give.
MAX_NUMBER = 2**63 - 1

router = APIRouter(prefix="/audit", tags=["audit"])

User = Annotated[str | None, Query(description="records of what this person did")]
Kind = Annotated[str | None, Query(description="records of this kind, such as answer.opened")]
Q = Annotated[
    str, Query(max_length=MAX_CHARACTERS, description="a query, as in who:freya kind:answer -outcome:nothing")
]
Since = Annotated[dt.datetime | None, Query(description="from then on")]
Until = Annotated[dt.datetime | None, Query(description="before then")]
PrunedBefore = Annotated[
    dt.datetime | None,
    Field(description="some records of before this moment, which lies in what was asked, were removed by a rule"),
]
OpeningId = Annotated[
    uuid.UUID | None, Query(description="an opening of yours, by which personal words are in the clear")
]


def numbered_page(
    request: Request,
    response: Response,
    after: Annotated[int | None, Query(le=MAX_NUMBER, description="the last number of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="most records of one page")] = DEFAULT_LIMIT,
) -> Page:
    """The page that is asked for, by the numbers that the log itself gives."""
    place = None if after is None else str(after)
    return Page(limit=limit, after=place, on_next=lambda seq: link_next(request, response, seq))


@router.get("/events")
def events(  # noqa: PLR0913  # each is one query parameter of the route
    openings: OpeningsOf,
    page: Annotated[Page, Depends(numbered_page)],
    *,
    q: Q = "",
    user: User = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    newest_first: bool = False,
    opening: OpeningId = None,
) -> EventsOut:
    """Records in their order (audit). Follow `Link` to the end: a page may be short, or empty, and not the last.

    Personal words stay sealed, but for those of the record and trail that an opening is of.
    """
    query = openings.log.query(q, user=user, kind=kind, since=since, until=until)
    approved = openings.approved(opening) if opening else None
    return EventsOut.model_validate(openings.log.read(query, page, newest_first=newest_first, approved=approved))


@router.get("/events/{seq}")
def event(
    seq: str,
    openings: OpeningsOf,
    *,
    opening: OpeningId = None,
    head: Annotated[str | None, Query(max_length=100, description="a head that you kept, size:root")] = None,
) -> EventPageOut:
    """One record, proved under the newest head or under yours, with those of its trail and beside it (audit)."""
    approved = openings.approved(opening) if opening else None
    found = openings.log.event(record_number(seq), approved=approved, kept=head)
    proof = found.verification.proof
    return EventPageOut(
        event=EventOut.model_validate(found.event),
        holds=found.verification.holds,
        checks=[CheckOut.model_validate(check) for check in found.verification.checks],
        proof=proof
        and ProofOut(
            seq=proof.seq, size=proof.head.size, root=encode(proof.head.root), path=[encode(h) for h in proof.path]
        ),
        trail=_shown(found.trail),
        before=_shown(found.before),
        behind=_shown(found.behind),
        recorded=found.recorded,
    )


@router.get("/heads")
def heads(log: AuditLogOf, page: PageOf) -> list[HeadOut]:
    """The published heads, the newest first (audit)."""
    found = log.heads(page)
    return [HeadOut(size=head.size, root=encode(head.root), at=at) for head, at in found]


@router.get("/head")
def head(log: AuditLogOf) -> HeadOut:
    """The newest head: keep it somewhere else, and no later rewrite of the log goes unseen (audit)."""
    newest, at = log.head()
    return HeadOut(size=newest.size, root=encode(newest.root), at=at)


@router.get("/export")
def export(  # noqa: PLR0913  # each is one query parameter of the route
    openings: ExportOpeningsOf,
    *,
    format: Annotated[Literal["jsonl", "csv"], Query()] = "jsonl",  # the name on the wire
    q: Q = "",
    user: User = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    opening: OpeningId = None,
) -> StreamingResponse:
    """The log as a file: JSONL for `clearance audit verify`, or CSV for a spreadsheet (audit).

    With personal words by an opening of the same query. Other formats, and a manifest for any, come from an export that
    is made in the background.
    """
    query = openings.log.query(q, user=user, kind=kind, since=since, until=until)
    approved = openings.approved(opening, query) if opening else None
    lines = openings.log.export(query, format, approved=approved)
    media = "application/x-ndjson" if format == "jsonl" else "text/csv; charset=utf-8"
    name = f"clearance-audit.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type=media, headers=headers)


def _shown(events: list[EventView]) -> list[EventOut]:
    return [EventOut.model_validate(event) for event in events]
