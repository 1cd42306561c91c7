"""Users (administer). Only names and roles: who a person is says nothing of what stands in the documents."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.people import make_service, make_user, refuse_more_than_a_service
from app.audit.actor import actor
from app.audit.events import UserChanged, UserMade
from app.audit.log import record
from app.db.tables.access import Collection, Curator
from app.db.tables.people import Membership, Role, User
from app.errors import InvalidInput, SelfGrant
from app.identity.authenticate import capabilities
from app.identity.names import find_user, names_by
from app.identity.subject import Label
from app.web.api.people_schemas import PrincipalOut, UserBody, UserOut, UserPatch
from app.web.http.dependencies import Administrator, Changing, Lent, PartsOf, Reading
from app.web.http.paging import PageOf

router = APIRouter(prefix="/users", tags=["people"])

NO_CLEARANCE = "A service has no clearance: it reads what the person it acts for may read."


@router.get("/me")
def me(subject: Lent, session: Reading) -> UserOut | PrincipalOut:
    """Who you are to us; to a service, the person it acts for: their name, and what it may do for them."""
    if subject.via is not None:
        return PrincipalOut(id=subject.user_id, name=subject.name, capabilities=sorted(subject.capabilities))
    return _wire(session, session.get_one(User, subject.user_id))


@router.get("")
def users(_subject: Administrator, session: Reading, page: PageOf) -> list[UserOut]:
    """All users (administer)."""
    query = select(User).where(User.name.not_like(r"\_%"))
    return _wires(session, [user for (user,) in page.rows(session, query, [User.name, User.source])])


@router.post("", status_code=201)
def make(body: UserBody, subject: Administrator, session: Changing, parts: PartsOf) -> UserOut:
    """Make a person or a service (administer)."""
    named = {"name": body.name, "source": body.source, "display_name": body.display_name}
    if body.kind == "service":
        if body.clearance is not None:
            raise InvalidInput(NO_CLEARANCE)
        user = make_service(session, **named, allowed=body.capabilities)
    else:
        clearance = Label.parse(body.clearance or "internal")
        user = make_user(session, **named, clearance=clearance, allowed=body.capabilities)
        # Made now, so that two first questions of the same person never wait for each other.
        parts.sealer.ensure_key(session, user.id)
    record(session, UserMade(actor=actor(subject), user=user.id, after=_state(user)))
    return _wire(session, user)


@router.patch("/{name}")
def change(name: str, body: UserPatch, subject: Administrator, session: Changing) -> UserOut:
    """Change a user (administer). Nobody raises their own rights."""
    user = find_user(session, name)
    clearance = None if body.clearance is None else Label.parse(body.clearance)
    if user.kind == "service":
        refuse_more_than_a_service(body.capabilities or ())
        if clearance is not None:
            raise InvalidInput(NO_CLEARANCE)
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
        "kind": user.kind,
        "name": user.shown,
    }


def _wire(session: Session, user: User) -> UserOut:
    [wire] = _wires(session, [user])
    return wire


def _wires(session: Session, users: Sequence[User]) -> list[UserOut]:
    """Users with the names of their roles and of what they curate: three statements, however many they are."""
    ids = [user.id for user in users]
    in_roles = select(Membership.user_id, Role.shown).join(Role, Role.id == Membership.role_id)
    roles = names_by(session, in_roles.where(Membership.user_id.in_(ids)).order_by(Role.name, Role.source))
    curators = select(Curator.user_id, Collection.name).join(Collection, Collection.id == Curator.collection_id)
    curated = names_by(session, curators.where(Curator.user_id.in_(ids)).order_by(Collection.name))
    return [
        UserOut(
            id=user.id,
            name=user.shown,
            source=user.source,
            kind=user.kind,
            display_name=user.display_name,
            clearance=Label(user.clearance).text,
            capabilities=sorted(capabilities(user.capabilities)),
            active=user.active,
            roles=roles.get(user.id, []),
            curates=curated.get(user.id, []),
        )
        for user in users
    ]
