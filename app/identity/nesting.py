"""Roles inside roles: the one place that follows nesting, outwards to the roles around and inwards to those inside."""

import datetime as dt
import uuid
from collections.abc import Collection as Collected
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, CTE, ColumnElement, Select, Uuid, any_, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.tables.access import Steward
from app.db.tables.history import MembershipHistory, NestingHistory, valid_at
from app.db.tables.people import Membership, Role, RoleInside, User

Column = InstrumentedAttribute[uuid.UUID]


def with_outer_roles(seed: Select[*tuple[Any, ...]]) -> CTE:
    """The rows of `seed`, and one more for each role that its `role_id` lies inside of; its other columns repeat."""
    return _closure(seed, RoleInside.role_id, RoleInside.inside_id)


def with_inner_roles(seed: Select[*tuple[Any, ...]]) -> CTE:
    """The same inwards: one more row for each role that lies inside `role_id`."""
    return _closure(seed, RoleInside.inside_id, RoleInside.role_id)


def with_outer_roles_at(seed: Select[*tuple[Any, ...]], at: dt.datetime) -> CTE:
    """The same outwards by the nesting of a moment of the past."""
    return _closure(seed, NestingHistory.role_id, NestingHistory.inside_id, valid_at(NestingHistory, at))


def held_roles() -> ColumnElement[list[uuid.UUID]]:
    """All roles of the `User` of a statement around this, as an array, as `roles_of` gives them."""
    seed = select(Membership.role_id).where(Membership.user_id == User.id, Membership.current()).correlate(User)
    held = _closure(seed, RoleInside.role_id, RoleInside.inside_id, nesting=True)
    return func.array(select(held.c.role_id).scalar_subquery(), type_=ARRAY(Uuid))


def roles_of(session: Session, user_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """All roles of a user: those they are in, and those around them."""
    held = with_outer_roles(select(Membership.role_id).where(Membership.user_id == user_id, Membership.current()))
    return frozenset(session.scalars(select(held.c.role_id)))


def roles_at(session: Session, user_id: uuid.UUID, at: dt.datetime) -> frozenset[uuid.UUID]:
    """All roles of a user at a moment of the past, by the nesting of that moment."""
    held = select(MembershipHistory.role_id).where(
        MembershipHistory.user_id == user_id,
        valid_at(MembershipHistory, at),
        or_(MembershipHistory.ends_at.is_(None), MembershipHistory.ends_at > at),
    )
    around = with_outer_roles_at(held, at)
    return frozenset(session.scalars(select(around.c.role_id)))


def outer_roles(session: Session, role_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The role and all that it lies inside of."""
    around = with_outer_roles(select(Role.id.label("role_id")).where(Role.id == role_id))
    return frozenset(session.scalars(select(around.c.role_id)))


def stewarded_with_outer(session: Session, user_id: uuid.UUID) -> dict[uuid.UUID, frozenset[uuid.UUID]]:
    """For each role that a user is steward of, that role and all that it lies inside of."""
    mine = select(Steward.role_id.label("steward_of"), Steward.role_id).where(Steward.user_id == user_id)
    around = with_outer_roles(mine)
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for role, outer in session.execute(select(around.c.steward_of, around.c.role_id)):
        found.setdefault(role, set()).add(outer)
    return {role: frozenset(outer) for role, outer in found.items()}


def in_role(user_id: ColumnElement[uuid.UUID], role_id: uuid.UUID) -> ColumnElement[bool]:
    """Whether a user is in this role now, also by way of the roles inside it."""
    inside = with_inner_roles(select(Role.id.label("role_id")).where(Role.id == role_id))
    members = select(Membership.user_id).join(inside, inside.c.role_id == Membership.role_id)
    return user_id.in_(members.where(Membership.current()))


def members_of(session: Session, role_ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """The users in any of these roles, also by way of the roles inside them."""
    seed = select(Role.id.label("role_id")).where(Role.id == any_(literal(list(role_ids), ARRAY(Uuid))))
    inside = with_inner_roles(seed)
    members = select(Membership.user_id).join(inside, inside.c.role_id == Membership.role_id)
    members = members.where(Membership.current())
    return frozenset(session.scalars(members))


def members_by_role(session: Session, users: Collected[uuid.UUID]) -> dict[str, int]:
    """How many of these users are in each role, also by way of the roles inside it, by the role's name."""
    among = Membership.user_id == any_(literal(list(users), ARRAY(Uuid)))
    held = with_outer_roles(select(Membership.user_id, Membership.role_id).where(among, Membership.current()))
    counted = select(Role.shown, func.count()).join(held, held.c.role_id == Role.id).group_by(Role.id)
    return dict(session.execute(counted).all())


def _closure(
    seed: Select[*tuple[Any, ...]], start: Column, end: Column, *where: ColumnElement[bool], nesting: bool = False
) -> CTE:
    found = seed.cte(recursive=True, nesting=nesting)
    # The recursive part gives the columns in the order of the seed, which a union takes by their place.
    columns = [end if column.name == "role_id" else column for column in found.c]
    return found.union(select(*columns).join_from(found, end.class_, start == found.c.role_id).where(*where))
