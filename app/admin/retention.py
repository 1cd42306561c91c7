"""How long records are kept: a rule is asked for by one who may erase, and in force when another approves.

The sequencer removes what is older (`app.audit.pruning`). Of each record its number and hash stay, so that the log is
verified as before.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.admin.reasons import checked_reason
from app.audit.actor import actor
from app.audit.events.base import SealedText
from app.audit.events.retention import RetentionDecided, RetentionRequested
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.retention import MAX_DAYS, MIN_DAYS, PRUNABLE_KINDS, RetentionRule
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.identity.names import names_of
from app.identity.subject import Capability, Label, Subject, require_capability

__all__ = ("MAX_DAYS", "MIN_DAYS", "PRUNABLE_KINDS", "RetentionView", "decide_rule", "list_rules", "request_rule")

RuleState = Literal["waiting", "in_force", "replaced", "refused"]
LABELS = tuple(label.name.lower() for label in Label)
DECIDE = text("select clearance.decide_retention(:rule, :approve)")


@dataclass(frozen=True)
class RetentionView:
    """A rule: records of this kind, or answers of this label alone, are kept for so many days; None: for ever.

    `pruned` records were removed by it, all of before `pruned_before`. `own`: the caller asked for it.
    """

    id: uuid.UUID
    kind: str
    label: str | None
    days: int | None
    reason: str
    state: RuleState
    requested_by: str
    requested_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    pruned: int
    pruned_before: dt.datetime | None
    own: bool


def request_rule(
    session: WriteSession, subject: Subject, *, kind: str, label: str | None, days: int | None, reason: str
) -> RetentionView:
    """Ask to keep records of a kind, by the word before its dot, or answers of a label, for so many days; recorded.

    Raises InvalidInput, and Conflict where a rule for the same waits already.
    """
    require_capability(subject, Capability.ERASE)
    why = checked_reason(reason, "they are kept so long")
    _check(kind, label, days)
    values = {"kind": kind, "label": label, "days": days, "reason": why, "requested_by": subject.user_id}
    asked = insert(RetentionRule).values(**values).on_conflict_do_nothing().returning(RetentionRule)
    rule = session.scalars(asked).one_or_none()
    if rule is None:
        raise Conflict("A rule for these records waits to be decided on already.")
    event = RetentionRequested(
        actor=actor(subject), rule=rule.id, of_kind=kind, label=label, days=days, reason=SealedText(why)
    )
    record(session, event)
    return _views(session, subject, [rule])[0]


def _check(kind: str, label: str | None, days: int | None) -> None:
    if kind not in PRUNABLE_KINDS:
        raise InvalidInput(
            f"'{kind}' is no kind of records that can be removed. These can: {', '.join(PRUNABLE_KINDS)}."
        )
    if label is not None and kind != "answer":
        raise InvalidInput("Answers alone have a label by which they can be kept.")
    if label is not None and label not in LABELS:
        raise InvalidInput(f"'{label}' is no label. Labels are: {', '.join(LABELS)}.")
    if days is not None and not MIN_DAYS <= days <= MAX_DAYS:
        raise InvalidInput(f"Records are kept for {MIN_DAYS} to {MAX_DAYS:,} days, or for ever.")


def decide_rule(session: WriteSession, subject: Subject, rule: uuid.UUID, *, approved: bool) -> None:
    """Approve of a rule that somebody else asked for, from when it is in force, or refuse it; recorded.

    Raises NotFound, and Conflict where it is one's own or was decided.
    """
    require_capability(subject, Capability.ERASE)
    guard_change(session, subject)
    found = session.get(RetentionRule, rule)
    if found is None:
        raise NotFound
    if found.requested_by == subject.user_id:
        raise Conflict("You asked for it: somebody else has to decide on it.")
    session.execute(DECIDE, {"rule": rule, "approve": approved})
    event = RetentionDecided(
        actor=actor(subject),
        rule=rule,
        of_kind=found.kind,
        label=found.label,
        days=found.days,
        requested_by=found.requested_by,
        approved=approved,
    )
    record(session, event)


def list_rules(session: Session, subject: Subject, page: Page) -> list[RetentionView]:
    """One page of all rules that were asked for, newest first (erase or audit)."""
    if not subject.capabilities & {Capability.ERASE, Capability.AUDIT}:
        raise MissingCapability
    order = [RetentionRule.requested_at, RetentionRule.id]
    rows = page.rows(session, select(RetentionRule), order, descending=True)
    return _views(session, subject, [row for (row,) in rows])


def _views(session: Session, subject: Subject, rows: list[RetentionRule]) -> list[RetentionView]:
    names = names_of(session, {each for row in rows for each in (row.requested_by, row.decided_by) if each is not None})
    in_force = _in_force(session)
    return [
        RetentionView(
            id=row.id,
            kind=row.kind,
            label=row.label,
            days=row.days,
            reason=row.reason,
            state=_state(row, in_force),
            requested_by=names.get(row.requested_by, str(row.requested_by)),
            requested_at=row.requested_at,
            decided_by=None if row.decided_by is None else names.get(row.decided_by, str(row.decided_by)),
            decided_at=row.decided_at,
            pruned=row.pruned,
            pruned_before=row.pruned_before,
            own=row.requested_by == subject.user_id,
        )
        for row in rows
    ]


def _in_force(session: Session) -> set[uuid.UUID]:
    """Of each kind and label the rule that was approved last."""
    newest = func.row_number().over(
        partition_by=(RetentionRule.kind, RetentionRule.label),
        order_by=(RetentionRule.decided_at.desc(), RetentionRule.id),
    )
    ranked = select(RetentionRule.id, newest.label("place")).where(RetentionRule.approved.is_(True)).subquery()
    return set(session.scalars(select(ranked.c.id).where(ranked.c.place == 1)))


def _state(row: RetentionRule, in_force: set[uuid.UUID]) -> RuleState:
    if row.approved is None:
        return "waiting"
    if not row.approved:
        return "refused"
    return "in_force" if row.id in in_force else "replaced"
