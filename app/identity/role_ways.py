"""How somebody comes into a role: as its member, or as a member of one that lies inside it, and for how long."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.tables.history import MembershipHistory, NestingHistory, valid_at
from app.db.tables.people import Membership, RoleInside
from app.identity.nesting import with_outer_roles, with_outer_roles_at

FOR_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class RoleWay:
    """A way into a role: the roles on it, from the one that somebody is a member of to the role itself.

    `until` is when it ends by itself; None: never.
    """

    path: tuple[uuid.UUID, ...]
    until: dt.datetime | None

    @property
    def role(self) -> uuid.UUID:
        return self.path[-1]


def ways_of(session: Session, user_id: uuid.UUID) -> list[RoleWay]:
    """For each role of a user the way that lasts longest, and beside it their own membership if that is another way."""
    held = select(Membership.role_id, Membership.ends_at).where(Membership.user_id == user_id, Membership.current())
    around = with_outer_roles(held.with_only_columns(Membership.role_id))
    nested = select(RoleInside.role_id, RoleInside.inside_id).join(around, around.c.role_id == RoleInside.role_id)
    return role_ways(dict(session.execute(held).all()), session.execute(nested).all())


def ways_at(session: Session, user_id: uuid.UUID, at: dt.datetime) -> list[RoleWay]:
    """The same at a moment of the past."""
    history = MembershipHistory
    held = select(history.role_id, history.ends_at).where(
        history.user_id == user_id, valid_at(history, at), or_(history.ends_at.is_(None), history.ends_at > at)
    )
    around = with_outer_roles_at(held.with_only_columns(history.role_id), at)
    nested = select(NestingHistory.role_id, NestingHistory.inside_id).where(valid_at(NestingHistory, at))
    nested = nested.join(around, around.c.role_id == NestingHistory.role_id)
    return role_ways(dict(session.execute(held).all()), session.execute(nested).all())


def role_ways(
    held: Mapping[uuid.UUID, dt.datetime | None], nested: Iterable[tuple[uuid.UUID, uuid.UUID]]
) -> list[RoleWay]:
    """The same of memberships by role with their ends, and of pairs of roles, the first inside the second.

    Of ways that last equally long the shortest; circles end.
    """
    outer: dict[uuid.UUID, list[uuid.UUID]] = {}
    for inner, around in sorted(nested):
        outer.setdefault(inner, []).append(around)
    found: dict[uuid.UUID, RoleWay] = {}
    for until in sorted(set(held.values()), key=lambda end: end or FOR_EVER, reverse=True):
        ways = [RoleWay((role,), until) for role in sorted(held) if held[role] == until]
        for way in ways:  # which grows: by one role more for each way that is new
            if way.role not in found:
                found[way.role] = way
                ways += [RoleWay((*way.path, around), until) for around in outer.get(way.role, ())]
    own = (RoleWay((role,), until) for role, until in held.items())
    return list(dict.fromkeys([*found.values(), *own]))
