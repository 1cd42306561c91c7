"""Who could have read a document, and why, out of the log and the history of access (audit)."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin.exposure import report_exposure
from app.admin.past_access import past_access
from app.web.api.audit import PrunedBefore, Until
from app.web.api.schemas import ApiModel
from app.web.api.shown import TimesOut
from app.web.http.dependencies import AuditLogOf
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit", tags=["audit"])
Document = Annotated[uuid.UUID, Query(description="id of a document, also of one that is gone")]


class GrantMakerOut(ApiModel):
    """The record by which a grant came to count."""

    seq: int = Field(description="the record's number in the log")
    at: dt.datetime
    person: uuid.UUID | None = Field(description="who did it; null: nobody known")
    user: str | None = Field(description="their name of today; null: they are gone")
    names: list[str] = Field(description="under which records have them")
    action: str
    target: str


class ExposureGrantOut(ApiModel):
    """A grant by which somebody could read."""

    kind: Literal["everyone", "role", "user"]
    principal: uuid.UUID = Field(description="whom it names, by id; zeros: everyone")
    name: str | None = Field(description="the name of the role or user today; null: everyone, or somebody who is gone")
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    made: list[GrantMakerOut] = Field(description="the newest records that put it there; empty: the log has none")


class CouldReadOut(ApiModel):
    """When somebody could read, begin included and end excluded."""

    grant: int = Field(description="the place of the grant in `grants`, from 0")
    first: dt.datetime
    last: dt.datetime


class ExposureTimesOut(ApiModel):
    """When and how often somebody was shown the document."""

    first: dt.datetime
    last: dt.datetime
    times: TimesOut


class ExposedPersonOut(ApiModel):
    """Somebody who could read the document, or was shown it."""

    person: uuid.UUID
    user: str | None = Field(description="the person's name of today; null: they are gone")
    names: list[str] = Field(description="under which records have the person")
    could: list[CouldReadOut]
    shown: ExposureTimesOut | None = Field(description="null: they never were shown it")


class DocumentStayOut(ApiModel):
    """On which collection the document stood."""

    collection: uuid.UUID
    first: dt.datetime
    last: dt.datetime | None = Field(description="null: it is there still")


class ExposureCountsOut(ApiModel):
    """How many people; of all, not of this page alone."""

    shown: int
    could: int
    never_shown: int = Field(description="could read it and never were shown it")
    shown_without_grant: int = Field(description="were shown it, and the history knows no grant by which")


class ExposureOut(ApiModel):
    """Who had a document between two moments, and who could have had it."""

    document: uuid.UUID
    since: dt.datetime
    until: dt.datetime
    known_from: dt.datetime = Field(description="from when on it is known who could read")
    pruned_before: PrunedBefore
    complete: bool = Field(description="nothing was asked of before either")
    gone: bool = Field(description="the document is not there any more")
    stays: list[DocumentStayOut]
    counts: ExposureCountsOut
    grants: list[ExposureGrantOut]
    people: list[ExposedPersonOut] = Field(description="one page, who was shown it first: follow Link")
    recorded: uuid.UUID = Field(description="id of the record of this look")


class PastAccessOut(ApiModel):
    """Whether somebody could read a document at a moment of the past."""

    document: uuid.UUID
    person: uuid.UUID
    user: str | None = Field(description="the person's name of today; null: they are gone")
    names: list[str] = Field(description="under which records have the person")
    at: dt.datetime
    known_from: dt.datetime = Field(description="from when on this is known")
    allowed: bool | None = Field(description="null: history does not reach back so far")
    reason: str
    explanation: str
    grants: list[ExposureGrantOut] = Field(description="all by which they could, each enough by itself")
    recorded: uuid.UUID = Field(description="id of the record of this look")


@router.get("/exposure")
def exposure(
    log: AuditLogOf,
    page: PageOf,
    *,
    document: Document,
    since: Annotated[dt.datetime, Query(description="from then on")],
    until: Until = None,
) -> ExposureOut:
    """Who was shown a document in a time, who could have read it, by which grant, and who made that; recorded (audit).

    Without `until`, until now. Counts are of all people, of whom each page has some.
    """
    return ExposureOut.model_validate(report_exposure(log, page, document=document, since=since, until=until))


@router.get("/access")
def access(
    log: AuditLogOf,
    *,
    document: Document,
    user: Annotated[str, Query(description="a name of today or in any record, or an id")],
    at: Annotated[dt.datetime, Query(description="a moment of the past")],
) -> PastAccessOut:
    """Whether somebody could read a document at a moment, by which grants, and who made those; recorded (audit)."""
    return PastAccessOut.model_validate(past_access(log, document=document, user=user, at=at))
