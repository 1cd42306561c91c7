"""What a person lets a service do for them: made and ended by the person alone, with their own key."""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.db.session import WriteSession
from app.db.tables.people import Delegation, User
from app.errors import InPersonNeeded, InvalidInput, MissingCapability, NotFound
from app.identity.api_keys import NewKey, make_token
from app.identity.authenticate import FOR_SERVICES
from app.identity.names import parse_name
from app.identity.subject import Capability, Subject


def in_person(subject: Subject) -> None:
    """Raise InPersonNeeded where a service speaks for the subject: its keys and tokens are the person's own matter."""
    if subject.via is not None:
        raise InPersonNeeded


def make_delegation(
    session: WriteSession, subject: Subject, *, service: str, seconds: int, allowed: Iterable[Capability]
) -> tuple[Delegation, NewKey]:
    """A token for this service, to act for the subject; the secret is in the second value alone.

    It never gives more than the key that it is made with, and ends with that key. Raises InPersonNeeded,
    MissingCapability, or InvalidInput: the same for a service that is not there and for a name of somebody else.
    """
    in_person(subject)
    wanted = set(allowed)
    if not wanted or wanted - FOR_SERVICES:
        raise InvalidInput("A service can be let ask and download, and nothing else.")
    if lacking := sorted(wanted - subject.capabilities):
        raise MissingCapability(f"You cannot lend what you lack: {', '.join(lacking)}, of both your key and yourself.")
    new = make_token()
    made = Delegation(
        prefix=new.prefix,
        hash=new.hash,
        service_id=_service_id(session, service),
        person_id=subject.user_id,
        key_id=subject.key_id,
        capabilities=sorted(c.value for c in wanted),
        expires_at=session.scalars(select(func.now())).one() + dt.timedelta(seconds=seconds),
    )
    session.add(made)
    session.flush()
    return made, new


def revoke_delegation(session: WriteSession, subject: Subject, delegation_id: uuid.UUID) -> Delegation:
    """End a delegation of one's own, or any as an administrator; at once. Raises NotFound."""
    in_person(subject)
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
    return found


def _service_id(session: Session, text: str) -> uuid.UUID:
    source, name = parse_name(text)
    found = session.scalar(
        select(User.id).where(User.source == source, User.name == name, User.kind == "service", User.active)
    )
    if found is None:
        raise InvalidInput(f"No service is named '{text}'.")
    return found
