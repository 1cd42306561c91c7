"""Scopes: made when a document first needs one, pointed to another rule when a collection or a folder gets one.

A scope's rule follows from the collection's, the folders' above it, and its own. All changes of these hold the
collection's row, and all placings share it, so that no scope is made beside a change and keeps the rule of before.
"""

import uuid
from collections.abc import Collection as Collected
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, LargeBinary, Text, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.acl.rule_store import (
    Composed,
    RulePart,
    array,
    compose,
    intern_composed,
    intern_parts,
    one_of,
    own_parts,
)
from app.acl.rules import OwnRule, effective
from app.db.session import WriteSession
from app.db.tables.access import Collection, Folder, Rule, Scope
from app.identity.subject import Label

MISPLACED = text("select scope_id, folder_id from clearance.misplaced(:collection, :leaving) order by 1, 2")
POINT = text(
    "update scope s set rule_id = n.rule_id"
    " from unnest(cast(:scopes as int[]), cast(:rules as int[])) as n (id, rule_id) where s.id = n.id"
)
NAME_PARTS = text(
    "update scope s set own_part_id = n.part_id"
    " from unnest(cast(:scopes as int[]), cast(:parts as int[])) as n (id, part_id) where s.id = n.id"
)
# The same own rules in other folders. Two of them may be equal there, or made beside us.
COPY = text(
    "insert into scope (collection_id, folder_id, own_digest, own_rule, own_part_id, rule_id)"
    " select s.collection_id, n.folder_id, s.own_digest, s.own_rule, n.part_id, n.rule_id"
    " from unnest(cast(:scopes as int[]), cast(:folders as uuid[]), cast(:parts as int[]), cast(:rules as int[]))"
    " as n (id, folder_id, part_id, rule_id) join scope s on s.id = n.id on conflict do nothing"
)
# What is read of scopes to say which rule follows for them: not their own rules as values, which may be long.
_OWN = (Scope.id, Scope.folder_id, Scope.rule_id, Scope.own_part_id, Scope.own_inherits, Scope.own_label)
REPLACE = text(
    "select old_scope, new_scope, documents"
    " from clearance.replace_scopes(cast(:old as int[]), cast(:new as int[]), :leaving)"
)


@dataclass(frozen=True)
class Move:
    """Documents that came under another rule: its number before and after. `scope_id` is where they stood before."""

    before: int
    after: int
    scope_id: int
    documents: int | None = None


# The own rules above documents by folder (None: the collection itself), and scopes with the folder of their documents.
_Chains = dict[uuid.UUID | None, list[OwnRule]]
_Pairs = list[tuple[Any, uuid.UUID | None]]


@dataclass(frozen=True)
class _Own:
    """What a scope says for itself, its grants as a part."""

    part_id: int
    inherits: bool
    label: Label | None


def scope_for(session: WriteSession, collection: Collection, own: OwnRule, folder_id: uuid.UUID | None = None) -> int:
    """The scope of documents with this own rule in this folder, or directly in the collection; created if missing."""
    here = _here(collection.id, own, folder_id)
    # Held, so that nobody collects it as idle before the caller's document stands on it.
    found = session.scalar(select(Scope.id).where(here).with_for_update(read=True, key_share=True))
    if found is not None:
        return found
    # Read anew and held until the commit: a re-grant of the collection beside us would not see the scope that is made
    # here, and it would keep the rule of before.
    share_collection(session, collection.id)
    part = intern_parts(session, [own.grants])[own.grants]
    above = _Above(
        session, {folder_id: rule_chain(session, collection.id, folder_id)}, {folder_id} if own.inherits else set()
    )
    rule = above.rule(folder_id, part, _Own(part.id, own.inherits, own.label))
    made = upsert(Scope).values(
        collection_id=collection.id,
        folder_id=folder_id,
        own_digest=own.digest,
        own_rule=own.to_json(),
        own_part_id=part.id,
        rule_id=intern_composed(session, [rule])[rule.digest],
    )
    session.execute(made.on_conflict_do_nothing())
    return session.scalars(select(Scope.id).where(here).with_for_update(read=True, key_share=True)).one()


def nearest_folder(session: Session, collection_id: uuid.UUID, path: str) -> uuid.UUID | None:
    """The folder with a rule that lies nearest above this path; None if none does."""
    found: uuid.UUID | None = session.scalar(select(func.clearance.nearest_folder(collection_id, path, None)))
    return found


def share_collection(session: WriteSession, collection_id: uuid.UUID) -> None:
    """Share the collection until the commit: its rule and its folders' stay as they are."""
    session.execute(select(Collection.id).where(Collection.id == collection_id).with_for_update(read=True))


def rule_chain(session: Session, collection_id: uuid.UUID, folder_id: uuid.UUID | None) -> list[OwnRule]:
    """The own rules from the collection down to this folder, as they stand now."""
    outermost = session.scalars(select(Collection.own_rule).where(Collection.id == collection_id)).one()
    folders = select(Folder.own_rule).where(Folder.collection_id == collection_id)
    if folder_id is None:
        return [OwnRule.from_json(outermost)]
    path = select(Folder.path).where(Folder.id == folder_id).scalar_subquery()
    above = folders.where((Folder.path == path) | func.starts_with(path, Folder.path + "/"))
    return [OwnRule.from_json(rule) for rule in (outermost, *session.scalars(above.order_by(func.length(Folder.path))))]


def repoint_scopes(session: WriteSession, collection_id: uuid.UUID, folder: str = "") -> list[Move]:
    """Point each scope of a collection, or of a folder and those below it, to the rule that follows now.

    A dozen statements, however many scopes there are; no document or passage is written, and no grant is read or
    written but those of collection and folders.
    """
    locked = select(*_OWN, Rule.label).join(Rule, Rule.id == Scope.rule_id)
    locked = locked.where(Scope.collection_id == collection_id).order_by(Scope.id)
    if folder:
        here = (Folder.path == folder) | Folder.path.startswith(f"{folder}/", autoescape=True)
        locked = locked.where(Scope.folder_id.in_(select(Folder.id).where(Folder.collection_id == collection_id, here)))
    rows = session.execute(locked.with_for_update(key_share=True, of=Scope)).all()
    owns = _owns(session, rows)
    chains = _chains(session, collection_id)
    above = _Above(session, chains, {row.folder_id for row in rows if owns[row.id].inherits})
    # What breaks with all above is another rule only under another label.
    rows = [r for r in rows if owns[r.id].inherits or above.label(r.folder_id, owns[r.id]) != r.label]
    parts = own_parts(session, {owns[row.id].part_id for row in rows})
    rules = {row.id: above.rule(row.folder_id, parts[owns[row.id].part_id], owns[row.id]) for row in rows}
    rule_ids = intern_composed(session, rules.values())
    moves = [Move(r.rule_id, rule_ids[rules[r.id].digest], r.id) for r in rows]
    moves = [move for move in moves if move.before != move.after]
    if moves:
        session.execute(POINT, {"scopes": array(m.scope_id for m in moves), "rules": array(m.after for m in moves)})
    return moves


def put_into_folders(session: WriteSession, collection: Collection, *, leaving: uuid.UUID | None = None) -> list[Move]:
    """Bring each document and each waiting upload under its nearest folder; `leaving` is one that is about to go.

    Few statements, however many scopes they come from.
    """
    misplaced = session.execute(MISPLACED, {"collection": collection.id, "leaving": leaving}).all()
    if not misplaced:
        return []
    query = select(*_OWN, Scope.own_digest).where(one_of(Scope.id.expression, {row.scope_id for row in misplaced}))
    old = {row.id: row for row in session.execute(query)}
    pairs = [(old[row.scope_id], row.folder_id) for row in misplaced]
    there = _there(session, collection.id, pairs)
    _copy(session, collection.id, [pair for pair in pairs if (pair[1], pair[0].own_digest) not in there])
    there = _there(session, collection.id, pairs)
    new = [there[folder_id, row.own_digest] for row, folder_id in pairs]
    given = {"old": array(row.id for row, _ in pairs), "new": array(scope.id for scope in new), "leaving": leaving}
    moved = {(r.old_scope, r.new_scope): r.documents for r in session.execute(REPLACE, given)}
    return [
        Move(row.rule_id, scope.rule_id, row.id, moved.get((row.id, scope.id), 0))
        for (row, _), scope in zip(pairs, new, strict=True)
    ]


def _copy(session: WriteSession, collection_id: uuid.UUID, pairs: _Pairs) -> None:
    """Scopes with the own rules of these ones in these folders."""
    if not pairs:
        return
    owns = _owns(session, [row for row, _ in pairs])
    parts = own_parts(session, {own.part_id for own in owns.values()})
    chains = _chains(session, collection_id)
    above = _Above(session, chains, {folder_id for row, folder_id in pairs if owns[row.id].inherits})
    rules = [above.rule(folder_id, parts[owns[row.id].part_id], owns[row.id]) for row, folder_id in pairs]
    rule_ids = intern_composed(session, rules)
    session.execute(
        COPY,
        {
            "scopes": array(row.id for row, _ in pairs),
            "folders": array(folder_id for _, folder_id in pairs),
            "parts": array(owns[row.id].part_id for row, _ in pairs),
            "rules": array(rule_ids[rule.digest] for rule in rules),
        },
    )


def _there(session: WriteSession, collection_id: uuid.UUID, pairs: _Pairs) -> dict[tuple[uuid.UUID | None, bytes], Any]:
    """The scopes in these folders with these own rules, by folder and own digest; held as in `scope_for`."""
    folders, digests = {folder_id for _, folder_id in pairs}, {row.own_digest for row, _ in pairs}
    query = select(Scope.id, Scope.folder_id, Scope.own_digest, Scope.rule_id).where(
        Scope.collection_id == collection_id,
        one_of(Scope.folder_id.expression, folders - {None}) | Scope.folder_id.is_(None),
        # As rows, which are hashed: an array that comes as text would be walked for each scope.
        Scope.own_digest.in_(
            select(func.unnest(cast(bindparam(None, array(digests), type_=Text()), ARRAY(LargeBinary))))
        ),
    )
    found = session.execute(query.order_by(Scope.id).with_for_update(read=True, key_share=True))
    return {(row.folder_id, row.own_digest): row for row in found}


class _Above:
    """What lies above the documents directly in a collection and in its folders: one label and one part for each."""

    def __init__(self, session: WriteSession, chains: _Chains, inherited: set[uuid.UUID | None]) -> None:
        """`inherited`: the folders from which something inherits more than a label."""
        self._rules = {folder_id: effective(*rules) for folder_id, rules in chains.items()}
        grants = {self._rules[folder_id].grants for folder_id in inherited}
        self._parts = intern_parts(session, grants, inherited=True)

    def label(self, folder_id: uuid.UUID | None, own: _Own) -> Label:
        """The innermost one."""
        return self._rules[folder_id].label if own.label is None else own.label

    def rule(self, folder_id: uuid.UUID | None, part: RulePart, own: _Own) -> Composed:
        """`effective()` for an own rule there, from parts instead of grants."""
        above = self._parts[self._rules[folder_id].grants] if own.inherits else None
        return compose(self.label(folder_id, own), part, above)


def _chains(session: Session, collection_id: uuid.UUID) -> _Chains:
    """`rule_chain()` for the collection itself and for all of its folders that have a rule."""
    outermost = OwnRule.from_json(
        session.scalars(select(Collection.own_rule).where(Collection.id == collection_id)).one()
    )
    query = select(Folder.id, Folder.path, Folder.own_rule).where(Folder.collection_id == collection_id)
    folders = {row.path: (row.id, OwnRule.from_json(row.own_rule)) for row in session.execute(query)}
    chains: _Chains = {None: [outermost]}
    for path, (folder_id, _) in folders.items():
        names = path.split("/")
        above = ("/".join(names[: n + 1]) for n in range(len(names)))
        chains[folder_id] = [outermost, *(folders[each][1] for each in above if each in folders)]
    return chains


def _owns(session: WriteSession, rows: Collected[Any]) -> dict[int, _Own]:
    """What these scopes say for themselves. A scope that was written without its part gets one here."""
    missing = [row.id for row in rows if row.own_part_id is None]
    query = select(Scope.id, Scope.own_rule).where(one_of(Scope.id.expression, missing))
    stored = {row.id: OwnRule.from_json(row.own_rule) for row in session.execute(query)} if missing else {}
    parts = intern_parts(session, {own.grants for own in stored.values()}) if missing else {}
    if missing:
        given = [parts[stored[scope_id].grants].id for scope_id in missing]
        session.execute(NAME_PARTS, {"scopes": array(missing), "parts": array(given)})
    return {
        row.id: _Own(parts[stored[row.id].grants].id, stored[row.id].inherits, stored[row.id].label)
        if row.id in stored
        else _Own(row.own_part_id, row.own_inherits, None if row.own_label is None else Label.parse(row.own_label))
        for row in rows
    }


def _here(collection_id: uuid.UUID, own: OwnRule, folder_id: uuid.UUID | None) -> ColumnElement[bool]:
    folder = Scope.folder_id.is_(None) if folder_id is None else Scope.folder_id == folder_id
    return (Scope.collection_id == collection_id) & folder & (Scope.own_digest == own.digest)
