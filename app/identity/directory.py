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


def add_person(  # noqa: PLR0913  # each is a column
    session: Session,
    *,
    name: str,
    display_name: str,
    clearance: Label,
    allowed: list[Capability],
    source: str = LOCAL,
    external_id: str | None = None,
) -> User:
    """A new person, who is in no role. InvalidInput for a capability that only a service has."""
    if Capability.PROVISION in allowed:
        raise InvalidInput("Only a service provisions: 'clearance people add-service NAME --provisions SOURCE'.")
    user = User(
        name=name,
        source=source,
        kind="person",
        display_name=display_name or name,
        clearance=int(clearance),
        capabilities=[c.value for c in allowed],
        external_id=external_id,
    )
    return _add_user(session, user)


def add_service(
    session: Session,
    *,
    name: str,
    display_name: str,
    allowed: list[Capability],
    source: str = LOCAL,
    provisions: str | None = None,
) -> User:
    """A new service, with no clearance and never a role. InvalidInput for more than a service may do."""
    refuse_more_than_a_service(allowed, provisions)
    user = User(
        provisions=provisions,
        name=name,
        source=source,
        kind="service",
        display_name=display_name or name,
        clearance=int(Label.PUBLIC),
        capabilities=[c.value for c in allowed],
    )
    return _add_user(session, user)


def refuse_more_than_a_service(allowed: Iterable[Capability], provisions: str | None) -> None:
    """Raise InvalidInput if a service would get a capability that it may not have, or keep a source that is ours."""
    if provisions == LOCAL:
        raise InvalidInput("'local' are the people whom administrators make here: no service keeps these.")
    if provisions is not None and set(allowed) - {Capability.PROVISION}:
        raise InvalidInput(f"A service that keeps the people of '{provisions}' may do that alone: give it 'provision'.")
    if provisions is None and (beyond := sorted(set(allowed) - FOR_SERVICES)):
        raise InvalidInput(f"A service may ask and download for a person, and never {' or '.join(beyond)}.")


def add_role(session: Session, name: str, *, source: str = LOCAL, external_id: str | None = None) -> Role:
    """A new, empty role. Raises InvalidInput for 'everyone', whatever the source."""
    if name == "everyone":
        raise InvalidInput("'everyone' stands for every signed-in person; give the role another name.")
    role = Role(name=name, source=source, external_id=external_id)
    if session.scalar(select(exists().where(Role.name == name, Role.source == source))):
        raise Conflict(f"A role named '{role.shown}' exists.")
    if external_id is not None and session.scalar(
        select(exists().where(Role.source == source, Role.external_id == external_id))
    ):
        raise Conflict(f"Another role of '{source}' stands for the group '{external_id}'.")
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
    if user.external_id is not None and session.scalar(
        select(exists().where(User.source == user.source, User.external_id == user.external_id))
    ):
        raise Conflict(f"Somebody else in '{user.source}' has this external id.")
    session.add(user)
    session.flush()
    return user
