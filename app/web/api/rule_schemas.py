"""Rules as they go over the wire, with names, and as they are stored, with ids."""

import uuid
from collections.abc import Sequence

from app.acl.rule_changes import EVERYONE_TAG, role_ids
from app.acl.rules import Grant, OwnRule
from app.db.session import ReadSession, WriteSession
from app.identity.names import names_of, person_ids
from app.identity.subject import EVERYONE, Label, Principal
from app.web.api.schemas import AccessBody, AccessOut, GrantBody


def to_rule(session: ReadSession | WriteSession, body: AccessBody) -> OwnRule:
    """The stored form; raises UnknownRole or InvalidInput for a name that names nobody."""
    roles = role_ids(session, [g.role for g in body.grants if g.role is not None and g.role != EVERYONE_TAG])
    users = person_ids(session, [g.user for g in body.grants if g.user is not None])
    grants = frozenset(Grant(g.effect, _principal(g, roles, users), g.starts_at, g.ends_at) for g in body.grants)
    return OwnRule(grants, body.inherits, None if body.label is None else Label.parse(body.label))


def to_wire(session: ReadSession | WriteSession, own: OwnRule) -> AccessOut:
    """The rule with names; a role or user that is gone shows its id."""
    [wire] = to_wires(session, [own])
    return wire


def to_wires(session: ReadSession | WriteSession, owns: Sequence[OwnRule]) -> list[AccessOut]:
    """The same for many, their names looked up at once."""
    names = _names(session, owns)
    return [
        AccessOut(
            grants=[body for _, body in _grants(own, names)],
            label=None if own.label is None else own.label.text,
            inherits=own.inherits,
        )
        for own in owns
    ]


def grants_to_wire(session: ReadSession | WriteSession, own: OwnRule) -> list[tuple[Grant, GrantBody]]:
    """Each grant of the rule with its form on the wire, in a fixed order."""
    return _grants(own, _names(session, [own]))


def _names(session: ReadSession | WriteSession, owns: Sequence[OwnRule]) -> dict[uuid.UUID, str]:
    return names_of(session, {grant.principal.id for own in owns for grant in own.grants})


def _grants(own: OwnRule, names: dict[uuid.UUID, str]) -> list[tuple[Grant, GrantBody]]:
    ordered = sorted(own.grants, key=lambda g: str(g.to_json()))
    return [(g, _grant(g, names.get(g.principal.id, str(g.principal.id)))) for g in ordered]


def _principal(grant: GrantBody, roles: dict[str, uuid.UUID], users: dict[str, uuid.UUID]) -> Principal:
    if grant.everyone or grant.role == EVERYONE_TAG:
        return EVERYONE
    return (
        Principal("role", roles[grant.role]) if grant.role is not None else Principal("user", users[grant.user or ""])
    )


def _grant(grant: Grant, name: str) -> GrantBody:
    kind = grant.principal.kind
    return GrantBody(
        effect=grant.effect,
        role=name if kind == "role" else None,
        user=name if kind == "user" else None,
        everyone=kind == "everyone",
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
    )
