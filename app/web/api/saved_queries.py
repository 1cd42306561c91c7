"""Queries of the log that an auditor keeps under a name (audit)."""

import uuid

from fastapi import APIRouter
from pydantic import Field

from app.admin.saved_queries import list_saved_queries, remove_saved_query, save_query
from app.audit.query import MAX_CHARACTERS
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Auditor, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit/queries", tags=["audit"])


class SavedQueryBody(ApiModel):
    """A query, and the name under which it is kept."""

    name: str = Field(min_length=1, max_length=100)
    q: str = Field(max_length=MAX_CHARACTERS)


class SavedQueryOut(ApiModel):
    """A query under its name, in its canonical form."""

    id: uuid.UUID
    name: str
    q: str


@router.get("")
def saved_queries(subject: Auditor, session: Reading, page: PageOf) -> list[SavedQueryOut]:
    """The queries that you keep, by name (audit)."""
    return [SavedQueryOut.model_validate(query) for query in list_saved_queries(session, subject, page)]


@router.post("", status_code=201)
def save(body: SavedQueryBody, subject: Auditor, session: Writing) -> SavedQueryOut:
    """Keep a query under a name, in the place of one that has it (audit)."""
    return SavedQueryOut.model_validate(save_query(session, subject, body.name, body.q))


@router.delete("/{saved}", status_code=204)
def remove(saved: str, subject: Auditor, session: Writing) -> None:
    """Remove one of yours (audit)."""
    remove_saved_query(session, subject, public_id(saved))
