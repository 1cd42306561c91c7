"""Who can read what, for many people at once: the rules as SQL once more, as a set of pairs."""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection as Some
from collections.abc import Mapping

from sqlalchemy import ARRAY, DateTime, Integer, Uuid, bindparam, select, text
from sqlalchemy.orm import Session

from app.acl.rules import Subject
from app.acl.visible import scopes_select
from app.db.tables.access import Collection, Scope
from app.db.tables.people import Membership, Role, RoleInside, User

Pairs = Mapping[int, frozenset[uuid.UUID]]

# decide() for each of these people and each of these rules. Services read nothing by themselves, so only persons count.
PAIRS = text(
    """
    with recursive member as (
      select m.user_id, m.role_id from membership m where m.user_id = any (:users)
      union
      select m.user_id, i.inside_id from member m join role_inside i on i.role_id = m.role_id
    ), counting as (
      select g.rule_id, g.effect, g.principal_kind, g.principal_id from rule_grant g
      where g.rule_id = any (:rules)
        and (g.starts_at is null or g.starts_at <= :at) and (g.ends_at is null or g.ends_at > :at)
    ), named as (
      select c.rule_id, c.effect, m.user_id from counting c
      join member m on c.principal_kind = 'role' and m.role_id = c.principal_id
      union all
      select c.rule_id, c.effect, u.id from counting c
      join app_user u on c.principal_kind = 'everyone' or (c.principal_kind = 'user' and c.principal_id = u.id)
      where u.id = any (:users)
    )
    select n.rule_id, n.user_id from named n
    join app_user u on u.id = n.user_id
    join rule r on r.id = n.rule_id
    where u.active and u.kind = 'person'
    group by n.rule_id, n.user_id, r.label, u.clearance
    having bool_or(n.effect = 'allow') and not bool_or(n.effect = 'deny') and r.label <= u.clearance
    """
).bindparams(
    bindparam("users", type_=ARRAY(Uuid)),
    bindparam("rules", type_=ARRAY(Integer)),
    bindparam("at", type_=DateTime(timezone=True)),
)
BY_RULE = text("select rule_id, documents from clearance.documents_by_rule(:collections)").bindparams(
    bindparam("collections", type_=ARRAY(Uuid))
)


def readers(session: Session, rules: Some[int], users: Some[uuid.UUID], at: dt.datetime) -> Pairs:
    """For each of these rules, who of these people reads what stands under it at that moment."""
    found: dict[int, set[uuid.UUID]] = defaultdict(set)
    for rule_id, user_id in session.execute(PAIRS, {"rules": list(rules), "users": list(users), "at": at}):
        found[rule_id].add(user_id)
    return {rule_id: frozenset(people) for rule_id, people in found.items()}


def everybody(session: Session) -> frozenset[uuid.UUID]:
    """Every active person."""
    people = select(User.id).where(User.active, User.kind == "person", User.name.not_like(r"\_%"))
    return frozenset(session.scalars(people))


def members_of(session: Session, role_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """Everybody in a role, also by way of the roles inside it."""
    inner = select(RoleInside.role_id.label("role_id")).where(RoleInside.inside_id == role_id).cte(recursive=True)
    inner = inner.union(select(RoleInside.role_id).join(inner, RoleInside.inside_id == inner.c.role_id))
    roles = [role_id, *session.scalars(select(inner.c.role_id))]
    return frozenset(session.scalars(select(Membership.user_id).where(Membership.role_id.in_(roles))))


def roles_above(session: Session, role_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The role and all that it lies inside of."""
    above = select(Role.id.label("id")).where(Role.id == role_id).cte(recursive=True)
    above = above.union(select(RoleInside.inside_id).join(above, RoleInside.role_id == above.c.id))
    return frozenset(session.scalars(select(above.c.id)))


def rule_by_document(session: Session, collections: Some[uuid.UUID]) -> dict[int, int]:
    """The rule of each document of these collections: of those alone whose rules the session's caller may change."""
    rows = session.execute(BY_RULE, {"collections": list(collections)})
    return {document: row.rule_id for row in rows for document in row.documents}


def reach(session: Session, subject: Subject, collections: Some[Collection], at: dt.datetime) -> dict[str, int]:
    """How many documents of each of these collections a subject reads; of those the session's caller may rule."""
    scopes = scopes_select(subject, at).subquery()
    visible = session.execute(select(Scope.collection_id, Scope.rule_id).join(scopes, scopes.c.id == Scope.id)).all()
    # A rule is one value for all collections, so its number says whether what stands under it is read.
    read = {(row.collection_id, row.rule_id) for row in visible}
    counted: dict[str, int] = {}
    for collection in collections:
        by_rule = Counter(rule_by_document(session, [collection.id]).values())
        counted[collection.name] = sum(n for rule_id, n in by_rule.items() if (collection.id, rule_id) in read)
    return {name: n for name, n in counted.items() if n}
