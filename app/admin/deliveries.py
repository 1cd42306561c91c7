"""How the log's delivery to elsewhere does: how far each target is, and what it refused, which can be sent again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.admin.audit_log import AuditLog
from app.audit.actor import actor
from app.audit.events.deliveries import DeliveryRetried
from app.audit.log import record
from app.db.paging import Page
from app.db.session import Database
from app.db.tables.deliveries import DeadLetter, Delivery, DeliveryForm, TargetKind
from app.errors import NotFound

STATES = text("select * from clearance.delivery_states()")
RETRY = text("select clearance.retry_dead_letters(:target)")
LAGS = text("select * from clearance.delivery_lags()")


@dataclass(frozen=True)
class DeliveryView:
    """A target. `delivered`: records that it has, or refused; `waiting`: those behind; `lag_seconds`: the age of the
    oldest of these, 0 where none waits. `error`: what went wrong last, null where nothing did since; `dead_letters`:
    records that it refused, of which `retrying` are to be sent again. `configured`: whether the settings name it.
    """

    target: str
    kind: TargetKind
    form: DeliveryForm
    configured: bool
    delivered: int
    waiting: int
    lag_seconds: float
    delivered_at: dt.datetime | None
    error: str | None
    failed_at: dt.datetime | None
    failures: int
    dead_letters: int
    retrying: int


@dataclass(frozen=True)
class DeadLetterView:
    """A record that a target refused: its number, why, when, and whether it is to be sent again."""

    seq: int
    reason: str
    at: dt.datetime
    retry: bool


@dataclass(frozen=True)
class DeliveryLagSeconds:
    """How late a target is, and how many records it refused."""

    target: str
    seconds: float
    dead_letters: int


def list_deliveries(log: AuditLog, page: Page) -> list[DeliveryView]:
    """One page of the targets by their names, also of those that the settings name no longer (audit)."""
    with log.reading() as session:
        views = [
            DeliveryView(
                target=row.target,
                kind=row.kind,
                form=row.form,
                configured=row.configured,
                delivered=row.delivered,
                waiting=row.waiting,
                lag_seconds=(row.at - row.waiting_since).total_seconds() if row.waiting_since else 0.0,
                delivered_at=row.delivered_at,
                error=row.error,
                failed_at=row.failed_at,
                failures=row.failures,
                dead_letters=row.dead_letters,
                retrying=row.retrying,
            )
            for row in session.execute(STATES)
        ]
    return page.items(views, lambda view: view.target)


def list_dead_letters(log: AuditLog, target: str, page: Page) -> list[DeadLetterView]:
    """One page of the records that a target refused, by their numbers (audit). Raises NotFound."""
    with log.reading() as session:
        _require_target(session, target)
        query = select(DeadLetter.seq, DeadLetter.reason, DeadLetter.at, DeadLetter.retry)
        rows = page.rows(session, query.where(DeadLetter.target == target), [DeadLetter.seq])
        return [DeadLetterView(*row) for row in rows]


def retry_dead_letters(log: AuditLog, target: str) -> int:
    """Have the records that a target refused sent to it again (audit); recorded. Gives how many. Raises NotFound."""
    with log.writing() as session:
        _require_target(session, target)
        count = int(session.scalar(RETRY, {"target": target}) or 0)
        if count:
            record(session, DeliveryRetried(actor=actor(log.subject), target=target, records=count))
        return count


def delivery_lags(database: Database) -> Sequence[DeliveryLagSeconds]:
    """For metrics, of which nobody knows who reads them: no number of records of the log."""
    with database.anonymous() as session:
        return [DeliveryLagSeconds(row.target, row.seconds, row.dead_letters) for row in session.execute(LAGS)]


def _require_target(session: Session, target: str) -> None:
    if session.get(Delivery, target) is None:
        raise NotFound
