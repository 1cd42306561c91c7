"""Directories that are fetched (administer): how fresh what they say is."""

import datetime as dt

from fastapi import APIRouter
from pydantic import Field

from app.admin.directories import list_directories
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Administrator, Reading
from app.web.http.paging import PageOf

router = APIRouter(prefix="/directories", tags=["people"])


class DirectoryOut(ApiModel):
    """A source that a directory keeps, what it said last, and what went wrong since."""

    source: str
    kind: str = Field(examples=["ldap"])
    synced_at: dt.datetime | None = Field(description="when it was last read without an error")
    fresh_until: dt.datetime | None = Field(description="until when the roles count that it gave, if it stays silent")
    stale: bool = Field(description="its roles count no more")
    people: int
    groups: int
    last_error: str | None = Field(description="what went wrong since it was last read", examples=["no answer"])
    error_at: dt.datetime | None


@router.get("")
def directories(subject: Administrator, session: Reading, page: PageOf) -> list[DirectoryOut]:
    """The directories that are fetched, and how fresh what they say is (administer)."""
    return [DirectoryOut.model_validate(view) for view in list_directories(session, subject, page)]
