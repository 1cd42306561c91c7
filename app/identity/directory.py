"""Users, roles and API keys as rows: added here, and changed in `app.admin`, which checks rights and keeps records."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.db.tables.people import LOCAL, ApiKey, Role, User
from app.errors import Conflict, InvalidInput
from app.identity.api_keys import NewKey, make_key
from app.identity.authenticate import FOR_SERVICES
from app.identity.subject import Capability, Label


def add_person(
    session: Session,
    *,
    name: str,
    display_name: str,
    clearance: Label,
    allowed: list[Capability],
    source: str = LOCAL,
) -> User:
    """A new person, who is in no role."""
    user = User(
        name=name,
        source=source,
        kind="person",
        display_name=display_name or name,
        clearance=int(clearance),
        capabilities=[c.value for c in allowed],
    )
    return _add_user(session, user)


def add_service(
    session: Session, *, name: str, display_name: str, allowed: list[Capability], source: str = LOCAL
) -> User:
    """A new service, with no clearance and never a role. InvalidInput for more than a service may do."""
    refuse_more_than_a_service(allowed)
    user = User(
        name=name,
        source=source,
        kind="service",
        display_name=display_name or name,
        clearance=int(Label.PUBLIC),
        capabilities=[c.value for c in allowed],
    )
    return _add_user(session, user)


def refuse_more_than_a_service(allowed: Iterable[Capability]) -> None:
    """Raise InvalidInput if a service would get a capability that only a person has."""
    if beyond := sorted(set(allowed) - FOR_SERVICES):
        raise InvalidInput(f"A service may ask and download for a person, and never {' or '.join(beyond)}.")


def add_role(session: Session, name: str, *, source: str = LOCAL) -> Role:
    """A new, empty role. Raises InvalidInput for 'everyone', whatever the source."""
    if name == "everyone":
        raise InvalidInput("'everyone' stands for every signed-in person; give the role another name.")
    role = Role(name=name, source=source)
    if session.scalar(select(exists().where(Role.name == name, Role.source == source))):
        raise Conflict(f"A role named '{role.shown}' exists.")
    session.add(role)
    session.flush()
    return role


def add_key(
    session: Session, user: User, *, label: str, allowed: list[Capability], expires_at: dt.datetime | None
) -> tuple[ApiKey, NewKey]:
    """A new key for a user; the secret is in the second value alone."""
    new = make_key()
    key = ApiKey(
        prefix=new.prefix,
        hash=new.hash,
        user_id=user.id,
        label=label,
        capabilities=[c.value for c in allowed],
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key, new


def _add_user(session: Session, user: User) -> User:
    if session.scalar(select(exists().where(User.name == user.name, User.source == user.source))):
        raise Conflict(f"A user named '{user.shown}' exists.")
    session.add(user)
    session.flush()
    return user
