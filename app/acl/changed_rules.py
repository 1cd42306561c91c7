"""Which rules stand in the place of which others, by what this transaction changed: pairs of rules, before and after.

Read from the notes that triggers take (`changes.sql` of the migrations): the cost grows with what was changed, and
never with the number of documents.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import ARRAY, Integer, bindparam, select, text
from sqlalchemy.orm import Session

from app.acl.rule_store import rules_about
from app.acl.rules import OwnRule, Rule, effective
from app.db.tables.access import Collection, Folder

NOTED = text("select current_setting('clearance.' || what, true) from unnest(cast(:whats as text[])) as what")
RULE_NOW = text("select id, rule_id from scope where id = any (:scopes)").bindparams(
    bindparam("scopes", type_=ARRAY(Integer))
)
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
    own = session.scalar(select(Collection.own_rule).where(Collection.id == collection))
    if own is None:
        return None
    folders = session.execute(select(Folder.path, Folder.own_rule).where(Folder.collection_id == collection))
    return {"": OwnRule.from_json(own)} | {path: OwnRule.from_json(own) for path, own in folders}


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
    moves = [pair for pair in pairs if pair[0] != pair[1]]
    rules = rules_about(session, {rule for move in moves for rule in move}, principals)
    # Thousands of scopes may have moved; what their rules say about a few principals are few different things, each of
    # them one object, and by far quicker told apart as such than by its grants.
    pairs_of_rules = ((rules[before], rules[after]) for before, after in moves)
    yield from {(id(before), id(after)): (before, after) for before, after in pairs_of_rules}.values()


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


def _pairs(note: str) -> list[tuple[int, int]]:
    return [(int(old), int(new)) for old, new in (line.split() for line in note.splitlines())]
