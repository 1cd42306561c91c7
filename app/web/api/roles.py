"""Roles, who is in them, and which lie inside which (administer; curators may list them)."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.acl.people import delete_role, join, leave, make_role, nest, unnest
from app.acl.stewards import delegate, find_stewarded, stewarded_roles, undelegate
from app.audit.actor import actor
from app.audit.events import RoleChanged, RoleMade, RoleRemoved
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables.people import Membership, Role, RoleInside, User
from app.errors import Conflict, MissingCapability, NotFound
from app.identity.names import find_person, find_role, find_user, names_by
from app.identity.subject import Capability, Subject
from app.web.api.schemas import RoleBody, RoleOut
from app.web.http.dependencies import Administrator, Caller, Changing, Reading
from app.web.http.paging import PageOf
from app.web.policy_log import log_member, log_steward

router = APIRouter(prefix="/roles", tags=["people"])


@router.get("")
def roles(subject: Caller, session: Reading, page: PageOf) -> list[RoleOut]:
    """All roles for administrators, and for curators, who tag with them; else those delegated to you.

    Members are shown to administrators and to whom the role is delegated.
    """
    query = select(Role)
    mine = stewarded_roles(session, subject)
    if not {Capability.ADMINISTER, Capability.CURATE} & subject.capabilities:
        if not mine:
            raise MissingCapability("This needs the capability 'administer' or 'curate', or a role delegated to you.")
        query = query.where(Role.id.in_(mine))
    found = [role for (role,) in page.rows(session, query, [Role.name, Role.source])]
    all_members = Capability.ADMINISTER in subject.capabilities
    return _wires(session, found, members={role.id for role in found if all_members or role.id in mine})


@router.post("", status_code=201)
def make(body: RoleBody, subject: Administrator, session: Changing) -> RoleOut:
    """Make a role (administer)."""
    outer = [_named(session, name) for name in body.inside]
    role = make_role(session, body.name, source=body.source)
    record(session, RoleMade(actor=actor(subject), role=role.id, name=role.shown))
    for inside in outer:
        _nest(session, subject, role, inside)
    return _wire(session, role)


@router.delete("/{name}", status_code=204)
def remove(name: str, subject: Administrator, session: Changing) -> None:
    """Delete a role that no rule in force names (administer): a rule that denied it would open."""
    role = find_role(session, name)
    record(session, RoleRemoved(actor=actor(subject), role=role.id, name=role.shown))
    delete_role(session, subject, role)


@router.put("/{name}/members/{user}", status_code=204)
def add_member(name: str, user: str, subject: Caller, session: Changing) -> None:
    """Put a user into a role (administer, or to whom the role is delegated)."""
    role, person = find_stewarded(session, subject, name), find_user(session, user)
    join(session, subject, person, role)
    log_member(session, subject, person.id, role.id, present=True)


@router.delete("/{name}/members/{user}", status_code=204)
def remove_member(name: str, user: str, subject: Caller, session: Changing) -> None:
    """Take a user out of a role (administer, or to whom the role is delegated)."""
    role, person = find_stewarded(session, subject, name), find_user(session, user)
    leave(session, subject, person, role)
    log_member(session, subject, person.id, role.id, present=False)


@router.put("/{name}/stewards/{user}", status_code=204)
def add_steward(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Delegate a role: let a person put others into it and take them out (administer)."""
    role, person = find_role(session, name), find_person(session, user)
    delegate(session, subject, person, role)
    log_steward(session, subject, "steward.added", role, person)


@router.delete("/{name}/stewards/{user}", status_code=204)
def remove_steward(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Undo that (administer)."""
    role, person = find_role(session, name), find_user(session, user)
    undelegate(session, subject, person, role)
    log_steward(session, subject, "steward.removed", role, person)


@router.put("/{name}/inside/{outer}", status_code=204)
def put_inside(name: str, outer: str, subject: Administrator, session: Changing) -> None:
    """Make the members of a role members of another too (administer); a circle is refused."""
    _nest(session, subject, find_role(session, name), find_role(session, outer))


@router.delete("/{name}/inside/{outer}", status_code=204)
def take_out(name: str, outer: str, subject: Administrator, session: Changing) -> None:
    """Undo that (administer)."""
    role, inside = find_role(session, name), find_role(session, outer)
    before = _nesting(session, role)
    unnest(session, subject, role, inside)
    _log_nesting(session, subject, role, before)


def _named(session: WriteSession, name: str) -> Role:
    try:
        return find_role(session, name)
    except NotFound:
        raise Conflict(f"No role is named '{name}'; make the outer role first.") from None


def _nest(session: WriteSession, subject: Subject, role: Role, inside: Role) -> None:
    before = _nesting(session, role)
    nest(session, subject, role, inside)
    _log_nesting(session, subject, role, before)


def _nesting(session: Session, role: Role) -> dict[str, Any]:
    return {"inside": [str(i) for i in _outer_ids(session, role)], "name": role.shown}


def _log_nesting(session: WriteSession, subject: Subject, role: Role, before: dict[str, Any]) -> None:
    event = RoleChanged(actor=actor(subject), role=role.id, before=before, after=_nesting(session, role))
    record(session, event)


def _outer_ids(session: Session, role: Role) -> list[Any]:
    query = select(RoleInside.inside_id).where(RoleInside.role_id == role.id).order_by(RoleInside.inside_id)
    return list(session.scalars(query))


def _wire(session: Session, role: Role) -> RoleOut:
    [wire] = _wires(session, [role], members={role.id})
    return wire


def _wires(session: Session, roles: Sequence[Role], *, members: Collection[uuid.UUID]) -> list[RoleOut]:
    """Roles with those around them, and with their members where these may be shown: three statements for all."""
    ids = [role.id for role in roles]
    outer = aliased(Role)
    around = select(RoleInside.role_id, outer.shown).join(outer, outer.id == RoleInside.inside_id)
    inside = names_by(session, around.where(RoleInside.role_id.in_(ids)).order_by(outer.name))
    within = select(Membership.role_id, User.shown).join(User, User.id == Membership.user_id)
    people = names_by(session, within.where(Membership.role_id.in_(members)).order_by(User.name))
    return [
        RoleOut(
            id=role.id,
            name=role.shown,
            source=role.source,
            inside=inside.get(role.id, []),
            members=people.get(role.id, []),
        )
        for role in roles
    ]
