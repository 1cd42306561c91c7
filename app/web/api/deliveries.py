"""The log's delivery to elsewhere: how far each target is, and the records that it refused."""

import datetime as dt
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.admin.deliveries import list_dead_letters, list_deliveries, retry_dead_letters
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import AuditLogOf
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit/deliveries", tags=["audit"])


class DeliveryOut(ApiModel):
    """A target of the log's delivery."""

    target: str
    kind: Literal["folder", "s3", "syslog", "http"]
    form: Literal["jsonl", "ocsf", "cef"]
    configured: bool = Field(description="whether the settings name it; one that they do not gets nothing")
    delivered: int = Field(description="records that it has acknowledged or refused, which are the first of the log")
    waiting: int = Field(description="records behind them")
    lag_seconds: float = Field(description="the age of the oldest that waits; 0 where none does")
    delivered_at: dt.datetime | None = Field(description="when it last acknowledged records")
    error: str | None = Field(description="what went wrong last; null where nothing did since")
    failed_at: dt.datetime | None
    failures: int = Field(description="attempts in a row that came to nothing")
    dead_letters: int = Field(description="records that it refused")
    retrying: int = Field(description="those of them that are to be sent again")


class DeadLetterOut(ApiModel):
    """A record that a target refused, by its number."""

    seq: int
    reason: str
    at: dt.datetime
    retry: bool = Field(description="whether it is to be sent again")


@router.get("")
def deliveries(log: AuditLogOf, page: PageOf) -> list[DeliveryOut]:
    """The targets that the log is delivered to, and how far each is (audit)."""
    return [DeliveryOut.model_validate(each) for each in list_deliveries(log, page)]


@router.get("/{target}/dead-letters")
def dead_letters(target: str, log: AuditLogOf, page: PageOf) -> list[DeadLetterOut]:
    """The records that a target refused for what they are, by their numbers (audit)."""
    return [DeadLetterOut.model_validate(each) for each in list_dead_letters(log, target, page)]


@router.post("/{target}/retry", status_code=204)
def retry(target: str, log: AuditLogOf) -> None:
    """Have the records that a target refused sent to it again (audit). Recorded."""
    retry_dead_letters(log, target)
