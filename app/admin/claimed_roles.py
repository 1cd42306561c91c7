"""Roles that a claim of a provider gives: those whose external id is among the groups that it lists, for a while.

Which role stands for which group, an administrator declares; a group that nobody declared gives nothing.
"""

import datetime as dt
import uuid
from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import any_, exists, func, literal, select, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.admin.provisioning import change_members
from app.audit.actor import actor
from app.audit.events.directory import RoleChanged
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.people import LOCAL, Membership, Role, User
from app.db.tables.sign_in import SignInIdentity
from app.errors import Conflict, InvalidInput
from app.identity.subject import Capability, Subject, require_capability


@dataclass(frozen=True)
class ClaimedGroup:
    """A group that claims of this source name, the role that stands for it, and how many people's claims name it."""

    source: str
    group: str
    role: str | None
    people: int


def list_claimed_groups(session: Session, subject: Subject, page: Page) -> list[ClaimedGroup]:
    """The groups that the last claims of people named, with the roles that stand for them (administer)."""
    require_capability(subject, Capability.ADMINISTER)
    seen = (
        select(User.source, func.unnest(SignInIdentity.groups).label("name"), SignInIdentity.user_id)
        .join(User, User.id == SignInIdentity.user_id)
        .where(SignInIdentity.groups_until > func.now(), User.active)
        .subquery()
    )
    counted = (
        select(seen.c.source, seen.c.name, func.count(seen.c.user_id.distinct()).label("people"))
        .group_by(seen.c.source, seen.c.name)
        .subquery()
    )
    mapped = (Role.source == counted.c.source) & (Role.external_id == counted.c.name)
    query = select(counted.c.source, counted.c.name, Role.shown, counted.c.people).outerjoin(Role, mapped)
    return [ClaimedGroup(*row) for row in page.rows(session, query, [counted.c.source, counted.c.name])]


def map_group(session: WriteSession, subject: Subject, role: Role, group: str | None) -> None:
    """Declare that the role stands for this group of its source, None: for none. Raises Conflict for another's group.

    Whose last claim names the group comes into the role at once, until the claim ends; whom the role's former group
    brought leaves it.
    """
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    if role.source == LOCAL:
        raise InvalidInput("A local role stands for no group; make a role of the source, and put it inside this one.")
    taken = select(exists().where(Role.source == role.source, Role.external_id == group, Role.id != role.id))
    if group is not None and session.scalar(taken):
        raise Conflict(f"Another role of '{role.source}' stands for the group '{group}'.")
    before = {"external_id": role.external_id, "name": role.shown}
    role.external_id = group
    session.flush()
    after = {"external_id": group, "name": role.shown}
    record(session, RoleChanged(actor=actor(subject), role=role.id, before=before, after=after))
    ending = select(Membership.user_id).where(Membership.role_id == role.id, Membership.ends_at.is_not(None))
    change_members(session, subject, role, leave=set(session.scalars(ending)))
    for until, users in _claimants(session, role.source, group).items():
        change_members(session, subject, role, join=users, ends_at=until)


def claimants(session: Session, source: str, group: str | None) -> frozenset[uuid.UUID]:
    """Whose last claim names this group of the source."""
    return frozenset(user for users in _claimants(session, source, group).values() for user in users)


def _claimants(session: Session, source: str, group: str | None) -> dict[dt.datetime, set[uuid.UUID]]:
    """Whose last claim names the group, by when it ends."""
    query = (
        select(SignInIdentity.groups_until, SignInIdentity.user_id)
        .join(User, User.id == SignInIdentity.user_id)
        .where(User.source == source, SignInIdentity.groups_until > func.now())
        .where(literal(group) == any_(SignInIdentity.groups))
    )
    found: dict[dt.datetime, set[uuid.UUID]] = {}
    for until, user in session.execute(query):
        if until is not None:
            found.setdefault(until, set()).add(user)
    return found


def set_claimed_roles(
    session: WriteSession, subject: Subject, user: User, groups: Set[str], until: dt.datetime
) -> None:
    """Let this person be in exactly the roles of these groups, as far as claims give them, until that moment.

    A group that no role stands for gives nothing. Memberships without an end were given directly and stay. One that
    holds for more than half its time is not written again, so that signing in changes nothing for anybody.
    """
    now = session.scalars(select(func.now())).one()
    wanted = set(session.scalars(select(Role.id).where(Role.source == user.source, Role.external_id.in_(groups))))
    rows = session.execute(
        select(Membership.role_id, Membership.ends_at)
        .join(Role, Role.id == Membership.role_id)
        .where(Membership.user_id == user.id, Role.source == user.source)
    ).all()
    held = {row.role_id: row.ends_at for row in rows}
    # One that has ended is left first, so that the log says when it came back.
    over = {role for role, end in held.items() if end is not None and (end <= now or role not in wanted)}
    for role_id in sorted(over):
        change_members(session, subject, session.get_one(Role, role_id), leave=[user.id])
    for role_id in sorted(wanted - (held.keys() - over)):
        change_members(session, subject, session.get_one(Role, role_id), join=[user.id], ends_at=until)
    _confirm(session, user.id, {r for r, end in held.items() if r in wanted - over and end is not None}, now, until)


def _confirm(
    session: WriteSession, user_id: uuid.UUID, roles: Set[uuid.UUID], now: dt.datetime, until: dt.datetime
) -> None:
    half = now + (until - now) / 2
    session.execute(
        update(Membership)
        .where(Membership.user_id == user_id, Membership.role_id.in_(roles), Membership.ends_at < half)
        .values(ends_at=until)
    )
