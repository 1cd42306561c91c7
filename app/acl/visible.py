"""The rules as one Select: the scopes that a subject may read, resolved once, in the transaction that reads."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, aggregate_order_by
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from app.db.engine import PREPARED
from app.db.session import ReadSession
from app.db.tables.access import PolicyEpoch, Rule, RuleGrant, Scope
from app.db.tables.people import Membership
from app.identity.subject import EVERYONE_ID, Subject

# The subject and the moment, as parameters: the statements below are made once, when this module is loaded.
USER = bindparam("user", type_=Uuid())
ROLES = bindparam("roles", type_=ARRAY(Uuid()))
# Everyone, the user and the roles together.
PRINCIPALS = bindparam("principals", type_=ARRAY(Uuid()))
KINDS = literal(["everyone", "user", "role"], ARRAY(Text()))
CLEARANCE = bindparam("clearance", type_=Integer())
AT = bindparam("at", type_=DateTime(timezone=True))

# What stands in a scope, as sums that are to be added up: how they come packed, and the table they are kept in.
SUM = np.dtype([("scope", ">i4"), ("passages", ">i4"), ("terms", ">i8")])
EMPTY = literal(b"", BYTEA)
SUMS = table("scope_volume", column("scope_id"), column("chunks"), column("terms"))
NOTHING = np.empty(0, SUM)


class PublicIds(Sequence[uuid.UUID]):
    """Public identifiers packed behind one another, 16 bytes each: a thousand are not unpacked unless asked for."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed) // 16

    @overload
    def __getitem__(self, index: int) -> uuid.UUID: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[uuid.UUID, ...]: ...

    def __getitem__(self, index: int | slice) -> uuid.UUID | tuple[uuid.UUID, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        at = range(len(self))[index] * 16
        return uuid.UUID(bytes=self._packed[at : at + 16])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True)
class Visible:
    """What a subject may read at one moment of the database's clock.

    `scope_ids` are database numbers and stay in the process; `public_ids` stand for them in the audit log. `sums` are
    those of these scopes, of dtype SUM, and all of this is so in the `snapshot` of the transaction.
    """

    at: dt.datetime
    epoch: int
    scope_ids: tuple[int, ...]
    public_ids: Sequence[uuid.UUID]
    labels: dict[int, int]
    valid_until: dt.datetime | None
    snapshot: str
    sums: NDArray[np.void] = field(default_factory=NOTHING.copy, compare=False)

    @cached_property
    def scope_array(self) -> str:
        """The scopes as PostgreSQL writes an array: sent as it is, where a list of a thousand costs a millisecond."""
        return f"{{{','.join(map(str, self.scope_ids))}}}"

    def has(self, scope: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether a scope in SQL is one of these. One parameter: of a thousand the statement takes longer to make than
        to run.
        """
        return scope == any_(cast(bindparam(None, self.scope_array, type_=NullType()), ARRAY(Integer())))

    def only(self, scopes: frozenset[int]) -> "Visible":
        """The same, less all scopes but these: it can leave out and never add."""
        kept = [(s, p) for s, p in zip(self.scope_ids, self.public_ids, strict=True) if s in scopes]
        return replace(
            self,
            scope_ids=tuple(s for s, _ in kept),
            public_ids=tuple(p for _, p in kept),
            labels={s: self.labels[s] for s, _ in kept},
            sums=self.sums[np.isin(self.sums["scope"], [s for s, _ in kept])],
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the visible scopes, in hex."""
        return hashlib.sha256("\n".join(sorted(map(str, self.public_ids))).encode()).hexdigest()


def visible_scopes(session: Session, subject: Subject) -> Visible:
    """Resolve the scopes of a subject with the transaction's clock; in a snapshot once, for there it cannot change."""
    if not isinstance(session, ReadSession):
        return _resolve(session, subject)
    resolved: dict[tuple[object, ...], Visible] = session.info.setdefault("visible scopes", {})
    asked = (subject.user_id, subject.roles, subject.clearance)
    if asked not in resolved:
        resolved[asked] = _resolve(session, subject)
    return resolved[asked]


def _resolve(session: Session, subject: Subject) -> Visible:
    found = session.execute(_RESOLVED, _parameters(subject)).one()
    # Nothing visible is NULL, not an empty string.
    ids, labels = (np.frombuffer(packed or b"", ">i4").tolist() for packed in (found.packed, found.labels))
    return Visible(
        at=found.at,
        epoch=found.number,
        scope_ids=tuple(ids),
        public_ids=PublicIds(found.public_ids or b""),
        labels=dict(zip(ids, labels, strict=True)),
        valid_until=found.turn,
        snapshot=found.snapshot,
        sums=np.frombuffer(found.sums or b"", SUM),
    )


def scopes_select(subject: Subject, at: dt.datetime) -> Select[int, uuid.UUID, int]:
    """`decide()` as SQL: id, public id and label of each scope the subject may read at that moment."""
    return _SCOPES.params(at=at, **_parameters(subject))


def _parameters(subject: Subject) -> dict[str, Any]:
    roles = list(subject.roles)
    principals = [EVERYONE_ID, subject.user_id, *roles]
    return {"user": subject.user_id, "roles": roles, "principals": principals, "clearance": int(subject.clearance)}


def _named() -> ColumnElement[bool]:
    """By one plain scan of the index. For the three kinds of principals alone it takes bitmaps, which a reading
    transaction goes without: it would read the grants of everybody.
    """
    return and_(RuleGrant.principal_kind == any_(KINDS), RuleGrant.principal_id == any_(PRINCIPALS))


def _hits(at: ColumnElement[dt.datetime]) -> CTE:
    """The parts with a grant about the subject: what those in time say, and when the clock next changes one of them."""
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
    # Of a part whose grants are all out of time both flags are NULL: it says nothing.
    return (
        select(
            RuleGrant.rule_id.label("part_id"),
            RuleGrant.inherited,
            func.bool_or(RuleGrant.effect == "allow").filter(in_time).label("allowed"),
            func.bool_or(RuleGrant.effect == "deny").filter(in_time).label("denied"),
            func.least(starts, ends).label("turn"),
        )
        .where(_named(), about)
        .group_by(RuleGrant.rule_id, RuleGrant.inherited)
        .cte("hits")
    )


def _scopes(hits: CTE) -> Select[int, uuid.UUID, int]:
    """The scopes under a rule whose parts together allow and do not deny."""

    def having(part: ColumnElement[Any], where: ColumnElement[bool]) -> Select[Any, Any, Any, Any]:
        joined = select(Rule.id, Rule.label, hits.c.allowed, hits.c.denied).join(hits, hits.c.part_id == part)
        return joined.where(where, Rule.label <= CLEARANCE)

    # Two joins, each by its index, and not one with an "or".
    own = having(func.coalesce(Rule.own_id, Rule.id), ~hits.c.inherited)
    above = having(Rule.above_id.expression, hits.c.inherited)
    parts = union_all(own, above).subquery("parts")
    rules = select(parts.c.id, parts.c.label).group_by(parts.c.id, parts.c.label)
    rules = rules.having(func.bool_or(parts.c.allowed), ~func.bool_or(parts.c.denied))
    found = rules.subquery("rules")
    return select(Scope.id, Scope.public_id, found.c.label).join(found, found.c.id == Scope.rule_id)


def _standing_in(ids: ColumnElement[Any]) -> ColumnElement[bool]:
    """The scope filter on the sums: those of the visible scopes alone."""
    return SUMS.c.scope_id == any_(ids)


def _resolved() -> Select[Any, Any, Any, Any, Any, Any, Any, Any]:
    """All that `Visible` holds in one row: one round trip, one plan, and the grants are read once.

    `turn` is the next start or end among all grants about the subject, and the next end of a role of theirs: past it,
    what was resolved is stale. Numbers come packed: a thousand identifiers take a millisecond to parse one by one.
    """
    hits = _hits(func.now())
    ending = select(func.min(Membership.ends_at)).where(Membership.user_id == USER, Membership.ends_at > func.now())
    found = _scopes(hits).subquery()

    def packed(value: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return func.string_agg(value, aggregate_order_by(EMPTY, found.c.id)).label(name)

    lists = select(
        func.array_agg(aggregate_order_by(found.c.id, found.c.id)).label("ids"),
        packed(func.int4send(found.c.id), "packed"),
        packed(func.uuid_send(found.c.public_id), "public_ids"),
        packed(func.int4send(found.c.label), "labels"),
    ).cte("lists")
    sums = func.int4send(SUMS.c.scope_id).op("||")(func.int4send(SUMS.c.chunks)).op("||")(func.int8send(SUMS.c.terms))
    return select(
        func.now().label("at"),
        cast(func.pg_current_snapshot(), Text).label("snapshot"),
        select(PolicyEpoch.number).scalar_subquery().label("number"),
        func.least(select(func.min(hits.c.turn)).scalar_subquery(), ending.scalar_subquery()).label("turn"),
        lists.c.packed,
        lists.c.public_ids,
        lists.c.labels,
        select(func.string_agg(sums, EMPTY))
        .where(_standing_in(lists.c.ids))
        .correlate(lists)
        .scalar_subquery()
        .label("sums"),
    ).select_from(lists)


_SCOPES = _scopes(_hits(AT)).order_by(Scope.id)
_RESOLVED = _resolved().execution_options(**PREPARED)
