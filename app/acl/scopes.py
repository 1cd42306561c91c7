"""Scopes: made when a document first needs one, pointed to another rule when a shelf or a folder gets one.

A scope's rule follows from the collection's, the folders' above it, and its own. All changes of these hold the
collection's row, and all placings share it, so that no scope is made beside a change and keeps the rule of before.
"""

import uuid
from collections.abc import Collection as Collected
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.acl.rules import Effect, Grant, Label, OwnRule, Principal, PrincipalKind, Rule, effective
from app.db.session import WriteSession
from app.db.tables import access
from app.db.tables.access import Collection, Folder, RuleGrant, Scope

MISPLACED = text("select scope_id, folder_id from clearance.misplaced(:collection, :leaving) order by 1, 2")
POINT = text(
    "update scope s set rule_id = n.rule_id"
    " from unnest(cast(:scopes as int[]), cast(:rules as int[])) as n (id, rule_id) where s.id = n.id"
)
REPLACE = text("select clearance.replace_scope(:old, :new, :leaving)")


@dataclass(frozen=True)
class Move:
    """Documents that came, or would come, under another rule. `scope_id` is where they stand before."""

    before: Rule
    after: Rule
    scope_id: int
    documents: int | None = None


def scope_for(session: WriteSession, collection: Collection, own: OwnRule, folder_id: uuid.UUID | None = None) -> int:
    """The scope of documents with this own rule in this folder, or directly on the shelf; made if there is none yet."""
    here = _here(collection.id, own, folder_id)
    # Held, so that nobody collects it as idle before the caller's document stands on it.
    found = session.scalar(select(Scope.id).where(here).with_for_update(read=True, key_share=True))
    if found is not None:
        return found
    # Read anew and held until the commit: a re-grant of the collection beside us would not see the scope that is made
    # here, and it would keep the rule of before.
    hold(session, collection.id)
    rule_id = intern(session, effective(*chain(session, collection.id, folder_id), own))
    made = upsert(Scope).values(
        collection_id=collection.id,
        folder_id=folder_id,
        own_digest=own.digest,
        own_rule=own.to_json(),
        rule_id=rule_id,
    )
    session.execute(made.on_conflict_do_nothing())
    return session.scalars(select(Scope.id).where(here).with_for_update(read=True, key_share=True)).one()


def nearest_folder(session: Session, collection_id: uuid.UUID, path: str) -> uuid.UUID | None:
    """The folder with a rule that lies nearest above this path; None if none does."""
    found: uuid.UUID | None = session.scalar(select(func.clearance.nearest_folder(collection_id, path, None)))
    return found


def hold(session: WriteSession, collection_id: uuid.UUID) -> None:
    """Share the collection until the commit: its rule and its folders' stay as they are."""
    session.execute(select(Collection.id).where(Collection.id == collection_id).with_for_update(read=True))


def chain(session: Session, collection_id: uuid.UUID, folder_id: uuid.UUID | None) -> list[OwnRule]:
    """The own rules from the collection down to this folder, as they stand now."""
    shelf = session.scalars(select(Collection.own_rule).where(Collection.id == collection_id)).one()
    folders = select(Folder.own_rule).where(Folder.collection_id == collection_id)
    if folder_id is None:
        return [OwnRule.from_json(shelf)]
    path = select(Folder.path).where(Folder.id == folder_id).scalar_subquery()
    above = folders.where((Folder.path == path) | func.starts_with(path, Folder.path + "/"))
    return [OwnRule.from_json(rule) for rule in (shelf, *session.scalars(above.order_by(func.length(Folder.path))))]


def follow(session: WriteSession, collection_id: uuid.UUID) -> list[Move]:
    """Point each scope of a collection to the rule that follows now; no document or passage is written.

    A few statements, however many scopes there are.
    """
    scopes = session.scalars(
        select(Scope).where(Scope.collection_id == collection_id).order_by(Scope.id).with_for_update(key_share=True)
    ).all()
    folders = {scope.folder_id for scope in scopes}
    chains = {folder_id: chain(session, collection_id, folder_id) for folder_id in folders}
    afters = {s.id: effective(*chains[s.folder_id], OwnRule.from_json(s.own_rule)) for s in scopes}
    rule_ids = intern_all(session, afters.values())
    moving = {s.id: s.rule_id for s in scopes if rule_ids[afters[s.id].digest] != s.rule_id}
    if not moving:
        return []
    befores = rules_of(session, set(moving.values()))
    session.execute(
        POINT, {"scopes": list(moving), "rules": [rule_ids[afters[scope_id].digest] for scope_id in moving]}
    )
    return [Move(befores[before], afters[scope_id], scope_id) for scope_id, before in moving.items()]


def put_into_folders(session: WriteSession, collection: Collection, *, leaving: uuid.UUID | None = None) -> list[Move]:
    """Bring each document and each waiting upload under its nearest folder; `leaving` is one that is about to go."""
    moves = []
    for old, folder_id in session.execute(MISPLACED, {"collection": collection.id, "leaving": leaving}).all():
        scope = session.get_one(Scope, old)
        new = scope_for(session, collection, OwnRule.from_json(scope.own_rule), folder_id)
        number = session.scalar(REPLACE, {"old": old, "new": new, "leaving": leaving})
        after = session.scalars(select(Scope.rule_id).where(Scope.id == new)).one()
        moves.append(Move(rule_of(session, scope.rule_id), rule_of(session, after), old, int(number or 0)))
    return moves


def rule_of(session: Session, rule_id: int) -> Rule:
    """An interned rule as a value."""
    return rules_of(session, {rule_id})[rule_id]


def rules_of(session: Session, rule_ids: Collected[int]) -> dict[int, Rule]:
    """Interned rules as values, by id."""
    rows = session.execute(select(access.Rule.id, access.Rule.label).where(access.Rule.id.in_(rule_ids)))
    labels = {row.id: row.label for row in rows}
    grants: dict[int, set[Grant]] = {rule_id: set() for rule_id in labels}
    for row in session.scalars(select(RuleGrant).where(RuleGrant.rule_id.in_(rule_ids))):
        principal = Principal(cast(PrincipalKind, row.principal_kind), row.principal_id)
        grants[row.rule_id].add(Grant(cast(Effect, row.effect), principal, row.starts_at, row.ends_at))
    return {rule_id: Rule(Label(label), frozenset(grants[rule_id])) for rule_id, label in labels.items()}


def intern(session: WriteSession, rule: Rule) -> int:
    """The id of an equal rule, made if there is none yet."""
    return intern_all(session, [rule])[rule.digest]


def intern_all(session: WriteSession, rules: Iterable[Rule]) -> dict[bytes, int]:
    """The ids of equal rules by digest, those made that are not there yet. Two writers that meet make one."""
    wanted = {rule.digest: rule for rule in rules}
    known = _known(session, wanted)
    # In one order, so that two writers cannot wait for each other.
    fresh = [{"digest": d, "label": int(r.label)} for d, r in sorted(wanted.items()) if d not in known]
    if not fresh:
        return known
    statement = upsert(access.Rule).on_conflict_do_nothing().returning(access.Rule.digest, access.Rule.id)
    made = {row.digest: row.id for row in session.execute(statement, fresh)}
    rows = [
        {
            "rule_id": rule_id,
            "ordinal": ordinal,
            "effect": g.effect,
            "principal_kind": g.principal.kind,
            "principal_id": g.principal.id,
            "starts_at": g.starts_at,
            "ends_at": g.ends_at,
        }
        for digest, rule_id in made.items()
        for ordinal, g in enumerate(sorted(wanted[digest].grants, key=lambda g: str(g.to_json())))
    ]
    if rows:
        session.execute(insert(RuleGrant), rows)
    return known | made | _known(session, [d for d in wanted if d not in known and d not in made])


def _known(session: Session, digests: Collected[bytes]) -> dict[bytes, int]:
    rows = session.execute(select(access.Rule.digest, access.Rule.id).where(access.Rule.digest.in_(digests)))
    return {row.digest: row.id for row in rows}


def _here(collection_id: uuid.UUID, own: OwnRule, folder_id: uuid.UUID | None) -> ColumnElement[bool]:
    folder = Scope.folder_id.is_(None) if folder_id is None else Scope.folder_id == folder_id
    return (Scope.collection_id == collection_id) & folder & (Scope.own_digest == own.digest)
