"""Finds the numbers of the records that a query asks for, in order, along indexes that hold this order.

One qualifier leads: for each of its values an index lists the numbers, and these lists are merged. What else is asked
for is tried on the entries of the lists, a stretch of the log at a time, so that a page that finds little ends as well.
"""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    cast,
    column,
    false,
    func,
    not_,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.types import TypeEngine

from app.audit.address_search import with_sealed_addresses
from app.audit.names import NO_USER
from app.audit.query import Choice, LogQuery, is_id, is_of_kind
from app.audit.sequencing import OVERLAP
from app.db.tables.audit import AuditDocument, AuditEntry, AuditName, AuditTag

# Entries that one statement looks at where the lists alone do not tell, and the seconds that a page goes on so.
STRETCH = 131_072
# It is so much shorter where each entry is looked up in another list as well.
SHORTER = 4
PAGE_SECONDS = 0.1

# The kinds that the log holds, each found by one step in the index.
KINDS_THERE = text("""
    with recursive there (kind) as (
      select min(kind) from audit_entry
      union all
      select (select min(e.kind) from audit_entry e where e.kind > t.kind) from there t where t.kind is not null
    )
    select kind from there where kind is not null
""")
# Where in the log a moment, moved by `shift`, is reached. Entries are in the order of their times but for the time that
# a record may be on its way, OVERLAP.
REACHED = text("""
    with recursive step (low, high) as (
      select cast(0 as bigint), cast(:size as bigint)
      union all
      select case when e.at < m.moment then e.seq + 1 else s.low end,
        case when e.at < m.moment then s.high else (s.low + s.high) / 2 end
      from (select cast(:at as timestamptz) + cast(:shift as interval)) as m (moment), step s
        -- One look at the key a step: the limit keeps any other plan away. Of records that were pruned, the next tells.
        left join lateral (
          select seq, at from audit_entry where seq >= (s.low + s.high) / 2 and seq < s.high order by seq limit 1
        ) as e on true
      where s.low < s.high
    )
    select max(low) from step
""")
SINGLE: Mapping[str, InstrumentedAttribute[Any]] = {
    "via": AuditEntry.via, "outcome": AuditEntry.outcome, "address": AuditEntry.address,
}  # fmt: skip
# Qualifiers whose values stand as tags, in the order in which they are likely to list few records; `True`: fewer than
# most services, outcomes and addresses.
TAGS: Mapping[str, bool] = {"finding": True, "collection": True, "opened": True, "model": False, "label": False}
Tests: TypeAlias = dict[str, ColumnElement[bool]]


@dataclass(frozen=True)
class LogSearch:
    """A query, whose names are ids, made ready for the log as it stands, between the numbers `first` and `end`.

    `kinds` are those of the log that are meant, where a kind or a person is; `parts` the kinds of the records of those
    parts of ours, which are no users, that `who` wants, and does not want.
    """

    query: LogQuery
    kinds: frozenset[str]
    parts: tuple[frozenset[str], frozenset[str]]
    first: int
    end: int

    def within(self, first: int, end: int) -> "LogSearch":
        """The same between these numbers."""
        return replace(self, first=max(self.first, first), end=min(self.end, end))


@dataclass(frozen=True)
class Numbers:
    """Numbers in order. `reached`: the last one that was looked at, if there may be more behind it."""

    found: list[int]
    reached: int | None


def prepare(session: Session, query: LogQuery) -> LogSearch:
    """Look up what of the log the query means. What stands in the log never changes: it holds for all that is there."""
    newest = session.scalar(select(func.max(AuditEntry.seq)))
    size = 0 if newest is None else newest + 1
    there = session.scalars(KINDS_THERE) if query.kind or query.who else ()
    return LogSearch(
        with_sealed_addresses(session, query) if query.address else query,
        frozenset(kind for kind in there if _is_meant(kind, query.kind)),
        (_kinds_of_parts(session, query.who.wanted), _kinds_of_parts(session, query.who.unwanted)),
        0 if query.after is None else _reached(session, size, query.after, -OVERLAP),
        size if query.before is None else _reached(session, size, query.before, OVERLAP),
    )


def find(
    session: Session, search: LogSearch, *, limit: int, newest_first: bool = False, seconds: float | None = None
) -> Numbers:
    """The first `limit` numbers in this direction; fewer if there are no more, or if it has taken `seconds`."""
    lead = _lead(search)
    looked_up = lead.rest.keys() - {"who", "kind", *SINGLE}
    stretch = STRETCH // (SHORTER if looked_up else 1) if lead.rest else search.end - search.first
    began, found = time.monotonic(), list[int]()
    while search.first < search.end:
        near = (search.end - stretch, search.end) if newest_first else (search.first, search.first + stretch)
        part = search.within(*near)
        found += session.scalars(_statement(part, lead, limit - len(found), newest_first=newest_first))
        search = search.within(0, part.first) if newest_first else search.within(part.end, search.end)
        if len(found) == limit:
            return Numbers(found, found[-1])
        if seconds is not None and time.monotonic() - began >= seconds:
            break
    return Numbers(found, None if search.first >= search.end else search.end if newest_first else search.first - 1)


def _is_meant(kind: str, choice: Choice) -> bool:
    wanted = not choice.wanted or any(is_of_kind(kind, each) for each in choice.wanted)
    return wanted and not any(is_of_kind(kind, each) for each in choice.unwanted)


def _kinds_of_parts(session: Session, names: frozenset[str]) -> frozenset[str]:
    named = select(AuditName.kind).where(AuditName.name.in_(names), AuditName.actor == NO_USER)
    return frozenset(session.scalars(named)) if names else frozenset()


def _reached(session: Session, size: int, at: Any, shift: Any) -> int:
    return int(session.execute(REACHED, {"size": size, "at": at, "shift": shift}).scalar_one())


@dataclass(frozen=True)
class _Lead:
    """The lists to merge: the values of each with what they are compared with. `rest` is tried on their entries."""

    lists: tuple[tuple[FromClause | None, tuple[ColumnElement[bool], ...]], ...]
    numbers: InstrumentedAttribute[int]
    rest: Tests


def _lead(search: LogSearch) -> _Lead:
    """The qualifier that is likely to list the fewest records, among those that want something."""
    query, tests = search.query, _tests(search)
    kinds = _values(search.kinds, Text())
    if query.document.wanted:
        named = _values(_ids(query.document.wanted), Uuid())
        on = (AuditDocument.document == named.c.value,)
        return _Lead(((named, on),), AuditDocument.seq, _without(tests, "document"))
    if query.who.wanted:
        users, parts = _values(_ids(query.who.wanted), Uuid()), _values(search.kinds & search.parts[0], Text())
        of_users = (AuditEntry.actor == users.c.value, AuditEntry.kind == kinds.c.value)
        of_parts = (AuditEntry.actor.is_(None), AuditEntry.kind == parts.c.value)
        both = ((users.join(kinds, true()), of_users), (parts, of_parts))
        rest = tests if query.who.unwanted else _without(tests, "who")
        return _Lead(both, AuditEntry.seq, _without(rest, "kind"))
    seldom, often = ([name for name in TAGS if TAGS[name] is few] for few in (True, False))
    for name in (*seldom, *SINGLE, *often):
        if getattr(query, name).wanted:
            return _listed(query, name, tests)
    if query.kind:
        return _Lead(((kinds, (AuditEntry.kind == kinds.c.value,)),), AuditEntry.seq, _without(tests, "kind"))
    return _Lead(((None, ()),), AuditEntry.seq, tests)


def _listed(query: LogQuery, name: str, tests: Tests) -> _Lead:
    """The lists of what is wanted of a qualifier that stands in a column, or as tags."""
    attribute = SINGLE.get(name, AuditTag.value)
    values = _values(_wanted(query, name), attribute.type)
    on: tuple[ColumnElement[bool], ...] = (attribute == values.c.value,)
    if name in SINGLE:
        return _Lead(((values, on),), AuditEntry.seq, _without(tests, name))
    return _Lead(((values, (AuditTag.name == name, *on)),), AuditTag.seq, _without(tests, name))


def _statement(search: LogSearch, lead: _Lead, limit: int, *, newest_first: bool) -> Select[Any]:
    order = lead.numbers.desc() if newest_first else lead.numbers.asc()
    merged = []
    for values, on in lead.lists:
        bounds = (lead.numbers >= search.first, lead.numbers < search.end)
        entries = select(lead.numbers).where(*on, *bounds)
        tests = [*lead.rest.values(), *_moments(search.query)]
        if lead.numbers is AuditEntry.seq:
            entries = entries.where(*tests)
        elif tests:
            # One look at the entry for each number: the limit keeps a plan away that goes through all entries for the
            # few numbers of a seldom value, of which the planner thinks as of any.
            entry = select(AuditEntry.seq).where(AuditEntry.seq == lead.numbers, *tests).limit(1).lateral()
            entries = entries.join(entry, true())
        entries = entries.order_by(order).limit(limit)
        if values is None:
            return entries
        each = entries.lateral()
        merged.append(select(each.c.seq).select_from(values.join(each, true())))
    numbers = union_all(*merged).subquery()
    order = numbers.c.seq.desc() if newest_first else numbers.c.seq.asc()
    return select(numbers.c.seq).distinct().order_by(order).limit(limit)


def _tests(search: LogSearch) -> Tests:
    """What must hold of an entry, by qualifier."""
    query, tests = search.query, Tests()
    if query.who:
        wanted = true() if not query.who.wanted else _is_one_of(query.who.wanted, search.parts[0])
        tests["who"] = and_(wanted, not_(func.coalesce(_is_one_of(query.who.unwanted, search.parts[1]), false())))
    if query.kind:
        tests["kind"] = AuditEntry.kind.in_(search.kinds)
    for name, attribute in SINGLE.items():
        choice: Choice = getattr(query, name)
        if choice.wanted:
            tests[name] = attribute.in_(_wanted(query, name))
        elif choice.unwanted:
            tests[name] = or_(attribute.is_(None), attribute.not_in(_typed(name, choice.unwanted)))
    for name in ("document", *TAGS):
        choice = getattr(query, name)
        if choice.wanted:
            tests[name] = _has_one_of(name, choice.wanted)
        if choice.unwanted:
            tests[f"other {name}"] = not_(_has_one_of(name, choice.unwanted))
    return tests


def _moments(query: LogQuery) -> Iterator[ColumnElement[bool]]:
    if query.after is not None:
        yield AuditEntry.at >= query.after
    if query.before is not None:
        yield AuditEntry.at < query.before


def _is_one_of(names: frozenset[str], parts: frozenset[str]) -> ColumnElement[bool]:
    return or_(AuditEntry.actor.in_(_ids(names)), and_(AuditEntry.actor.is_(None), AuditEntry.kind.in_(parts)))


def _has_one_of(name: str, values: frozenset[str]) -> ColumnElement[bool]:
    """Whether an entry names one of these documents, or has one of these tags.

    A value of a column and no `exists`: that is joined to the whole list of a value, which may be of half of the log.
    """
    if name == "document":
        named = aliased(AuditDocument)
        found = select(named.seq).where(named.seq == AuditEntry.seq, named.document.in_(_ids(values)))
    else:
        tag = aliased(AuditTag)
        found = select(tag.seq).where(tag.seq == AuditEntry.seq, tag.name == name, tag.value.in_(sorted(values)))
    return found.limit(1).scalar_subquery().is_not(None)


def _wanted(query: LogQuery, name: str) -> list[Any]:
    choice: Choice = getattr(query, name)
    return _typed(name, choice.wanted - choice.unwanted)


def _typed(name: str, values: frozenset[str]) -> list[Any]:
    return _ids(values) if name == "via" else sorted(values)


def _ids(names: frozenset[str]) -> list[uuid.UUID]:
    """The ids among them; what else stands there is the name of a part of ours."""
    return [uuid.UUID(name) for name in sorted(names) if is_id(name)]


def _values(values: Iterable[Any], kind: TypeEngine[Any]) -> FromClause:
    """A table of these values, with one column, `value`."""
    return func.unnest(cast(sorted(values), ARRAY(kind))).table_valued(column("value", kind)).render_derived()


def _without(tests: Tests, name: str) -> Tests:
    return {each: test for each, test in tests.items() if each != name}
