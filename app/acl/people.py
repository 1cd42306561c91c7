"""Changes to users, roles and keys. None of them may give their own author something to read or to do."""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.acl.keys import NewKey, make_key
from app.acl.names import refuse_service
from app.acl.rules import Capability, Label, Subject
from app.acl.subject import FOR_SERVICES, capabilities
from app.db.session import WriteSession
from app.db.tables.people import LOCAL, ApiKey, Membership, Role, RoleInside, User
from app.errors import Conflict, InvalidInput, SelfGrant

ASK_ANOTHER = "Ask another administrator."


def make_user(
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


def make_service(
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


def refuse_own_gain(subject: Subject, user: User, clearance: Label | None, allowed: list[Capability] | None) -> None:
    """Raise SelfGrant if a change to one's own user adds a capability or raises the clearance."""
    if user.id != subject.user_id:
        return
    gained = set(allowed or []) - capabilities(user.capabilities)
    if gained or (clearance is not None and clearance > user.clearance):
        raise SelfGrant(f"You cannot raise your own clearance or capabilities. {ASK_ANOTHER}")


def make_role(session: WriteSession, name: str, *, source: str = LOCAL) -> Role:
    """A new, empty role. Raises InvalidInput for 'everyone', whatever the source."""
    if name == "everyone":
        raise InvalidInput("'everyone' stands for every signed-in person; give the role another name.")
    role = Role(name=name, source=source)
    if session.scalar(select(exists().where(Role.name == name, Role.source == source))):
        raise Conflict(f"A role named '{role.shown}' exists.")
    session.add(role)
    session.flush()
    return role


def join(session: WriteSession, subject: Subject, user: User, role: Role) -> None:
    """Put a person into a role; raises SelfGrant for oneself, InvalidInput for a service."""
    refuse_service(user)
    if user.id == subject.user_id:
        raise SelfGrant(f"You cannot put yourself into a role. {ASK_ANOTHER}")
    session.execute(insert(Membership).values(user_id=user.id, role_id=role.id).on_conflict_do_nothing())


def leave(session: WriteSession, subject: Subject, user: User, role: Role) -> None:
    """Take a user out of a role. Raises SelfGrant for oneself: a deny to that role would end with it."""
    if user.id == subject.user_id:
        raise SelfGrant(f"You cannot take yourself out of a role. {ASK_ANOTHER}")
    session.execute(delete(Membership).where(Membership.user_id == user.id, Membership.role_id == role.id))


def nest(session: WriteSession, subject: Subject, role: Role, inside: Role) -> None:
    """Make members of `role` members of `inside` too. InvalidInput for a circle, SelfGrant for one's own role."""
    if role.id in subject.roles and inside.id not in subject.roles:
        raise SelfGrant(f"You are in '{role.shown}'; this would put you into '{inside.shown}' too. {ASK_ANOTHER}")
    # Locked in one order, so that two administrators cannot close a circle from both sides at once.
    session.execute(select(Role.id).order_by(Role.id).with_for_update())
    if role.id in _above(session, inside.id):
        raise InvalidInput(f"'{inside.shown}' lies inside '{role.shown}' already; a circle of roles is refused.")
    session.execute(insert(RoleInside).values(role_id=role.id, inside_id=inside.id).on_conflict_do_nothing())


def unnest(session: WriteSession, subject: Subject, role: Role, inside: Role) -> None:
    """Undo `nest`. Raises SelfGrant for one's own role: a deny to the outer role would end with it."""
    if role.id in subject.roles:
        raise SelfGrant(f"You are in '{role.shown}'. {ASK_ANOTHER}")
    session.execute(delete(RoleInside).where(RoleInside.role_id == role.id, RoleInside.inside_id == inside.id))


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


def _above(session: WriteSession, role_id: uuid.UUID) -> set[uuid.UUID]:
    """The role and all that it lies inside of."""
    above = select(Role.id.label("id")).where(Role.id == role_id).cte("above", recursive=True)
    above = above.union(select(RoleInside.inside_id).join(above, RoleInside.role_id == above.c.id))
    return set(session.scalars(select(above.c.id)))
