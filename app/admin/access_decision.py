"""Why somebody may or may not read a document, with every rule that was looked at: for who may change these rules."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.acl.explain import explain, explain_at
from app.acl.levels import levels_at, levels_of
from app.acl.rules import Effect, effective
from app.acl.trace import DecisionTrace, GrantTrace, LevelKind, LevelTrace, trace
from app.acl.visible import visible_scopes
from app.admin.explain import require_past, require_ruler
from app.db.session import ReadSession
from app.db.tables.access import Scope
from app.db.tables.people import User
from app.errors import NotFound
from app.identity.authenticate import FOR_SERVICES, capabilities, subject_of
from app.identity.names import find_person, names_of
from app.identity.past import NotKnown, subject_at
from app.identity.role_ways import RoleWay, ways_at, ways_of
from app.identity.subject import Capability, PrincipalKind, Subject
from app.retrieval.browse import find_document


@dataclass(frozen=True)
class DecisionGrant:
    """A grant that was looked at. `principal` is whom it names, None: everyone, or somebody who is gone.

    `names_them`: it is about the person; by a role, `through` are the roles from the one that they are a member of to
    the named one. `decided`: the decision follows from it.
    """

    effect: Effect
    kind: PrincipalKind
    principal: str | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    names_them: bool
    through: tuple[str, ...]
    in_time: bool
    decided: bool


@dataclass(frozen=True)
class DecisionLevel:
    """What one place says: the collection or a folder `name`, the document, or in the past all above it together.

    `counts`: nothing further in breaks with it. `labels`: the label that holds is this one's.
    """

    kind: LevelKind
    name: str
    label: str | None
    inherits: bool
    counts: bool
    labels: bool
    grants: tuple[DecisionGrant, ...]


@dataclass(frozen=True)
class AccessDecision:
    """Whether a person reads a document at a moment, and all that was looked at for it, outermost first.

    `reason` is that of `explain`, or "switched off". `may` are the capabilities beside reading that matter, now alone:
    of the past they are not known.
    """

    document: uuid.UUID
    user: str
    at: dt.datetime
    allowed: bool
    reason: str
    explanation: str
    label: str | None
    clearance: str | None
    may: list[Capability] | None
    levels: tuple[DecisionLevel, ...]


def access_decision(
    session: ReadSession, subject: Subject, document: uuid.UUID, user: str, at: dt.datetime | None
) -> AccessDecision:
    """The decision about this person: now, or at a moment of the past, which is for the collection's curators alone.

    Raises NotFound for a document that the subject may neither read nor curate, MissingCapability for one whose rules
    are not theirs to change.
    """
    if at is not None:
        require_past(session, subject, document, at)
        return _past(session, find_person(session, user), document, at)
    listed = find_document(session, subject, visible_scopes(session, subject), document)
    require_ruler(subject, listed.document.collection_id)
    return _now(session, find_person(session, user), document, session.get_one(Scope, listed.document.scope_id))


def _now(session: Session, user: User, document: uuid.UUID, scope: Scope) -> AccessDecision:
    asked = subject_of(session, user)
    told = explain(session, asked, document)
    if told is None:
        raise NotFound
    levels = levels_of(session, scope)
    rule = effective(*(level.own for level in levels))
    traced = trace(asked, levels, rule, told.at)
    off = f"{user.shown} is switched off, and reads nothing."
    return AccessDecision(
        document=document,
        user=user.shown,
        at=told.at,
        allowed=told.allowed and user.active,
        reason=told.reason if user.active else "switched off",
        explanation=told.text if user.active else off,
        label=traced.label.text,
        clearance=traced.clearance.text,
        may=sorted(capabilities(user.capabilities) & FOR_SERVICES),
        levels=_levels(session, traced, ways_of(session, user.id)),
    )


def _past(session: Session, user: User, document: uuid.UUID, at: dt.datetime) -> AccessDecision:
    asked = subject_of(session, user)
    told = explain_at(session, asked, document, at)
    try:
        then = subject_at(session, asked, at)
        rule, levels = levels_at(session, document, at)
    except NotKnown:
        traced = None
    else:
        traced = trace(then, levels, rule, at)
    return AccessDecision(
        document=document,
        user=user.shown,
        at=at,
        allowed=told.allowed,
        reason=told.reason,
        explanation=told.text,
        label=None if traced is None else traced.label.text,
        clearance=None if traced is None else traced.clearance.text,
        may=None,
        levels=() if traced is None else _levels(session, traced, ways_at(session, user.id, at)),
    )


def _levels(session: Session, traced: DecisionTrace, ways: Sequence[RoleWay]) -> tuple[DecisionLevel, ...]:
    """The levels with names. Of several ways into a role the one that lasts longest."""
    longest = {way.role: way for way in reversed(ways)}
    ids = {grant.grant.principal.id for level in traced.levels for grant in level.grants}
    names = names_of(session, ids.union(*(way.path for way in ways)))
    return tuple(_level(level, names, longest) for level in traced.levels)


def _level(level: LevelTrace, names: Mapping[uuid.UUID, str], ways: Mapping[uuid.UUID, RoleWay]) -> DecisionLevel:
    own = level.level.own
    return DecisionLevel(
        kind=level.level.kind,
        name=level.level.name,
        label=None if own.label is None else own.label.text,
        inherits=own.inherits,
        counts=level.counts,
        labels=level.labels,
        grants=tuple(_grant(grant, names, ways) for grant in level.grants),
    )


def _grant(one: GrantTrace, names: Mapping[uuid.UUID, str], ways: Mapping[uuid.UUID, RoleWay]) -> DecisionGrant:
    path = () if one.role is None else ways[one.role].path
    return DecisionGrant(
        effect=one.grant.effect,
        kind=one.grant.principal.kind,
        principal=names.get(one.grant.principal.id),
        starts_at=one.grant.starts_at,
        ends_at=one.grant.ends_at,
        names_them=one.names,
        through=tuple(names[role] for role in path if role in names),
        in_time=one.in_time,
        decided=one.decided,
    )
