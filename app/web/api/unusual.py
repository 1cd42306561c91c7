"""Days on which people were shown far more documents than is usual for their roles and for themselves (audit)."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin.unusual import show_unusual
from app.web.api.audit import PrunedBefore, Since, Until
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import AuditLogOf
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit", tags=["audit"])


class BaselineOut(ApiModel):
    """How many documents were usual on a day in the days before."""

    people: int
    days: int = Field(description="days of these people on which they were shown anything")
    median: float
    spread: float = Field(description="median absolute deviation from the median")
    highest: int
    limit: float = Field(description="above this a day is unusual")


class RoleBaselineOut(ApiModel):
    """What was usual among the other people of a role."""

    role: uuid.UUID
    name: str | None = Field(description="the role's name of today; null: it is gone")
    usual: BaselineOut


class UnusualDayOut(ApiModel):
    """A day with far more documents than all that it is compared with."""

    day: dt.date
    person: uuid.UUID
    user: str | None = Field(description="the person's name of today; null: they are gone")
    names: list[str] = Field(description="under which records have the person")
    active: bool = Field(description="false: switched off, or gone")
    way: Literal["shown", "downloaded"] = Field(description="which documents were counted")
    number: int = Field(description="different documents; at most 10000 are counted")
    own: BaselineOut | None = Field(description="the person's own days before; null: too few")
    roles: list[RoleBaselineOut] = Field(
        description="by the roles that they held on that day; those of few are left out"
    )
    via: list[str] = Field(description="services that asked for them on that day")
    explanation: str
    q: str = Field(description="a query of the log for the records of that day")


class UnusualOut(ApiModel):
    """What was found in a time, and in how many days."""

    since: dt.date
    until: dt.date = Field(description="the day behind the last")
    days_before: int = Field(description="with so many days before it each day was compared")
    days: int = Field(description="days of people on which they were shown anything")
    without_baseline: int = Field(description="days with many documents and nothing to be compared with")
    found: list[UnusualDayOut] = Field(description="one page, newest first: follow Link")
    pruned_before: PrunedBefore
    recorded: uuid.UUID = Field(description="id of the record of this look")


@router.get("/unusual")
def unusual(
    log: AuditLogOf,
    page: PageOf,
    *,
    user: Annotated[str | None, Query(description="a name of today or in any record, or an id")] = None,
    since: Since = None,
    until: Until = None,
) -> UnusualOut:
    """Days on which people were shown far more documents than is usual in their roles and for them; recorded (audit).

    Of the last seven days, or of at most 31; whole days, in UTC. It compares numbers and says nothing of their reasons.
    """
    return UnusualOut.model_validate(show_unusual(log, page, user=user, since=since, until=until))
