"""Changes to users, roles and keys. What they may not give their own author is judged in `app.acl.change_guard`."""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import Uuid, bindparam, delete, exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.acl.change_guard import judged
from app.db.session import WriteSession
from app.db.tables.people import LOCAL, ApiKey, Membership, Role, RoleInside, User
from app.errors import Conflict, InvalidInput, SelfGrant
from app.identity.api_keys import NewKey, make_key
from app.identity.authenticate import FOR_SERVICES
from app.identity.names import refuse_service
from app.identity.subject import Capability, Label, Subject

# Rules are interned and stay when the last scope that pointed to one is gone; in force are those of scopes, and what
# collections and folders say for themselves, though nothing may stand there yet.
NAMED_IN_FORCE = text(
    """
    select exists (
      select from rule_grant g join rule r on coalesce(r.own_id, r.id) = g.rule_id join scope s on s.rule_id = r.id
      where g.principal_kind = 'role' and g.principal_id = :role
    ) or exists (
      select from rule_grant g join rule r on r.above_id = g.rule_id join scope s on s.rule_id = r.id
      where g.principal_kind = 'role' and g.principal_id = :role
    ) or exists (
      select from collection c where c.own_rule @> jsonb_build_object('grants', jsonb_build_array(
        jsonb_build_object('kind', 'role', 'principal', cast(:role as text))))
    ) or exists (
      select from folder f where f.own_rule @> jsonb_build_object('grants', jsonb_build_array(
        jsonb_build_object('kind', 'role', 'principal', cast(:role as text))))
    )
    """
).bindparams(bindparam("role", type_=Uuid))


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
    """Put a person into a role; raises InvalidInput for a service, SelfGrant for oneself by delegation."""
    refuse_service(user)
    judged(session, subject)
    _refuse_for_oneself(subject, user)
    session.execute(insert(Membership).values(user_id=user.id, role_id=role.id).on_conflict_do_nothing())


def leave(session: WriteSession, subject: Subject, user: User, role: Role) -> None:
    """Take a user out of a role; raises SelfGrant for oneself by delegation."""
    judged(session, subject)
    _refuse_for_oneself(subject, user)
    session.execute(delete(Membership).where(Membership.user_id == user.id, Membership.role_id == role.id))


def nest(session: WriteSession, subject: Subject, role: Role, inside: Role) -> None:
    """Make members of `role` members of `inside` too. Raises InvalidInput for a circle."""
    # Holds the epoch, so that two administrators cannot close a circle from both sides at once.
    judged(session, subject)
    if role.id in _above(session, inside.id):
        raise InvalidInput(f"'{inside.shown}' lies inside '{role.shown}' already; a circle of roles is refused.")
    session.execute(insert(RoleInside).values(role_id=role.id, inside_id=inside.id).on_conflict_do_nothing())


def unnest(session: WriteSession, subject: Subject, role: Role, inside: Role) -> None:
    """Undo `nest`."""
    judged(session, subject)
    session.execute(delete(RoleInside).where(RoleInside.role_id == role.id, RoleInside.inside_id == inside.id))


def delete_role(session: WriteSession, subject: Subject, role: Role) -> None:
    """Delete a role that no rule in force names; raises Conflict. A rule that denied it would open.

    A rule of the past may name it: its grants keep the role's id, and so does the history of who was in it.
    """
    judged(session, subject)
    if session.scalar(NAMED_IN_FORCE, {"role": role.id}):
        raise Conflict(
            f"Rules name the role '{role.shown}'; it stays, so that their meaning stays. Empty it instead, or take its "
            "grants out of the rules first."
        )
    session.execute(delete(Role).where(Role.id == role.id))


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


def _refuse_for_oneself(subject: Subject, user: User) -> None:
    """Raise SelfGrant where somebody who looks after a role would change their own membership.

    The database refuses it anyway (`stewards_add`); an administrator is judged, and can make a plan of it.
    """
    if user.id == subject.user_id and Capability.ADMINISTER not in subject.capabilities:
        raise SelfGrant(
            "You look after this role, and your own membership is not yours to change. Ask an administrator."
        )


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
