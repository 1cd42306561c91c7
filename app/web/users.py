"""Users (administer). Only names and roles: who a person is says nothing of what stands in the documents."""

import uuid
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.people import find_user, make_user, refuse_own_gain
from app.acl.rules import Label
from app.acl.subject import capabilities
from app.answer.trail import actor
from app.audit.events import UserChanged, UserMade
from app.audit.trail import record
from app.db.tables.access import Collection, Curator
from app.db.tables.people import Membership, Role, User
from app.errors import SelfGrant
from app.web.access import Administrator, Caller, PartsOf, Reading, Writing
from app.web.schemas import UserBody, UserOut, UserPatch

router = APIRouter(prefix="/users", tags=["people"])


@router.get("/me")
def me(subject: Caller, session: Reading) -> UserOut:
    """Who you are to us."""
    return _wire(session, find_user(session, subject.name))


@router.get("")
def users(_subject: Administrator, session: Reading) -> list[UserOut]:
    """All users (administer)."""
    found = session.scalars(select(User).where(User.name.not_like(r"\_%")).order_by(User.name))
    return [_wire(session, user) for user in found]


@router.post("", status_code=201)
def make(body: UserBody, subject: Administrator, session: Writing, parts: PartsOf) -> UserOut:
    """Make a user (administer)."""
    user = make_user(
        session,
        name=body.name,
        display_name=body.display_name,
        clearance=Label.parse(body.clearance),
        allowed=body.capabilities,
    )
    # Made now, so that two first questions of the same person never wait for each other.
    parts.sealer.ensure_key(session, user.id)
    record(session, UserMade(actor=actor(subject), user=user.id, after=_state(user)))
    return _wire(session, user)


@router.patch("/{name}")
def change(name: str, body: UserPatch, subject: Administrator, session: Writing) -> UserOut:
    """Change a user (administer). Nobody raises their own rights."""
    user = find_user(session, name)
    clearance = None if body.clearance is None else Label.parse(body.clearance)
    refuse_own_gain(subject, user, clearance, body.capabilities)
    if body.active is False and user.id == subject.user_id:
        raise SelfGrant("You cannot switch yourself off. Ask another administrator.")
    before = _state(user)
    if body.display_name is not None:
        user.display_name = body.display_name
    if clearance is not None:
        user.clearance = int(clearance)
    if body.capabilities is not None:
        user.capabilities = [c.value for c in body.capabilities]
    if body.active is not None:
        user.active = body.active
    session.flush()
    record(session, UserChanged(actor=actor(subject), user=user.id, before=before, after=_state(user)))
    return _wire(session, user)


def _state(user: User) -> dict[str, Any]:
    return {
        "active": user.active,
        "capabilities": sorted(user.capabilities),
        "clearance": Label(user.clearance).text,
        "name": user.name,
    }


def _wire(session: Session, user: User) -> UserOut:
    return UserOut(
        id=user.id,
        name=user.name,
        display_name=user.display_name,
        clearance=Label(user.clearance).text,
        capabilities=sorted(capabilities(user.capabilities)),
        active=user.active,
        roles=_roles(session, user.id),
        curates=list(
            session.scalars(
                select(Collection.name)
                .join(Curator, Curator.collection_id == Collection.id)
                .where(Curator.user_id == user.id)
                .order_by(Collection.name)
            )
        ),
    )


def _roles(session: Session, user_id: uuid.UUID) -> list[str]:
    query = select(Role.name).join(Membership, Membership.role_id == Role.id).where(Membership.user_id == user_id)
    return list(session.scalars(query.order_by(Role.name)))
