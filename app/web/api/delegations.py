"""What you let a service do for you: made and ended in person, with your own key."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.audit.actor import actor
from app.audit.events import DelegationMade, DelegationRevoked
from app.audit.log import record
from app.db.tables.people import Delegation, User
from app.errors import InvalidInput, MissingCapability
from app.identity.authenticate import capabilities
from app.identity.delegations import make_delegation, revoke_delegation
from app.identity.names import parse_name
from app.identity.subject import Capability
from app.web.api.people_schemas import DelegationBody, DelegationOut, NewDelegationOut
from app.web.http.dependencies import Caller, PartsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/delegations", tags=["people"])


@router.get("")
def delegations(
    subject: Caller, session: Reading, page: PageOf, user: Annotated[str | None, Query()] = None
) -> list[DelegationOut]:
    """Your own; those that anybody, or `user`, has given, for an administrator."""
    person, service = aliased(User), aliased(User)
    query = (
        select(Delegation, person.shown, service.shown)
        .join(person, person.id == Delegation.person_id)
        .join(service, service.id == Delegation.service_id)
    )
    if Capability.ADMINISTER not in subject.capabilities:
        if user not in {None, subject.name}:
            raise MissingCapability("What others let services do is for administrators.")
        query = query.where(Delegation.person_id == subject.user_id)
    elif user is not None:
        source, name = parse_name(user)
        query = query.where(person.source == source, person.name == name)
    found = page.rows(session, query, [person.name, Delegation.created_at, Delegation.id])
    return [DelegationOut(**_fields(made, giver, to)) for made, giver, to in found]


@router.post("", status_code=201)
def make(body: DelegationBody, subject: Caller, session: Writing, parts: PartsOf) -> NewDelegationOut:
    """Let a service act for you. The token is in this answer and never again; it needs a key of that service too."""
    longest = parts.settings.api.delegation_seconds
    if body.expires_in > longest:
        raise InvalidInput(f"expires_in may be {longest} seconds at most.")
    allowed = [Capability(name) for name in body.capabilities]
    made, new = make_delegation(session, subject, service=body.service, seconds=body.expires_in, allowed=allowed)
    event = DelegationMade(
        actor=actor(subject),
        person=made.person_id,
        service=made.service_id,
        prefix=made.prefix,
        capabilities=tuple(made.capabilities),
        expires_at=made.expires_at,
    )
    record(session, event)
    return NewDelegationOut(**_fields(made, subject.name, _name(session, made)), secret=new.secret)


@router.delete("/{delegation}", status_code=204)
def revoke(delegation: str, subject: Caller, session: Writing) -> None:
    """End a delegation: your own, or any as an administrator. It stops working when this returns."""
    ended = revoke_delegation(session, subject, public_id(delegation))
    event = DelegationRevoked(
        actor=actor(subject), person=ended.person_id, service=ended.service_id, prefix=ended.prefix
    )
    record(session, event)


def _name(session: Session, made: Delegation) -> str:
    return session.get_one(User, made.service_id).shown


def _fields(made: Delegation, person: str, service: str) -> dict[str, Any]:
    plain = {name: getattr(made, name) for name in ("id", "prefix", "created_at", "expires_at", "revoked_at")}
    return {**plain, "person": person, "service": service, "capabilities": sorted(capabilities(made.capabilities))}
