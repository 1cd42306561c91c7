"""What a change does to whom: how many documents each person gains and loses, now and when the clock goes on."""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Some
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.acl.reader_table import ReaderTable
from app.acl.readers import concerned, gained_and_lost, readers, rule_by_document
from app.acl.rule_store import one_of, rules_by_part
from app.db.tables.access import RuleGrant

# Who reads under a rule from each moment on, the first being now, until the next one.
Timeline = Sequence[tuple[dt.datetime, frozenset[uuid.UUID]]]
Made = TypeVar("Made")


@dataclass
class DocumentCount:
    """Documents that somebody comes to read, or ceases to: now, and those that follow later, the first at `since`."""

    now: int = 0
    later: int = 0
    since: dt.datetime | None = None

    def add(self, documents: int, first: dt.datetime, at: dt.datetime) -> None:
        """Count documents that turn at `first`; `at` is now."""
        if first == at:
            self.now += documents
            return
        self.later += documents
        self.since = first if self.since is None else min(first, self.since)

    def to_json(self) -> list[Any]:
        return [self.now, self.later, None if self.since is None else self.since.astimezone(dt.UTC).isoformat()]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> "DocumentCount":
        since = value[2]
        return cls(int(value[0]), int(value[1]), None if since is None else dt.datetime.fromisoformat(since))


@dataclass(frozen=True)
class PersonEffect:
    """What one person gains and loses, against what they would read at the same moment without the change."""

    gains: DocumentCount = field(default_factory=DocumentCount)
    loses: DocumentCount = field(default_factory=DocumentCount)


@dataclass(frozen=True)
class Effects:
    """Who would gain and lose how many documents, and how many documents would come under another rule."""

    people: dict[uuid.UUID, PersonEffect]
    documents: int

    @property
    def somebody_gains(self) -> bool:
        """Whether anybody comes to read anything, at any time."""
        return any(effect.gains != DocumentCount() for effect in self.people.values())

    def to_json(self) -> dict[str, Any]:
        people = {str(u): [e.gains.to_json(), e.loses.to_json()] for u, e in sorted(self.people.items())}
        return {"documents": self.documents, "people": people}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Effects":
        people = {
            uuid.UUID(u): PersonEffect(DocumentCount.from_json(gains), DocumentCount.from_json(loses))
            for u, (gains, loses) in value["people"].items()
        }
        return cls(people, int(value["documents"]))


class Timelines:
    """Who of some people reads under some rules, now and from each later start and end among their grants on.

    A rule is evaluated at its own moments alone, so many rules with many moments cost their sum.
    """

    def __init__(self, session: Session, rules: Some[int], users: Some[uuid.UUID], at: dt.datetime) -> None:
        self.now = ReaderTable.of_stored(session, rules, users, at)
        self._at = at
        self._later: dict[int, list[tuple[dt.datetime, frozenset[uuid.UUID]]]] = defaultdict(list)
        for moment, turning in sorted(_moments(session, rules, at).items()):
            then = readers(session, turning, users, moment)
            for rule_id in turning:
                self._later[rule_id].append((moment, then[rule_id]))

    def turns(self, rule_id: int) -> bool:
        """Whether the clock alone may change who reads under this rule."""
        return rule_id in self._later

    def of(self, rules: Some[int]) -> dict[int, Timeline]:
        """Who reads under each of these rules when."""
        now = self.now.readers_of(rules)
        return {rule_id: [(self._at, now[rule_id]), *self._later.get(rule_id, ())] for rule_id in now}


def effects_of(
    session: Session,
    collections: Some[uuid.UUID],
    people: frozenset[uuid.UUID],
    perform: Callable[[], Made],
    *,
    standing: bool,
) -> tuple[Effects, Made]:
    """Make a change and count what it does to people who read these collections; what `perform` gives is given on.

    `standing`: who somebody is may change, of these people alone, among whom may be some that are made by it. Else
    rules alone change, and for whom is found out.
    """
    at = session.scalars(select(func.now())).one()
    before = rule_by_document(session, collections)
    was = Timelines(session, set(before.values()), people, at) if standing else None
    made = perform()
    after = rule_by_document(session, collections)
    cells = Counter((rule_id, after[document]) for document, rule_id in before.items() if document in after)
    changed = Counter({cell: n for cell, n in cells.items() if cell[0] != cell[1]})
    if was is None:
        cells, people = changed, concerned(session, changed)
    now = Timelines(session, {rule_id for cell in cells for rule_id in cell}, people, at)
    return Effects(compare(cells, was or now, now, at), changed.total()), made


def effects_of_placement(
    session: Session, cells: Mapping[tuple[int, int], int], at: dt.datetime
) -> dict[uuid.UUID, PersonEffect]:
    """What people gain and lose where so many documents come from one rule to another."""
    lines = Timelines(session, {rule_id for cell in cells for rule_id in cell}, concerned(session, cells), at)
    return compare(cells, lines, lines, at)


def compare(
    cells: Mapping[tuple[int, int], int], before: Timelines, after: Timelines, at: dt.datetime
) -> dict[uuid.UUID, PersonEffect]:
    """What each person gains and loses; `cells` counts the documents by their rule before and after.

    Both are of the same people. Rules that no clock changes, by far the most, are compared as tables.
    """
    found: dict[uuid.UUID, PersonEffect] = defaultdict(PersonEffect)
    steady = {(old, new): n for (old, new), n in cells.items() if not (before.turns(old) or after.turns(new))}
    for person, (gained, lost) in gained_and_lost(steady, before.now, after.now).items():
        found[person].gains.add(gained, at, at)
        found[person].loses.add(lost, at, at)
    turning = [cell for cell in cells if cell not in steady]
    was, becomes = before.of({old for old, _ in turning}), after.of({new for _, new in turning})
    for old, new in turning:
        _add_turning(found, cells[old, new], was[old], becomes[new])
    return dict(found)


def _add_turning(found: dict[uuid.UUID, PersonEffect], documents: int, was: Timeline, becomes: Timeline) -> None:
    """Count documents that go from one timeline to another one."""
    if was == becomes:
        return
    at = was[0][0]
    gained, lost = dict[uuid.UUID, dt.datetime](), dict[uuid.UUID, dt.datetime]()
    for moment in sorted({m for m, _ in (*was, *becomes)}):
        then, now = _reading(was, moment), _reading(becomes, moment)
        gained = dict.fromkeys(now - then, moment) | gained
        lost = dict.fromkeys(then - now, moment) | lost
    for person, first in gained.items():
        found[person].gains.add(documents, first, at)
    for person, first in lost.items():
        found[person].loses.add(documents, first, at)


def _reading(timeline: Timeline, moment: dt.datetime) -> frozenset[uuid.UUID]:
    return next(people for since, people in reversed(timeline) if since <= moment)


def _moments(session: Session, rules: Some[int], at: dt.datetime) -> dict[dt.datetime, set[int]]:
    """Each later start or end among the grants of these rules, with the rules that it concerns."""
    parts = rules_by_part(session, rules)
    bounds = select(RuleGrant.rule_id, RuleGrant.starts_at, RuleGrant.ends_at).where(
        one_of(RuleGrant.rule_id.expression, parts), or_(RuleGrant.starts_at > at, RuleGrant.ends_at > at)
    )
    found: dict[dt.datetime, set[int]] = defaultdict(set)
    for part, *moments in session.execute(bounds):
        for moment in moments:
            if moment is not None and moment > at:
                found[moment] |= parts[part]
    return found
