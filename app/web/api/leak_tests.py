"""Leak tests that are started from the service (administer)."""

import datetime as dt
import uuid
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from app.admin.leak_test_runs import get_leak_test, list_leak_tests
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Administrator, ComponentsOf, LeakTestsOf, Reading, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/leak-tests", tags=["health"])


class StartedOut(ApiModel):
    """What was started."""

    id: uuid.UUID


class LeakTestOut(ApiModel):
    """A run: how far it is, and its report when it has ended."""

    id: uuid.UUID
    started_by: str
    started_at: dt.datetime
    state: Literal["running", "ended", "failed"]
    step: str
    done: int
    total: int
    ended_at: dt.datetime | None
    failures: int | None = Field(description="how much is wrong; null: it has not ended, or could not be made")
    report: dict[str, Any] | None = Field(description="as `clearance leak-test` writes it")
    error: str | None


@router.post("", status_code=201)
def start(subject: Administrator, parts: ComponentsOf, runs: LeakTestsOf) -> StartedOut:
    """Start a leak test of this service in your name (administer): it plants, asks as everybody, removes.

    One at a time. It acts with a key of yours that ends with it.
    """
    return StartedOut(id=runs.start(parts.database, subject))


@router.get("")
def leak_tests(subject: Administrator, session: Reading, page: PageOf) -> list[LeakTestOut]:
    """All runs, newest first (administer)."""
    return [LeakTestOut.model_validate(run) for run in list_leak_tests(session, subject, page)]


@router.get("/{run}")
def one_leak_test(run: str, subject: Administrator, session: Reading) -> LeakTestOut:
    """One run (administer): ask again while it runs."""
    return LeakTestOut.model_validate(get_leak_test(session, subject, public_id(run)))
