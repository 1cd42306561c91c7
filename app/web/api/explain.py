"""Why may a person read a document, who else may, and what may a person or role read."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from app.admin.explain import explain_access as explain
from app.admin.explain import list_reach, list_readers
from app.web.api.schemas import ApiModel, ExplainOut
from app.web.http.dependencies import Caller, Reading
from app.web.http.paging import PageOf

router = APIRouter(prefix="/access", tags=["access"])

DocumentQuery = Annotated[uuid.UUID, Query(description="id of a document")]


class ReachOut(ApiModel):
    """How many documents of a collection somebody may read."""

    collection: str
    documents: int


@router.get("/explain")
def explain_access(
    subject: Caller,
    session: Reading,
    document: DocumentQuery,
    user: Annotated[str | None, Query(description="unset: yourself")] = None,
    at: Annotated[dt.datetime | None, Query(description="a moment of the past, with its zone; unset: now")] = None,
) -> ExplainOut:
    """The grant that decides. A document that you may neither read nor curate is not there."""
    found = explain(session, subject, document, user=user, at=at)
    return ExplainOut(allowed=found.allowed, reason=found.reason, explanation=found.text, at=found.at)


@router.get("/readers")
def who_can_see(subject: Caller, session: Reading, document: DocumentQuery, page: PageOf) -> list[str]:
    """Everybody who may read a document now, by name: for the curators of its collection."""
    return list_readers(session, subject, document, page)


@router.get("/reach")
def what_can_see(
    subject: Caller,
    session: Reading,
    page: PageOf,
    user: Annotated[str | None, Query(description="what this person may read")] = None,
    role: Annotated[str | None, Query(description="or what membership in this role alone opens")] = None,
) -> list[ReachOut]:
    """How many documents a person or role may read, of the collections whose rules are yours to change."""
    found = list_reach(session, subject, page, user=user, role=role)
    return [ReachOut.model_validate(one) for one in found]
