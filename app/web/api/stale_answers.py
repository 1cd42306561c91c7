"""Answers that rest on a document which is gone or another now, out of the log (audit)."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app.admin.stale_answers import show_stale_answers
from app.db.paging import Page
from app.web.api.audit import PrunedBefore, Since, Until, numbered_page
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import AuditLogOf

router = APIRouter(prefix="/audit", tags=["audit"])


class StaleDocumentOut(ApiModel):
    """A document that is not what it was when the answer was made."""

    document: uuid.UUID
    shown: list[uuid.UUID] = Field(description="versions that went into the answer")
    state: Literal["gone", "changed"]
    now: uuid.UUID | None = Field(description="the version that stands now; null: none")


class StaleAnswerOut(ApiModel):
    """An answer with those of its documents that are gone or changed."""

    seq: int = Field(description="the number of the record of its opening")
    at: dt.datetime
    trail: uuid.UUID
    person: uuid.UUID | None
    user: str | None = Field(description="the asker's name of today; null: they are gone")
    names: list[str] = Field(description="under which records have the asker")
    documents: list[StaleDocumentOut]


class StaleListOut(ApiModel):
    """One page of stale answers."""

    found: list[StaleAnswerOut] = Field(description="one page, newest first: follow Link")
    pruned_before: PrunedBefore
    recorded: uuid.UUID = Field(description="id of the record of this look")


@router.get("/stale-answers")
def stale_answers(
    log: AuditLogOf,
    page: Annotated[Page, Depends(numbered_page)],
    *,
    document: Annotated[uuid.UUID | None, Query(description="id of a document, also of one that is gone")] = None,
    since: Since = None,
    until: Until = None,
) -> StaleListOut:
    """Answers made from a document that is gone or has another version now, newest first; recorded (audit).

    Of one document, or of all since a moment. Follow `Link`: a page may be short, or empty, and not the last.
    """
    found = show_stale_answers(log, page, document=document, since=since, until=until)
    answers = [
        StaleAnswerOut(
            seq=each.answer.seq,
            at=each.answer.at,
            trail=each.answer.trail,
            person=each.answer.person,
            user=each.user,
            names=each.names,
            documents=[StaleDocumentOut.model_validate(one) for one in each.answer.documents],
        )
        for each in found.found
    ]
    return StaleListOut(found=answers, pruned_before=found.pruned_before, recorded=found.recorded)
