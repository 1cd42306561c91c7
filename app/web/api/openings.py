"""Openings of sealed words: asked for with a reason, approved of, listed; and those of one's own words."""

import datetime as dt
import uuid
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.admin.openings import list_own_openings
from app.admin.reasons import MAX_REASON, MIN_REASON
from app.audit.query import MAX_CHARACTERS
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Caller, ComponentsOf, OpeningsOf, Reading, WordOpeningsOf, public_id
from app.web.http.paging import PageOf

router = APIRouter(tags=["audit"])


class OpeningBody(ApiModel):
    """What is to be opened, and why: a record with its trail, or what a query finds, for an export."""

    reason: str = Field(min_length=MIN_REASON, max_length=MAX_REASON, description="kept, sealed, in the log")
    record: uuid.UUID | None = Field(default=None, description="its id; the rest of its trail is opened too")
    q: str | None = Field(
        default=None, max_length=MAX_CHARACTERS, description="a query, as of the list; empty: everything"
    )


class OpeningDecisionBody(ApiModel):
    """Whether you approve."""

    approved: bool


class OpeningOut(ApiModel):
    """An opening. It covers what was recorded before it was asked for."""

    id: uuid.UUID
    requested_by: str
    requested_at: dt.datetime
    reason: str
    record: uuid.UUID | None
    seq: int | None = Field(description="the record's number")
    trail: uuid.UUID | None
    q: str | None
    needs_second: bool
    state: Literal["waiting", "approved", "refused", "ended"] = Field(
        description="waiting: for somebody else who may open words"
    )
    decided_by: str | None
    decided_at: dt.datetime | None
    usable_until: dt.datetime | None
    own: bool


class OpenedOfMineOut(ApiModel):
    """An opening of your words: by whom, when, why, and who approved of it."""

    requested_by: str
    requested_at: dt.datetime
    reason: str
    record: uuid.UUID | None
    trail: uuid.UUID | None
    decided_by: str | None
    decided_at: dt.datetime | None


@router.post("/audit/openings", status_code=201)
def request(body: OpeningBody, openings: WordOpeningsOf) -> OpeningOut:
    """Ask for the sealed words of a record and its trail, or of a query, with a reason (audit and open)."""
    query = None if body.q is None else openings.log.query(body.q)
    return OpeningOut.model_validate(openings.request(body.reason, of=body.record, query=query))


@router.get("/audit/openings")
def openings(openings: OpeningsOf, page: PageOf) -> list[OpeningOut]:
    """All that was asked for, newest first (audit)."""
    return [OpeningOut.model_validate(each) for each in openings.list_page(page)]


@router.get("/audit/openings/{opening}")
def one_opening(opening: str, openings: OpeningsOf) -> OpeningOut:
    """One of them (audit)."""
    return OpeningOut.model_validate(openings.get(public_id(opening)))


@router.post("/audit/openings/{opening}/decision", status_code=204)
def decide(opening: str, body: OpeningDecisionBody, openings: WordOpeningsOf) -> None:
    """Approve of what somebody else asked for, or refuse it (audit and open)."""
    openings.decide(public_id(opening), approved=body.approved)


@router.get("/users/me/openings")
def own_openings(subject: Caller, session: Reading, parts: ComponentsOf, page: PageOf) -> list[OpenedOfMineOut]:
    """When, by whom and why words of yours in the log were opened, newest first; empty where the policy is not to tell.

    Exports, which hold the words of many, are not among them.
    """
    told = parts.settings.audit.tell_askers
    return [OpenedOfMineOut.model_validate(each) for each in list_own_openings(session, subject, page, told=told)]
