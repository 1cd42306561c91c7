"""Changes of who may read what. Each is checked for a grant to oneself and moves scopes, never content."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.acl.rules import (
    EVERYONE,
    EVERYONE_ID,
    Capability,
    Grant,
    Label,
    OwnRule,
    Principal,
    Rule,
    Subject,
    effective,
)
from app.db.session import WriteSession
from app.db.tables import access
from app.db.tables.access import Collection, RuleGrant, Scope
from app.db.tables.people import Role
from app.errors import MissingCapability, SelfGrant, UnknownRole

# The tag that means every signed-in person; no role may take its name.
EVERYONE_TAG = "everyone"


@dataclass(frozen=True)
class Change:
    """What a change of rules did, for the audit log: the stored values before and after."""

    before: OwnRule
    after: OwnRule
    scopes_changed: int


def need(subject: Subject, capability: Capability) -> None:
    """Raise MissingCapability unless both the key and the person have it."""
    if capability not in subject.capabilities:
        raise MissingCapability(f"This needs the capability '{capability}', of both the key and the person.")


def need_curator(subject: Subject, collection_id: uuid.UUID) -> None:
    """Raise MissingCapability unless the subject curates this collection."""
    need(subject, Capability.CURATE)
    if collection_id not in subject.curates:
        raise MissingCapability("You do not curate this collection; an administrator can make you its curator.")


def may_rule(subject: Subject, collection_id: uuid.UUID) -> bool:
    """Whether the subject may see and change the rules of a collection: an administrator or its curator."""
    curates = Capability.CURATE in subject.capabilities and collection_id in subject.curates
    return curates or Capability.ADMINISTER in subject.capabilities


def role_ids(session: Session, names: list[str]) -> dict[str, uuid.UUID]:
    """The ids of role tags; raises UnknownRole that lists those that name none."""
    rows = session.execute(select(Role.name, Role.id).where(Role.name.in_(names)))
    known = {row.name: row.id for row in rows}
    if EVERYONE_TAG in names:
        known[EVERYONE_TAG] = EVERYONE_ID
    if unknown := sorted(set(names) - set(known)):
        raise UnknownRole(f"No role is named {', '.join(map(repr, unknown))}. 'clearance roles list' shows the roles.")
    return known


def refuse_self_grant(subject: Subject, before: Rule | None, after: Rule) -> None:
    """Raise SelfGrant if the change adds an allow, ends a deny or lowers a label to the author's own profit.

    A grant to everyone is not one to oneself: the whole company sees it, and the log shows it.
    """
    old = before.grants if before else frozenset()
    added = [g for g in after.grants - old if g.effect == "allow" and _about_alone(subject, g)]
    ended = [g for g in old - after.grants if g.effect == "deny" and subject.is_named_by(g.principal)]
    lowered = before is not None and before.label > subject.clearance >= after.label
    if added or ended or lowered:
        raise SelfGrant(
            "This change would give you, or a role you are in, something to read. Ask another administrator."
        )


def scope_for(session: WriteSession, collection: Collection, own: OwnRule) -> int:
    """The scope of documents with this own rule on this collection, made if there is none yet."""
    found = session.scalar(select(Scope.id).where(Scope.collection_id == collection.id, Scope.own_digest == own.digest))
    if found is not None:
        return found
    # Read anew and held until the commit: a re-grant of the collection beside us would not see the scope that is made
    # here, and it would keep the rule of before.
    shelf = session.scalars(
        select(Collection.own_rule).where(Collection.id == collection.id).with_for_update(read=True)
    ).one()
    rule_id = _intern(session, effective(OwnRule.from_json(shelf), own))
    session.execute(
        upsert(Scope)
        .values(collection_id=collection.id, own_digest=own.digest, own_rule=own.to_json(), rule_id=rule_id)
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Scope.id).where(Scope.collection_id == collection.id, Scope.own_digest == own.digest)
    ).one()


def create_collection(
    session: WriteSession, subject: Subject, *, name: str, description: str, own: OwnRule
) -> Collection:
    """A new shelf with its plain scope; the caller has checked that the name is free."""
    need(subject, Capability.ADMINISTER)
    refuse_self_grant(subject, None, effective(own, OwnRule()))
    collection = Collection(name=name, description=description, own_rule=own.to_json())
    session.add(collection)
    session.flush()
    scope_for(session, collection, OwnRule())
    return collection


def rule_collection(session: WriteSession, subject: Subject, collection: Collection, own: OwnRule) -> Change:
    """Give a collection another rule: its few scopes point to other rules, and no document or chunk row is written."""
    session.refresh(collection, with_for_update={"key_share": True})
    before = OwnRule.from_json(collection.own_rule)
    scopes = session.scalars(select(Scope).where(Scope.collection_id == collection.id).with_for_update()).all()
    changed = 0
    for scope in scopes:
        scope_own = OwnRule.from_json(scope.own_rule)
        after = effective(own, scope_own)
        refuse_self_grant(subject, effective(before, scope_own), after)
        rule_id = _intern(session, after)
        if rule_id != scope.rule_id:
            session.execute(update(Scope).where(Scope.id == scope.id).values(rule_id=rule_id))
            changed += 1
    session.execute(update(Collection).where(Collection.id == collection.id).values(own_rule=own.to_json()))
    return Change(before, own, changed)


def tag_grants(
    roles: dict[str, uuid.UUID],
    deny: dict[str, uuid.UUID],
    *,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
) -> frozenset[Grant]:
    """The grants that role tags stand for. Start and end bound what is allowed; what is denied is denied always."""
    allowed = {Grant("allow", _principal(name, role_id), starts_at, ends_at) for name, role_id in roles.items()}
    denied = {Grant("deny", _principal(name, role_id)) for name, role_id in deny.items()}
    return frozenset(allowed | denied)


def tagged_rule(grants: frozenset[Grant], label: Label | None) -> OwnRule:
    """The own rule of a tagged document: its tags decide alone, the grants of the collection are not added."""
    return OwnRule(grants, inherits=False, label=label)


def _principal(name: str, role_id: uuid.UUID) -> Principal:
    return EVERYONE if name == EVERYONE_TAG else Principal("role", role_id)


def _about_alone(subject: Subject, grant: Grant) -> bool:
    return grant.principal.kind != "everyone" and subject.is_named_by(grant.principal)


def _intern(session: WriteSession, rule: Rule) -> int:
    """The id of an equal rule, made if there is none yet. Two writers that meet make one."""
    found = session.scalar(select(access.Rule.id).where(access.Rule.digest == rule.digest))
    if found is not None:
        return found
    made: int | None = session.scalar(
        upsert(access.Rule)
        .values(digest=rule.digest, label=int(rule.label))
        .on_conflict_do_nothing()
        .returning(access.Rule.id)
    )
    if made is None:
        return session.scalars(select(access.Rule.id).where(access.Rule.digest == rule.digest)).one()
    ordered = sorted(rule.grants, key=lambda g: str(g.to_json()))
    if ordered:
        session.execute(
            insert(RuleGrant),
            [
                {
                    "rule_id": made,
                    "ordinal": ordinal,
                    "effect": g.effect,
                    "principal_kind": g.principal.kind,
                    "principal_id": g.principal.id,
                    "starts_at": g.starts_at,
                    "ends_at": g.ends_at,
                }
                for ordinal, g in enumerate(ordered)
            ],
        )
    return made
