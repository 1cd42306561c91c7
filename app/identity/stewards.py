"""Stewards: people to whom a role is delegated. They change its members, though never their own membership."""

import uuid

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.db.tables.access import Steward
from app.db.tables.people import Role
from app.errors import BeyondReach, MissingCapability
from app.identity.names import find_role, parse_name
from app.identity.subject import Capability, Subject

BEYOND = (
    "The members of this role are not yours to change: an administrator can delegate it to you "
    "('clearance roles delegate')."
)


def require_steward(session: Session, subject: Subject, role: Role) -> None:
    """Raise BeyondReach unless the subject administers or is steward of this role."""
    if Capability.ADMINISTER in subject.capabilities:
        return
    if not session.scalar(select(exists().where(Steward.user_id == subject.user_id, Steward.role_id == role.id))):
        raise BeyondReach(BEYOND)


def stewarded_roles(session: Session, subject: Subject) -> frozenset[uuid.UUID]:
    return frozenset(session.scalars(select(Steward.role_id).where(Steward.user_id == subject.user_id)))


def find_stewarded(session: Session, subject: Subject, name: str) -> Role:
    """The role of that name, for who may change its members.

    An administrator is told NotFound for one that is not there; for others that is BeyondReach like any other role that
    is not theirs, and MissingCapability if none is.
    """
    if Capability.ADMINISTER in subject.capabilities:
        return find_role(session, name)
    mine = stewarded_roles(session, subject)
    if not mine:
        raise MissingCapability("This needs the capability 'administer', or the role delegated to you.")
    source, own = parse_name(name)
    role = session.scalar(select(Role).where(Role.source == source, Role.name == own, Role.id.in_(mine)))
    if role is None:
        raise BeyondReach(BEYOND)
    return role
