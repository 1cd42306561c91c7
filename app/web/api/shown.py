"""Who was shown which document, out of the log (audit)."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin.shown import show_sightings
from app.web.api.audit import PrunedBefore, Since, Until
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import AuditLogOf
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit", tags=["audit"])


class TimesOut(ApiModel):
    """How often somebody was shown a document, by way."""

    answers: int = Field(description="answers that passages of it went into, finished or not")
    searches: int
    opened: int
    downloaded: int
    read_back: int = Field(description="conversations read back with an answer that it had gone into")


class ShownOut(ApiModel):
    """A person and a document that they were shown."""

    person: uuid.UUID
    user: str | None = Field(description="the person's name of today; null: they are gone")
    names: list[str] = Field(description="under which records have the person")
    document: uuid.UUID
    first: dt.datetime
    last: dt.datetime
    times: TimesOut
    q: str = Field(description="a query of the log for the records themselves")


class ShownListOut(ApiModel):
    """One page of who was shown what."""

    found: list[ShownOut] = Field(description="one page, last shown first: follow Link")
    pruned_before: PrunedBefore
    recorded: uuid.UUID = Field(description="id of the record of this look")


@router.get("/shown")
def shown(  # each is one query parameter of the route
    log: AuditLogOf,
    page: PageOf,
    *,
    document: Annotated[uuid.UUID | None, Query(description="id of a document, also of one that is gone")] = None,
    user: Annotated[str | None, Query(description="a name of today or in any record, or an id")] = None,
    since: Since = None,
    until: Until = None,
) -> ShownListOut:
    """Who was shown a document, or what a person was shown, last shown first; recorded (audit).

    Answers, searches, documents opened and downloaded, and conversations read back, of every version.
    """
    found = show_sightings(log, page, document=document, user=user, since=since, until=until)
    return ShownListOut.model_validate(found)
