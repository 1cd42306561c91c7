"""The rules as one Select: the scopes that a subject may read, resolved once, in the transaction that reads."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.acl.rules import EVERYONE_ID, Subject
from app.db.tables.access import PolicyEpoch, Rule, RuleGrant, Scope


@dataclass(frozen=True)
class Visible:
    """What a subject may read at one moment of the database's clock.

    `scope_ids` are database numbers and stay in the process; `public_ids` stand for them in the audit log.
    """

    at: dt.datetime
    epoch: int
    scope_ids: tuple[int, ...]
    public_ids: tuple[uuid.UUID, ...]
    labels: dict[int, int]
    valid_until: dt.datetime | None

    @property
    def digest(self) -> str:
        """SHA-256 over the visible scopes, in hex."""
        return hashlib.sha256("\n".join(sorted(map(str, self.public_ids))).encode()).hexdigest()


def visible_scopes(session: Session, subject: Subject) -> Visible:
    """Resolve the scopes of a subject with the transaction's clock."""
    at, epoch = session.execute(select(func.now(), PolicyEpoch.number)).one()
    rows = session.execute(scopes_select(subject, at)).all()
    return Visible(
        at=at,
        epoch=epoch,
        scope_ids=tuple(r.id for r in rows),
        public_ids=tuple(r.public_id for r in rows),
        labels={r.id: r.label for r in rows},
        valid_until=session.scalar(_next_change(subject, at)),
    )


def scopes_select(subject: Subject, at: dt.datetime) -> Select[int, uuid.UUID, int]:
    """`decide()` as SQL: id, public id and label of each scope the subject may read at that moment."""
    in_time = and_(
        or_(RuleGrant.starts_at.is_(None), RuleGrant.starts_at <= at),
        or_(RuleGrant.ends_at.is_(None), RuleGrant.ends_at > at),
    )
    hits = (
        select(
            RuleGrant.rule_id,
            func.bool_or(RuleGrant.effect == "allow").label("allowed"),
            func.bool_or(RuleGrant.effect == "deny").label("denied"),
        )
        .where(_about(subject), in_time)
        .group_by(RuleGrant.rule_id)
        .subquery()
    )
    return (
        select(Scope.id, Scope.public_id, Rule.label)
        .join(Rule, Rule.id == Scope.rule_id)
        .join(hits, hits.c.rule_id == Rule.id)
        .where(hits.c.allowed, ~hits.c.denied, Rule.label <= int(subject.clearance))
        .order_by(Scope.id)
    )


def _about(subject: Subject) -> ColumnElement[bool]:
    return or_(
        and_(RuleGrant.principal_kind == "everyone", RuleGrant.principal_id == EVERYONE_ID),
        and_(RuleGrant.principal_kind == "user", RuleGrant.principal_id == subject.user_id),
        and_(RuleGrant.principal_kind == "role", RuleGrant.principal_id.in_(subject.roles)),
    )


def _next_change(subject: Subject, at: dt.datetime) -> Select[dt.datetime | None]:
    """The next start or end among all grants about the subject: past it, what was resolved now is stale."""
    starts = select(RuleGrant.starts_at.label("moment")).where(_about(subject), RuleGrant.starts_at > at)
    ends = select(RuleGrant.ends_at.label("moment")).where(_about(subject), RuleGrant.ends_at > at)
    moments = starts.union_all(ends).subquery()
    return select(func.min(moments.c.moment))
