"""`decide()` for many people and many rules at once: the rules as arrays, as SQL feeds them."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import BYTEA, aggregate_order_by
from sqlalchemy.orm import Session

from app.acl.rule_store import array, one_of
from app.acl.rules import Grant, Rule
from app.db.tables import access
from app.db.tables.people import Membership, Role, User
from app.identity.nesting import with_inner_roles, with_outer_roles
from app.identity.subject import EVERYONE_ID, Principal

Pairs = Mapping[int, frozenset[uuid.UUID]]
# People that are looked at at once: with thousands of rules and of people, all of both would take gigabytes.
BLOCK = 512
_NOTHING = -2  # below every label, the canary's too

# A row for each principal that is named about these people, with the parts in which it is allowed or denied.
NAMED = text(
    """
    select g.effect, g.principal_kind, g.principal_id, string_agg(int4send(g.rule_id), '') as parts
    from rule_grant g
    where g.rule_id = any (cast(:parts as int[])) and g.principal_id = any (:principals)
      and (g.starts_at is null or g.starts_at <= :at) and (g.ends_at is null or g.ends_at > :at)
    group by 1, 2, 3
    """
).bindparams(
    bindparam("principals", type_=ARRAY(Uuid)),
    bindparam("at", type_=DateTime(timezone=True)),
)

# The effect, the parts and the people of a principal that is named, by their numbers in a table.
_Named = tuple[str, NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class ReaderTable:
    """`decide()` for some people and some rules at one moment: who reads what stands under which.

    `row` has the place of each rule in `label`, `own` and `above`; the last two say which parts it has. Part 0 is none
    and names nobody.
    """

    people: list[uuid.UUID]
    clearance: NDArray[np.int16]
    row: Mapping[int, int]
    label: NDArray[np.int16]
    own: NDArray[np.intp]
    above: NDArray[np.intp]
    parts: int
    named: Sequence[_Named]

    @classmethod
    def of_stored(cls, session: Session, rules: Some[int], users: Some[uuid.UUID], at: dt.datetime) -> Self:
        """Of interned rules, by their ids, and of these people."""
        columns = (access.Rule.id, access.Rule.label, access.Rule.own_id, access.Rule.above_id)
        found = session.execute(select(*columns).where(one_of(access.Rule.id.expression, rules))).all()
        people = sorted(users)
        ids = dict.fromkeys(part for row in found for part in (row.own_id or row.id, row.above_id) if part is not None)
        persons = {person.id: person for person in session.execute(_persons(people, ids))}
        # Who is no active person is cleared for nothing.
        cleared = [persons[user].clearance if user in persons else _NOTHING for user in people]
        parts = {None: 0} | {part: number for number, part in enumerate(ids, start=1)}
        roles = {user: (persons[user].roles or ()) if user in persons else () for user in people}
        return cls(
            people,
            np.array(cleared, np.int16),
            {row.id: number for number, row in enumerate(found)},
            np.array([row.label for row in found], np.int16),
            np.array([parts[row.own_id or row.id] for row in found], np.intp),
            np.array([parts[row.above_id] for row in found], np.intp),
            len(parts),
            _named_in_parts(session, parts, roles, at),
        )

    @classmethod
    def of_values(cls, session: Session, rules: Sequence[Rule], at: dt.datetime) -> Self:
        """Of rules as values, stored or not, by their places in the sequence, and of every active person."""
        parts: dict[frozenset[Grant], int] = {frozenset(): 0}
        own = [parts.setdefault(rule.grants, len(parts)) for rule in rules]
        says: dict[tuple[str, Principal], list[int]] = defaultdict(list)
        for grants, part in parts.items():
            for key in {(grant.effect, grant.principal) for grant in grants if grant.in_time(at)}:
                says[key].append(part)
        people, clearance, members = _everybody_and(session, [who.id for _, who in says if who.kind == "role"])
        numbers = {person: np.array([number], np.intp) for number, person in enumerate(people)} | members
        numbers[EVERYONE_ID] = np.arange(len(people), dtype=np.intp)
        nobody = np.empty(0, np.intp)
        return cls(
            people,
            clearance,
            {number: number for number in range(len(rules))},
            np.array([int(rule.label) for rule in rules], np.int16),
            np.array(own, np.intp),
            np.zeros(len(rules), np.intp),
            len(parts),
            [(effect, np.array(in_, np.intp), numbers.get(who.id, nobody)) for (effect, who), in_ in says.items()],
        )

    def counts(self) -> NDArray[np.int64]:
        """How many of the people read what stands under each of the rules, in the order of `label`."""
        rules, total = list(self.row), np.zeros(len(self.row), np.int64)
        for start in range(0, len(self.people), BLOCK):
            total += self.table(rules, start, min(start + BLOCK, len(self.people))).sum(axis=1)
        return total

    def table(self, rules: Sequence[int], start: int, stop: int) -> NDArray[np.bool_]:
        """Whether each of `people[start:stop]` (columns) reads what stands under each of these rules (rows)."""
        says = {effect: np.zeros((self.parts, stop - start), bool) for effect in ("allow", "deny")}
        for effect, parts, people in self.named:
            here = people[(people >= start) & (people < stop)] - start
            says[effect][np.ix_(parts, here)] = True
        rows = np.array([self.row[rule] for rule in rules], np.intp)
        own, above = self.own[rows], self.above[rows]
        within = self.label[rows, None] <= self.clearance[None, start:stop]
        allowed = says["allow"][own] | says["allow"][above]
        found: NDArray[np.bool_] = allowed & ~says["deny"][own] & ~says["deny"][above] & within
        return found

    def readers_of(self, rules: Some[int]) -> Pairs:
        """For each of these rules, who of the people reads what stands under it."""
        table = self.table(list(rules), 0, len(self.people))
        people = (frozenset(self.people[n] for n in np.flatnonzero(row).tolist()) for row in table)
        return dict(zip(rules, people, strict=True))


def _named_in_parts(
    session: Session, parts: Mapping[int | None, int], roles: Mapping[uuid.UUID, Sequence[uuid.UUID]], at: dt.datetime
) -> list[_Named]:
    """The principals that are named in stored parts about people with these roles, who are numbered in their order."""
    who: dict[tuple[str, uuid.UUID], list[int]] = defaultdict(list)
    for number, (user, held) in enumerate(roles.items()):
        for principal in (("everyone", EVERYONE_ID), ("user", user), *(("role", role) for role in held)):
            who[principal].append(number)
    ids = [part for part in parts if part is not None]
    number_of = np.zeros(max(ids, default=0) + 1, np.intp)
    number_of[ids] = [parts[part] for part in ids]
    given = {"parts": array(ids), "principals": list({id for _, id in who}), "at": at}
    return [
        (row.effect, number_of[np.frombuffer(row.parts, ">i4")], np.array(who[key], np.intp))
        for row in session.execute(NAMED, given)
        if (key := (row.principal_kind, row.principal_id)) in who
    ]


def _everybody_and(
    session: Session, roles: Sequence[uuid.UUID]
) -> tuple[list[uuid.UUID], NDArray[np.int16], dict[uuid.UUID, NDArray[np.intp]]]:
    """Every active person and their clearance, and by their numbers there who is in each of these roles.

    One statement, so that the numbers are of one moment; packed, since thousands of rows take long to be read.
    """
    number = func.row_number().over(order_by=User.id) - 1
    person = select(User.id, User.clearance, number.label("number")).where(is_active()).cte("person")
    seed = select(Role.id.label("outer"), Role.id.label("role_id")).where(one_of(Role.id.expression, roles))
    inside = with_inner_roles(seed)
    numbered = select(inside.c.outer, person.c.number).distinct()
    numbered = numbered.join(Membership, Membership.role_id == inside.c.role_id).where(Membership.current())
    member = numbered.join(person, person.c.id == Membership.user_id).subquery()

    def packed(value: ColumnElement[Any], *order: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.string_agg(value, aggregate_order_by(literal(b"", BYTEA), *order))

    of_people = select(
        null().label("role"),
        packed(func.uuid_send(person.c.id), person.c.number).label("numbers"),
        packed(func.int2send(person.c.clearance), person.c.number).label("clearance"),
    )
    of_roles = select(member.c.outer, packed(func.int4send(cast(member.c.number, Integer)), member.c.number), null())
    rows = session.execute(union_all(of_people, of_roles.group_by(member.c.outer))).all()
    ids = next(row.numbers for row in rows if row.role is None) or b""
    people = [uuid.UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16)]
    cleared = np.frombuffer(next(row.clearance for row in rows if row.role is None) or b"", ">i2").astype(np.int16)
    members = {row.role: np.frombuffer(row.numbers, ">i4").astype(np.intp) for row in rows if row.role is not None}
    return people, cleared, members


def is_active() -> ColumnElement[bool]:
    """Whether the user of the row is an active person; the canary is none."""
    return and_(User.active, User.kind == "person", User.name.not_like(r"\_%"))


def _persons(users: Sequence[uuid.UUID], parts: Some[int]) -> Select[uuid.UUID, int, Any]:
    """Id, clearance and roles of those who are active persons. Services read nothing by themselves.

    Of the roles those that the parts name: thousands of people in dozens of roles take long to be read.
    """
    memberships = select(Membership.user_id, Membership.role_id).where(Membership.current())
    held = with_outer_roles(memberships.where(one_of(Membership.user_id.expression, users)))
    grants = access.RuleGrant
    named = select(grants.principal_id).where(one_of(grants.rule_id.expression, parts), grants.principal_kind == "role")
    roles = func.array_agg(held.c.role_id).filter(held.c.role_id.is_not(None)).label("roles")
    holding = (held.c.user_id == User.id) & held.c.role_id.in_(named)
    persons = select(User.id, User.clearance, roles).outerjoin(held, holding)
    among = one_of(User.id.expression, users)
    return persons.where(among, User.active, User.kind == "person").group_by(User.id)
