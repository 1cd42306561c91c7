"""Roles: created and deleted, their members and stewards, and which lies inside which."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Uuid, bindparam, delete, func, select
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import Session, aliased

from app.acl.change_guard import guard_change
from app.admin.audit_records import policy_epoch, record_person
from app.audit.actor import actor
from app.audit.events.directory import RoleChanged, RoleCreated, RoleJoined, RoleLeft, RoleRemoved
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.access import Steward
from app.db.tables.people import Membership, Role, RoleInside, User
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound, SelfGrant
from app.identity import directory
from app.identity.names import find_role, name_contains, names_by, refuse_service
from app.identity.nesting import outer_roles
from app.identity.stewards import require_steward, stewarded_roles
from app.identity.subject import Capability, Subject, require_capability

# Rules are interned and stay when the last scope that pointed to one is gone; in force are those of scopes, and what
# collections and folders say for themselves, though nothing may stand there yet.
NAMED_IN_FORCE = sql_text(
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


@dataclass(frozen=True)
class RoleView:
    """A role with the names of those directly around it, and of its members where these may be shown."""

    id: uuid.UUID
    name: str
    source: str
    external_id: str | None
    inside: list[str]
    members: list[str]


def list_roles(
    session: Session, subject: Subject, page: Page, *, text: str | None = None, source: str | None = None
) -> list[RoleView]:
    """All roles for administrators, and for curators, who tag with them; for others those they are steward of.

    `text` stands in the name, with its source in front. Members are shown to administrators and to the role's stewards.
    """
    query = select(Role)
    if text is not None:
        query = query.where(name_contains(Role, text))
    if source is not None:
        query = query.where(Role.source == source)
    mine = stewarded_roles(session, subject)
    if not {Capability.ADMINISTER, Capability.CURATE} & subject.capabilities:
        if not mine:
            raise MissingCapability("This needs the capability 'administer' or 'curate', or a role delegated to you.")
        query = query.where(Role.id.in_(mine))
    found = [role for (role,) in page.rows(session, query, [Role.name, Role.source])]
    all_members = Capability.ADMINISTER in subject.capabilities
    return _views(session, found, members={role.id for role in found if all_members or role.id in mine})


def create_role(
    session: WriteSession,
    subject: Subject,
    *,
    name: str,
    source: str,
    inside: Sequence[str],
    external_id: str | None = None,
) -> RoleView:
    """A new role inside the roles of these names. Raises Conflict for one that is missing, or a name that is taken."""
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    outer = [_outer_role(session, outer) for outer in inside]
    role = directory.add_role(session, name, source=source, external_id=external_id)
    record(session, RoleCreated(actor=actor(subject), role=role.id, name=role.shown))
    for each in outer:
        nest(session, subject, role, each)
    return _views(session, [role], members={role.id})[0]


def delete_role(session: WriteSession, subject: Subject, role: Role) -> None:
    """Delete a role that no rule in force names; raises Conflict, since a rule that denied it would open.

    A rule of the past may name it: its grants keep the role's id, and so does the history of who was in it.
    """
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    if session.scalar(NAMED_IN_FORCE, {"role": role.id}):
        raise Conflict(
            f"Rules name the role '{role.shown}'; it stays, so that their meaning stays. Empty it instead, or take its "
            "grants out of the rules first."
        )
    record(session, RoleRemoved(actor=actor(subject), role=role.id, name=role.shown))
    session.execute(delete(Role).where(Role.id == role.id))


def add_member(session: WriteSession, subject: Subject, role: Role, user: User) -> None:
    """Put a person into a role. Raises BeyondReach, InvalidInput for a service, SelfGrant for a steward's own self."""
    require_steward(session, subject, role)
    refuse_service(user)
    guard_change(session, subject)
    _refuse_own_membership(subject, user)
    here = (Membership.user_id == user.id) & (Membership.role_id == role.id)
    # One that would end by itself gives way to one that stays.
    session.execute(delete(Membership).where(here, Membership.ends_at.is_not(None)))
    session.execute(insert(Membership).values(user_id=user.id, role_id=role.id).on_conflict_do_nothing())
    event = RoleJoined(actor=actor(subject), role=role.id, user=user.id, epoch=policy_epoch(session))
    record(session, event)


def remove_member(session: WriteSession, subject: Subject, role: Role, user: User) -> None:
    """Take a user out of a role. Raises BeyondReach, or SelfGrant for a steward's own self."""
    require_steward(session, subject, role)
    guard_change(session, subject)
    _refuse_own_membership(subject, user)
    session.execute(delete(Membership).where(Membership.user_id == user.id, Membership.role_id == role.id))
    event = RoleLeft(actor=actor(subject), role=role.id, user=user.id, epoch=policy_epoch(session))
    record(session, event)


def nest(session: WriteSession, subject: Subject, role: Role, outer: Role) -> None:
    """Make members of `role` members of `outer` too. Raises InvalidInput for a circle."""
    require_capability(subject, Capability.ADMINISTER)
    # Holds the epoch, so that two administrators cannot close a circle from both sides at once.
    guard_change(session, subject)
    if role.id in outer_roles(session, outer.id):
        raise InvalidInput(f"'{outer.shown}' lies inside '{role.shown}' already; a circle of roles is refused.")
    before = _directly_around(session, role)
    session.execute(insert(RoleInside).values(role_id=role.id, inside_id=outer.id).on_conflict_do_nothing())
    _record_nesting(session, subject, role, before)


def unnest(session: WriteSession, subject: Subject, role: Role, outer: Role) -> None:
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    before = _directly_around(session, role)
    session.execute(delete(RoleInside).where(RoleInside.role_id == role.id, RoleInside.inside_id == outer.id))
    _record_nesting(session, subject, role, before)


def add_steward(session: WriteSession, subject: Subject, role: Role, person: User) -> None:
    """Delegate a role to a person, who may then change its members. Raises InvalidInput for a service."""
    require_capability(subject, Capability.ADMINISTER)
    refuse_service(person)
    guard_change(session, subject)
    session.execute(insert(Steward).values(user_id=person.id, role_id=role.id).on_conflict_do_nothing())
    record_person(session, subject, "steward.added", f"role:{role.id}", person.id)


def remove_steward(session: WriteSession, subject: Subject, role: Role, person: User) -> None:
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    session.execute(delete(Steward).where(Steward.user_id == person.id, Steward.role_id == role.id))
    record_person(session, subject, "steward.removed", f"role:{role.id}", person.id)


def _outer_role(session: Session, name: str) -> Role:
    try:
        return find_role(session, name)
    except NotFound:
        raise Conflict(f"No role is named '{name}'; make the outer role first.") from None


def _refuse_own_membership(subject: Subject, user: User) -> None:
    """Raise SelfGrant where a steward would change their own membership.

    The database refuses it anyway (`stewards_add`); an administrator is guarded, and can make a plan of it.
    """
    if user.id == subject.user_id and Capability.ADMINISTER not in subject.capabilities:
        raise SelfGrant(
            "You look after this role, and your own membership is not yours to change. Ask an administrator."
        )


def _directly_around(session: Session, role: Role) -> list[str]:
    query = select(RoleInside.inside_id).where(RoleInside.role_id == role.id).order_by(RoleInside.inside_id)
    return [str(outer) for outer in session.scalars(query)]


def _record_nesting(session: WriteSession, subject: Subject, role: Role, before: list[str]) -> None:
    event = RoleChanged(
        actor=actor(subject),
        role=role.id,
        before={"inside": before, "name": role.shown},
        after={"inside": _directly_around(session, role), "name": role.shown},
    )
    record(session, event)


def _views(session: Session, roles: Sequence[Role], *, members: Collection[uuid.UUID]) -> list[RoleView]:
    """Roles with the names around them and of their members: three statements for all."""
    ids = [role.id for role in roles]
    outer = aliased(Role)
    around = select(RoleInside.role_id, outer.shown).join(outer, outer.id == RoleInside.inside_id)
    inside = names_by(session, around.where(RoleInside.role_id.in_(ids)).order_by(outer.name))
    # A row for each role: a row for each of its members takes twice the time.
    names = func.array_agg(aggregate_order_by(User.shown, User.name, User.source))
    within = select(Membership.role_id, names).join(User, User.id == Membership.user_id).where(Membership.current())
    within = within.where(Membership.role_id.in_(members)).group_by(Membership.role_id)
    people = {role: list(shown) for role, shown in session.execute(within)}
    return [
        RoleView(role.id, role.shown, role.source, role.external_id, inside.get(role.id, []), people.get(role.id, []))
        for role in roles
    ]
