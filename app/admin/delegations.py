"""What a person lets a service do for them: created and revoked by the person alone, with their own key."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from app.audit.actor import actor
from app.audit.events.delegations import DelegationCreated, DelegationRevoked
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.people import Delegation, User
from app.errors import InPersonNeeded, InvalidInput, MissingCapability, NotFound
from app.identity.api_keys import NewKey, make_token
from app.identity.authenticate import FOR_SERVICES, capabilities
from app.identity.names import parse_name
from app.identity.subject import Capability, Subject, require_in_person


@dataclass(frozen=True)
class DelegationView:
    """A delegation without its token; person and service by name."""

    id: uuid.UUID
    prefix: str
    person: str
    service: str
    capabilities: list[Capability]
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


def list_delegations(session: Session, subject: Subject, page: Page, *, user: str | None) -> list[DelegationView]:
    """The subject's own; for an administrator those that everybody, or the user of this name, has given."""
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
    return [_view(delegation, giver, to) for delegation, giver, to in found]


def create_delegation(
    session: WriteSession,
    subject: Subject,
    *,
    service: str,
    seconds: int,
    max_seconds: int,
    allowed: Iterable[Capability],
) -> tuple[DelegationView, NewKey]:
    """A token for this service, to act for the subject; the secret is in the second value alone.

    It never gives more than the key that it is created with, and ends with that key. Raises InPersonNeeded,
    MissingCapability, or InvalidInput: the same for a service that is not there and for a name of somebody else.
    """
    require_in_person(subject)
    if subject.means == "token":
        raise InPersonNeeded
    if seconds > max_seconds:
        raise InvalidInput(f"expires_in may be {max_seconds} seconds at most.")
    wanted = set(allowed)
    if not wanted or wanted - FOR_SERVICES:
        raise InvalidInput("A service can be let ask and download, and nothing else.")
    if lacking := sorted(wanted - subject.capabilities):
        raise MissingCapability(f"You cannot lend what you lack: {', '.join(lacking)}, of both your key and yourself.")
    to, new = _find_service(session, service), make_token()
    delegation = Delegation(
        prefix=new.prefix,
        hash=new.hash,
        service_id=to.id,
        person_id=subject.user_id,
        # Made in a session, which is over by the evening, it ends by its time alone.
        key_id=subject.key_id if subject.means == "key" else None,
        capabilities=sorted(c.value for c in wanted),
        expires_at=session.scalars(select(func.now())).one() + dt.timedelta(seconds=seconds),
    )
    session.add(delegation)
    session.flush()
    event = DelegationCreated(
        actor=actor(subject),
        person=delegation.person_id,
        service=delegation.service_id,
        prefix=delegation.prefix,
        capabilities=tuple(delegation.capabilities),
        expires_at=delegation.expires_at,
    )
    record(session, event)
    return _view(delegation, subject.name, to.shown), new


def revoke_delegation(session: WriteSession, subject: Subject, delegation_id: uuid.UUID) -> None:
    """End a delegation of one's own, or any as an administrator; at once. Raises NotFound."""
    require_in_person(subject)
    query = select(Delegation).where(Delegation.id == delegation_id)
    if Capability.ADMINISTER not in subject.capabilities:
        query = query.where(Delegation.person_id == subject.user_id)
    found = session.scalar(query)
    if found is None:
        raise NotFound
    session.execute(
        update(Delegation)
        .where(Delegation.id == found.id, Delegation.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    event = DelegationRevoked(
        actor=actor(subject), person=found.person_id, service=found.service_id, prefix=found.prefix
    )
    record(session, event)


def _find_service(session: Session, text: str) -> User:
    source, name = parse_name(text)
    found = session.scalar(
        select(User).where(User.source == source, User.name == name, User.kind == "service", User.active)
    )
    if found is None:
        raise InvalidInput(f"No service is named '{text}'.")
    return found


def _view(delegation: Delegation, person: str, service: str) -> DelegationView:
    return DelegationView(
        id=delegation.id,
        prefix=delegation.prefix,
        person=person,
        service=service,
        capabilities=sorted(capabilities(delegation.capabilities)),
        created_at=delegation.created_at,
        expires_at=delegation.expires_at,
        revoked_at=delegation.revoked_at,
    )
