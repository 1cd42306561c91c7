"""Erasing people and documents, which takes two, and legal holds, which keep what they are of."""

import datetime as dt
import uuid
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.admin.erasures import decide_erasure, get_erasure, list_erasures, request_erasure
from app.admin.legal_holds import lift_hold, list_holds, place_hold
from app.admin.reasons import MAX_REASON, MIN_REASON
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Changing, Desk, Eraser, ErasureReader, HoldPlacer, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(tags=["audit"])


class ErasureBody(ApiModel):
    """What is to be erased, and why: a person, or what kept answers hold of a document."""

    user: str | None = Field(
        default=None, min_length=1, max_length=300, description="the name of a person who is switched off"
    )
    document: uuid.UUID | None = Field(default=None, description="the id of a document that is gone")
    reason: str = Field(
        min_length=MIN_REASON, max_length=MAX_REASON, description="kept, sealed, in the log: better without their name"
    )


class ErasureDecisionBody(ApiModel):
    """Whether you approve, which erases it, and cannot be undone."""

    approved: bool


class ErasureOut(ApiModel):
    """An erasure that was asked for. Of a person who was erased their id is left."""

    id: uuid.UUID
    person: uuid.UUID | None
    name: str | None = Field(description="what the person is called; null once they are erased")
    document: uuid.UUID | None
    requested_by: str
    requested_at: dt.datetime
    reason: str | None = Field(description="null once they are erased")
    state: Literal["waiting", "erased", "refused"] = Field(description="waiting: for somebody else who may erase")
    decided_by: str | None
    decided_at: dt.datetime | None
    counts: dict[str, int] = Field(description="how many rows of what went")
    held: bool = Field(description="whether a legal hold keeps it from being approved")
    own: bool


class HoldBody(ApiModel):
    """What must not go, and why: a person, or a document."""

    user: str | None = Field(default=None, min_length=1, max_length=300, description="the name of a person")
    document: uuid.UUID | None = Field(default=None, description="the id of a document")
    reason: str = Field(min_length=MIN_REASON, max_length=MAX_REASON, description="kept, sealed, in the log")


class HoldOut(ApiModel):
    """A legal hold, in force until it was lifted."""

    id: uuid.UUID
    person: uuid.UUID | None
    name: str | None
    document: uuid.UUID | None
    reason: str
    placed_by: str
    placed_at: dt.datetime
    lifted_by: str | None
    lifted_at: dt.datetime | None


@router.post("/erasures", status_code=201)
def request(body: ErasureBody, subject: Eraser, session: Writing) -> ErasureOut:
    """Ask to erase a person who is switched off, words, names and addresses, or what is kept of a document (erase)."""
    asked = request_erasure(session, subject, user=body.user, document=body.document, reason=body.reason)
    return ErasureOut.model_validate(asked)


@router.get("/erasures")
def erasures(subject: ErasureReader, session: Reading, page: PageOf) -> list[ErasureOut]:
    """What was asked for, newest first, and what went (erase or audit)."""
    return [ErasureOut.model_validate(each) for each in list_erasures(session, subject, page)]


@router.get("/erasures/{erasure}")
def one_erasure(erasure: str, subject: ErasureReader, session: Reading) -> ErasureOut:
    """One of them (erase or audit)."""
    return ErasureOut.model_validate(get_erasure(session, subject, public_id(erasure)))


@router.post("/erasures/{erasure}/decision", status_code=204)
def decide(erasure: str, body: ErasureDecisionBody, subject: Eraser, session: Changing) -> None:
    """Approve of what somebody else asked for, by which it is erased, or refuse it (erase)."""
    decide_erasure(session, subject, public_id(erasure), approved=body.approved)


@router.post("/holds", status_code=201)
def place(body: HoldBody, subject: HoldPlacer, session: Writing) -> HoldOut:
    """Put a legal hold on a person or a document: nothing of it goes until the hold is lifted (hold)."""
    hold = place_hold(session, subject, user=body.user, document=body.document, reason=body.reason)
    return HoldOut.model_validate(hold)


@router.get("/holds")
def holds(subject: Desk, session: Reading, page: PageOf) -> list[HoldOut]:
    """All legal holds, those that were lifted among them, newest first (hold, erase or audit)."""
    return [HoldOut.model_validate(each) for each in list_holds(session, subject, page)]


@router.post("/holds/{hold}/lift", status_code=204)
def lift(hold: str, subject: HoldPlacer, session: Writing) -> None:
    """Lift a legal hold (hold)."""
    lift_hold(session, subject, public_id(hold))
