"""All roles as a tree: those inside no other first, each with what lies inside it behind it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.db.tables.access import Steward
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.names import names_by
from app.identity.nesting import with_inner_roles
from app.identity.subject import Capability, Subject, require_capability


@dataclass(frozen=True)
class RoleNode:
    """A role where it stands in the tree, `depth` roles inside one that lies inside no other.

    `external_id` is the group of its source that it stands for. `members` are the active people in it, `people` also
    those in it by nesting. `repeated`: it stands further up too, with what lies inside it.
    """

    depth: int
    id: uuid.UUID
    name: str
    source: str
    external_id: str | None
    stewards: list[str]
    members: int
    people: int
    repeated: bool


def role_tree(session: Session, subject: Subject) -> list[RoleNode]:
    """The tree in the order in which it is drawn (administer): five statements, however many roles there are."""
    require_capability(subject, Capability.ADMINISTER)
    roles = {role.id: role for role in session.scalars(select(Role).order_by(Role.name, Role.source))}
    nested: dict[uuid.UUID, list[uuid.UUID]] = {}
    for inner, outer in session.execute(select(RoleInside.role_id, RoleInside.inside_id)):
        nested.setdefault(outer, []).append(inner)
    places = {role: place for place, role in enumerate(roles)}
    inside = {outer: sorted(inner, key=lambda role: places[role]) for outer, inner in nested.items()}
    stewards = select(Steward.role_id, User.shown).join(User, User.id == Steward.user_id).order_by(User.name)
    looked_after = names_by(session, stewards)
    members, people = count_members(session), count_people(session)
    return [
        RoleNode(
            depth=depth,
            id=role,
            name=roles[role].shown,
            source=roles[role].source,
            external_id=roles[role].external_id,
            stewards=looked_after.get(role, []),
            members=members.get(role, 0),
            people=people.get(role, 0),
            repeated=repeated,
        )
        for depth, role, repeated in tree_order(list(roles), inside)
    ]


def tree_order(
    roles: Sequence[uuid.UUID], inside: Mapping[uuid.UUID, Sequence[uuid.UUID]]
) -> list[tuple[int, uuid.UUID, bool]]:
    """Depth, role, and whether it stood before, each role's inner ones behind it. `inside` has these by the outer role.

    What lies inside a role is drawn once, so many roles around one another do not multiply. Roles that are in a circle,
    which the product refuses, come last.
    """
    inner = {role for found in inside.values() for role in found}
    drawn: dict[uuid.UUID, None] = {}
    order: list[tuple[int, uuid.UUID, bool]] = []
    for top in (*(role for role in roles if role not in inner), *roles):
        waiting = [] if top in drawn else [(0, top)]
        while waiting:
            depth, role = waiting.pop()
            order.append((depth, role, role in drawn))
            if role not in drawn:
                drawn[role] = None
                waiting += [(depth + 1, each) for each in reversed(inside.get(role, ()))]
    return order


def count_members(session: Session, roles: Iterable[uuid.UUID] | None = None) -> dict[uuid.UUID, int]:
    """How many active people are members of each role, of these or of all; none is left out."""
    held = select(Membership.role_id, func.count()).group_by(Membership.role_id)
    held = _of_active(held if roles is None else held.where(Membership.role_id.in_(roles)))
    return dict(session.execute(held).all())


def count_people(session: Session, roles: Iterable[uuid.UUID] | None = None) -> dict[uuid.UUID, int]:
    """The same with those who are in the role by nesting, each person once."""
    seed = select(Role.id.label("outer_id"), Role.id.label("role_id"))
    inner = with_inner_roles(seed if roles is None else seed.where(Role.id.in_(roles)))
    people = select(inner.c.outer_id, func.count(Membership.user_id.distinct())).group_by(inner.c.outer_id)
    return dict(session.execute(_of_active(people.join(Membership, Membership.role_id == inner.c.role_id))).all())


def _of_active(query: Select[uuid.UUID, int]) -> Select[uuid.UUID, int]:
    return query.join(User, User.id == Membership.user_id).where(Membership.current(), User.active)
