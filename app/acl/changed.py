"""Which rules stand in the place of which others, by what this transaction changed: pairs of rules, before and after.

Read from the notes that triggers take (`migrations/sql/judged_changes.sql`): the cost grows with what was changed, and
never with the number of documents.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Collection as Some
from collections.abc import Iterator
from typing import cast

from sqlalchemy import ARRAY, Integer, Uuid, bindparam, select, text
from sqlalchemy.orm import Session

from app.acl.rules import EVERYONE_ID, Effect, Grant, Label, OwnRule, Principal, PrincipalKind, Rule, effective
from app.db.tables.access import Collection, Folder

NOTED = text("select current_setting('clearance.' || what, true) from unnest(cast(:whats as text[])) as what")
RULE_NOW = text("select id, rule_id from scope where id = any (:scopes)").bindparams(
    bindparam("scopes", type_=ARRAY(Integer))
)
# Of each rule the label, and the grants that name one of these: no other one can be to their profit.
ABOUT = text(
    """
    select r.id, r.label, g.effect, g.principal_kind, g.principal_id, g.starts_at, g.ends_at
    from rule r
    left join rule_grant g on g.rule_id = r.id and g.principal_kind = any ('{everyone,role,user}')
      and g.principal_id = any (:principals)
    where r.id = any (:rules)
    """
).bindparams(bindparam("principals", type_=ARRAY(Uuid)), bindparam("rules", type_=ARRAY(Integer)))

# An own rule by the path of its folder; the collection's by the empty path.
_Place = dict[str, OwnRule]
Pair = tuple[Rule | None, Rule]


def changed_rules(session: Session, principals: frozenset[uuid.UUID]) -> Iterator[Pair]:
    """Each rule and what stands in its place now; None where nothing stood. Of scopes, grants to these and everyone."""
    places, scopes, moved = (note or "" for note in session.scalars(NOTED, {"whats": ["places", "scopes", "moved"]}))
    yield from _places(session, places)
    yield from _scopes(session, _pairs(scopes), _pairs(moved), principals)


def _places(session: Session, note: str) -> Iterator[Pair]:
    """Collections and folders whose own rule changed, and the folders below, whether or not anything stands there."""
    noted: dict[uuid.UUID, dict[str, OwnRule | None]] = defaultdict(dict)
    for line in note.splitlines():
        value = json.loads(line)
        before = None if value["before"] is None else OwnRule.from_json(value["before"])
        # The first note is the one of what stood before the transaction.
        noted[uuid.UUID(value["collection"])].setdefault(value["path"] or "", before)
    for collection, befores in noted.items():
        if (now := _now(session, collection)) is None:
            continue
        then = {path: own for path, own in (now | befores).items() if own is not None}
        for path in then.keys() | now.keys():
            if not befores.keys().isdisjoint(_above(path)):
                yield (_rule(then, path) if "" in then else None), _rule(now, path)


def _now(session: Session, collection: uuid.UUID) -> _Place | None:
    shelf = session.scalar(select(Collection.own_rule).where(Collection.id == collection))
    if shelf is None:
        return None
    folders = session.execute(select(Folder.path, Folder.own_rule).where(Folder.collection_id == collection))
    return {"": OwnRule.from_json(shelf)} | {path: OwnRule.from_json(own) for path, own in folders}


def _rule(place: _Place, path: str) -> Rule:
    return effective(*(place[above] for above in _above(path) if above in place))


def _above(path: str) -> list[str]:
    """The path itself and all above it, outermost first."""
    parts = path.split("/") if path else []
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]


def _scopes(
    session: Session, ruled: list[tuple[int, int]], moved: list[tuple[int, int]], principals: frozenset[uuid.UUID]
) -> Iterator[Pair]:
    """Scopes that point to another rule, and documents and uploads that stand on another scope."""
    befores: dict[int, int] = {}
    for scope, rule in ruled:
        befores.setdefault(scope, rule)
    involved = befores.keys() | {scope for move in moved for scope in move}
    if not involved:
        return
    now: dict[int, int] = {row.id: row.rule_id for row in session.execute(RULE_NOW, {"scopes": list(involved)})}
    then = now | befores
    pairs = {(then[scope], now[scope]) for scope in befores if scope in now}
    pairs |= {(then[old], now[new]) for old, new in _journeys(moved) if old in then and new in now}
    rules = _about(session, {rule for pair in pairs for rule in pair}, principals)
    for before, after in pairs:
        if before != after:
            yield rules[before], rules[after]


def _journeys(moved: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """From where to where, by one move or several: what came from one scope to a second may have gone on to a third."""
    onward: dict[int, set[int]] = defaultdict(set)
    for old, new in moved:
        onward[old].add(new)
    found: set[tuple[int, int]] = set()
    for start in onward:
        reached, ahead = set[int](), [start]
        while ahead:
            ahead += (fresh := onward.get(ahead.pop(), set()) - reached)
            reached |= fresh
        found |= {(start, end) for end in reached}
    return found


def _about(session: Session, rule_ids: Some[int], principals: frozenset[uuid.UUID]) -> dict[int, Rule]:
    labels: dict[int, Label] = {}
    grants: dict[int, set[Grant]] = defaultdict(set)
    rows = session.execute(ABOUT, {"rules": list(rule_ids), "principals": [*principals, EVERYONE_ID]})
    for rule_id, label, effect, kind, principal, starts_at, ends_at in rows:
        labels[rule_id] = Label(label)
        if effect is not None:
            whom = Principal(cast(PrincipalKind, kind), principal)
            grants[rule_id].add(Grant(cast(Effect, effect), whom, starts_at, ends_at))
    return {rule_id: Rule(label, frozenset(grants[rule_id])) for rule_id, label in labels.items()}


def _pairs(note: str) -> list[tuple[int, int]]:
    return [(int(old), int(new)) for old, new in (line.split() for line in note.splitlines())]
