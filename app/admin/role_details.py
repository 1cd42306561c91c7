"""One role: what it lies inside of and what inside it, who is in it, and which rules name it."""

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from app.acl.unread import count_by_scope
from app.admin.role_tree import count_members, count_people
from app.admin.rules import editable_collections
from app.db.paging import Page
from app.db.tables.access import Collection, Folder, RuleGrant, Scope, Steward
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.names import name_contains
from app.identity.nesting import with_inner_roles
from app.identity.stewards import require_steward
from app.identity.subject import Subject


@dataclass(frozen=True)
class RoleUse:
    """Where rules of a collection name a role: the collection's own, those of so many folders and documents."""

    collection: str
    whole: bool
    folders: int
    documents: int


@dataclass(frozen=True)
class RoleDetails:
    """A role with the names of those directly around and inside it. `members` are the active people in it, `people`
    also those in it by nesting; `used_in` is of the collections whose rules the reader may change.
    """

    id: uuid.UUID
    name: str
    source: str
    external_id: str | None
    created_at: dt.datetime
    inside: list[str]
    inner: list[str]
    stewards: list[str]
    members: int
    people: int
    used_in: list[RoleUse]


@dataclass(frozen=True)
class RoleMember:
    """Somebody in a role. `through`: the roles inside it that they are a member of; `until`: when that ends."""

    name: str
    display_name: str
    active: bool
    direct: bool
    through: list[str]
    until: dt.datetime | None


def get_role(session: Session, subject: Subject, role: Role) -> RoleDetails:
    """For administrators and the role's stewards; raises BeyondReach."""
    require_steward(session, subject, role)
    around = select(Role.shown).join(RoleInside, RoleInside.inside_id == Role.id).where(RoleInside.role_id == role.id)
    inner = select(Role.shown).join(RoleInside, RoleInside.role_id == Role.id).where(RoleInside.inside_id == role.id)
    stewards = select(User.shown).join(Steward, Steward.user_id == User.id).where(Steward.role_id == role.id)
    return RoleDetails(
        id=role.id,
        name=role.shown,
        source=role.source,
        external_id=role.external_id,
        created_at=role.created_at,
        inside=list(session.scalars(around.order_by(Role.name))),
        inner=list(session.scalars(inner.order_by(Role.name))),
        stewards=list(session.scalars(stewards.order_by(User.name))),
        members=count_members(session, [role.id]).get(role.id, 0),
        people=count_people(session, [role.id]).get(role.id, 0),
        used_in=_used_in(session, subject, role.id),
    )


def list_role_members(
    session: Session, subject: Subject, role: Role, page: Page, *, nested: bool = False, text: str | None = None
) -> list[RoleMember]:
    """The members of a role by name, `nested`: and who is in it by nesting; also who is switched off.

    For administrators and the role's stewards; raises BeyondReach.
    """
    require_steward(session, subject, role)
    seed = select(Role.id.label("role_id")).where(Role.id == role.id)
    inner, way = with_inner_roles(seed), aliased(Role)
    here = select(inner.c.role_id) if nested else seed
    for_ever = func.bool_or(Membership.ends_at.is_(None))
    query = (
        select(
            User,
            func.bool_or(Membership.role_id == role.id),
            func.array_agg(aggregate_order_by(way.shown, way.name, way.source)).filter(way.id != role.id),
            case((for_ever, None), else_=func.max(Membership.ends_at)),
        )
        .join(Membership, Membership.user_id == User.id)
        .join(way, way.id == Membership.role_id)
        .where(Membership.role_id.in_(here), Membership.current())
        .group_by(User.id)
    )
    if text is not None:
        query = query.where(name_contains(User, text) | User.display_name.icontains(text, autoescape=True))
    return [
        RoleMember(user.shown, user.display_name, user.active, direct, through or [], until)
        for user, direct, through, until in page.rows(session, query, [User.name, User.source])
    ]


def _used_in(session: Session, subject: Subject, role: uuid.UUID) -> list[RoleUse]:
    names = {"grants": [{"kind": "role", "principal": str(role)}]}
    whole = set(session.scalars(select(Collection.id).where(Collection.own_rule.contains(names))))
    below = session.scalars(select(Folder.collection_id).where(Folder.own_rule.contains(names)))
    folders = Counter(below)
    part = select(RuleGrant.rule_id).where(RuleGrant.principal_kind == "role", RuleGrant.principal_id == role)
    # A scope that was written without its part has its own rule as a value alone.
    own = or_(Scope.own_part_id.in_(part), Scope.own_part_id.is_(None) & Scope.own_rule.contains(names))
    scopes: dict[uuid.UUID, set[int]] = {}
    for collection, scope in session.execute(select(Scope.collection_id, Scope.id).where(own)):
        scopes.setdefault(collection, set()).add(scope)
    found = []
    for each in editable_collections(session, subject):
        counts = count_by_scope(session, each.id) if each.id in scopes else {}
        documents = sum(counts.get(scope, 0) for scope in scopes.get(each.id, ()))
        use = RoleUse(each.name, each.id in whole, folders[each.id], documents)
        if use != RoleUse(each.name, whole=False, folders=0, documents=0):
            found.append(use)
    return found
