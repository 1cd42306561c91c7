"""How long records of the log are kept: rules, which take two people."""

import datetime as dt
import uuid
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.admin.reasons import MAX_REASON, MIN_REASON
from app.admin.retention import MAX_DAYS, MIN_DAYS, decide_rule, list_rules, request_rule
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Changing, Eraser, ErasureReader, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(tags=["audit"])


class RetentionBody(ApiModel):
    """Which records are kept for how long, and why."""

    kind: str = Field(max_length=100, description="the word before the dot of their kind: answer, search, session …")
    label: str | None = Field(default=None, max_length=100, description="of answers: of this label alone")
    days: int | None = Field(ge=MIN_DAYS, le=MAX_DAYS, description="null: for ever")
    reason: str = Field(min_length=MIN_REASON, max_length=MAX_REASON, description="kept, sealed, in the log")


class RetentionDecisionBody(ApiModel):
    """Whether you approve: what is older is then removed, which cannot be undone."""

    approved: bool


class RetentionOut(ApiModel):
    """A rule of how long records are kept. Of each kind and label the one that was approved last is in force."""

    id: uuid.UUID
    kind: str
    label: str | None
    days: int | None = Field(description="null: for ever")
    reason: str
    state: Literal["waiting", "in_force", "replaced", "refused"] = Field(
        description="waiting: for somebody else who may erase"
    )
    requested_by: str
    requested_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    pruned: int = Field(description="how many records it removed")
    pruned_before: dt.datetime | None = Field(description="records of before this moment were removed")
    own: bool


@router.post("/retention", status_code=201)
def request(body: RetentionBody, subject: Eraser, session: Writing) -> RetentionOut:
    """Ask to keep records of a kind, or answers of a label, for so many days (erase)."""
    asked = request_rule(session, subject, kind=body.kind, label=body.label, days=body.days, reason=body.reason)
    return RetentionOut.model_validate(asked)


@router.get("/retention")
def rules(subject: ErasureReader, session: Reading, page: PageOf) -> list[RetentionOut]:
    """All rules that were asked for, newest first, and what they removed (erase or audit)."""
    return [RetentionOut.model_validate(each) for each in list_rules(session, subject, page)]


@router.post("/retention/{rule}/decision", status_code=204)
def decide(rule: str, body: RetentionDecisionBody, subject: Eraser, session: Changing) -> None:
    """Approve of a rule that somebody else asked for, by which older records are removed, or refuse it (erase)."""
    decide_rule(session, subject, public_id(rule), approved=body.approved)
