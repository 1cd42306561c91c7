"""The rules as one Select: the scopes that a subject may read, resolved once, in the transaction that reads."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session

from app.acl.rules import EVERYONE_ID, Subject
from app.db.tables.access import PolicyEpoch, Rule, RuleGrant, Scope

# The subject and the moment, as parameters: the statements below are made once, when this module is loaded.
USER = bindparam("user", type_=Uuid())
ROLES = bindparam("roles", type_=ARRAY(Uuid()))
CLEARANCE = bindparam("clearance", type_=Integer())
AT = bindparam("at", type_=DateTime(timezone=True))


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

    @cached_property
    def scope_array(self) -> str:
        """The scopes as PostgreSQL writes an array: sent as it is, where a list of a thousand costs a millisecond."""
        return f"{{{','.join(map(str, self.scope_ids))}}}"

    def only(self, scopes: frozenset[int]) -> "Visible":
        """The same, less all scopes but these: it can leave out and never add."""
        kept = [(s, p) for s, p in zip(self.scope_ids, self.public_ids, strict=True) if s in scopes]
        return replace(
            self,
            scope_ids=tuple(s for s, _ in kept),
            public_ids=tuple(p for _, p in kept),
            labels={s: self.labels[s] for s, _ in kept},
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the visible scopes, in hex."""
        return hashlib.sha256("\n".join(sorted(map(str, self.public_ids))).encode()).hexdigest()


def visible_scopes(session: Session, subject: Subject) -> Visible:
    """Resolve the scopes of a subject with the transaction's clock."""
    found = session.execute(_RESOLVED, _parameters(subject)).one()
    # Nothing visible is NULL, not an empty array.
    scope_ids = tuple(found.ids or ())
    return Visible(
        at=found.at,
        epoch=found.number,
        scope_ids=scope_ids,
        public_ids=tuple(found.public_ids or ()),
        labels=dict(zip(scope_ids, found.labels or (), strict=True)),
        valid_until=found.turn,
    )


def scopes_select(subject: Subject, at: dt.datetime) -> Select[int, uuid.UUID, int]:
    """`decide()` as SQL: id, public id and label of each scope the subject may read at that moment."""
    return _SCOPES.params(at=at, **_parameters(subject))


def _parameters(subject: Subject) -> dict[str, Any]:
    return {"user": subject.user_id, "roles": list(subject.roles), "clearance": int(subject.clearance)}


def _hits(at: ColumnElement[dt.datetime]) -> CTE:
    """The rules with a grant about the subject: what those in time say, and when the clock next changes one of them."""
    about = or_(
        and_(RuleGrant.principal_kind == "everyone", RuleGrant.principal_id == EVERYONE_ID),
        and_(RuleGrant.principal_kind == "user", RuleGrant.principal_id == USER),
        and_(RuleGrant.principal_kind == "role", RuleGrant.principal_id == any_(ROLES)),
    )
    in_time = and_(
        or_(RuleGrant.starts_at.is_(None), RuleGrant.starts_at <= at),
        or_(RuleGrant.ends_at.is_(None), RuleGrant.ends_at > at),
    )
    starts = func.min(RuleGrant.starts_at).filter(RuleGrant.starts_at > at)
    ends = func.min(RuleGrant.ends_at).filter(RuleGrant.ends_at > at)
    # Of a rule whose grants are all out of time both flags are NULL: it is not allowed.
    return (
        select(
            RuleGrant.rule_id,
            func.bool_or(RuleGrant.effect == "allow").filter(in_time).label("allowed"),
            func.bool_or(RuleGrant.effect == "deny").filter(in_time).label("denied"),
            func.least(starts, ends).label("turn"),
        )
        .where(about)
        .group_by(RuleGrant.rule_id)
        .cte("hits")
    )


def _scopes(hits: CTE) -> Select[int, uuid.UUID, int]:
    return (
        select(Scope.id, Scope.public_id, Rule.label)
        .join(Rule, Rule.id == Scope.rule_id)
        .join(hits, hits.c.rule_id == Rule.id)
        .where(hits.c.allowed, ~hits.c.denied, Rule.label <= CLEARANCE)
    )


def _resolved() -> Select[Any, Any, Any, Any, Any, Any]:
    """All that `Visible` holds in one row: one round trip, one plan, and the grants are read once.

    `turn` is the next start or end among all grants about the subject: past it, what was resolved is stale.
    """
    hits = _hits(func.now())
    found = _scopes(hits).subquery()

    def in_order(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return func.array_agg(aggregate_order_by(column, found.c.id)).label(name)

    lists = select(
        in_order(found.c.id, "ids"), in_order(found.c.public_id, "public_ids"), in_order(found.c.label, "labels")
    ).subquery()
    turn = select(func.min(hits.c.turn)).scalar_subquery().label("turn")
    return (
        select(func.now().label("at"), PolicyEpoch.number, turn, lists.c.ids, lists.c.public_ids, lists.c.labels)
        .select_from(PolicyEpoch)
        .join(lists, literal(True))
    )


_SCOPES = _scopes(_hits(AT)).order_by(Scope.id)
_RESOLVED = _resolved()
