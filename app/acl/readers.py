"""Who can read what, for many people at once: the rules as SQL once more, as a set of pairs."""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, DateTime, Select, Uuid, bindparam, func, select, text
from sqlalchemy.orm import Session

from app.acl.rule_store import array, one_of
from app.acl.visible import scopes_select
from app.db.tables.access import Collection, Rule, RuleGrant, Scope
from app.db.tables.people import Membership, User
from app.identity.nesting import members_of, with_outer_roles
from app.identity.subject import EVERYONE_ID, Subject

Pairs = Mapping[int, frozenset[uuid.UUID]]
# People that are looked at at once: with thousands of rules and of people, all of both would take gigabytes.
_BLOCK = 512
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
BY_RULE = text("select rule_id, documents from clearance.documents_by_rule(:collections)").bindparams(
    bindparam("collections", type_=ARRAY(Uuid))
)


class ReaderTable:
    """`decide()` for some people and some rules at one moment: who reads what stands under which."""

    def __init__(self, session: Session, rules: Some[int], users: Some[uuid.UUID], at: dt.datetime) -> None:
        columns = (Rule.id, Rule.label, Rule.own_id, Rule.above_id)
        found = session.execute(select(*columns).where(one_of(Rule.id.expression, rules))).all()
        self.people = sorted(users)
        persons = {person.id: person for person in session.execute(_persons(self.people))}
        # Who is no active person is cleared for nothing.
        cleared = [persons[user].clearance if user in persons else _NOTHING for user in self.people]
        self._clearance = np.array(cleared, np.int16)
        self._rule = {row.id: number for number, row in enumerate(found)}
        self._label = np.array([row.label for row in found], np.int16)
        ids = dict.fromkeys(part for row in found for part in (row.own_id or row.id, row.above_id) if part is not None)
        # Number 0 is no part, and says nothing.
        parts = {None: 0} | {part: number for number, part in enumerate(ids, start=1)}
        self._own = np.array([parts[row.own_id or row.id] for row in found], np.intp)
        self._above = np.array([parts[row.above_id] for row in found], np.intp)
        self._parts = len(parts)
        roles = [(persons[user].roles or ()) if user in persons else () for user in self.people]
        self._named = self._grants(session, parts, roles, at)

    def _grants(
        self, session: Session, parts: Mapping[int | None, int], roles: Sequence[Sequence[uuid.UUID]], at: dt.datetime
    ) -> list[tuple[str, NDArray[np.intp], NDArray[np.intp]]]:
        """The effect, parts and people of each principal that is named, by their numbers here."""
        who: dict[tuple[str, uuid.UUID], list[int]] = defaultdict(list)
        for number, (user, held) in enumerate(zip(self.people, roles, strict=True)):
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

    def table(self, rules: Sequence[int], start: int, stop: int) -> NDArray[np.bool_]:
        """Whether each of `people[start:stop]` (columns) reads what stands under each of these rules (rows)."""
        says = {effect: np.zeros((self._parts, stop - start), bool) for effect in ("allow", "deny")}
        for effect, parts, people in self._named:
            here = people[(people >= start) & (people < stop)] - start
            says[effect][np.ix_(parts, here)] = True
        rows = np.array([self._rule[rule] for rule in rules], np.intp)
        own, above = self._own[rows], self._above[rows]
        within = self._label[rows, None] <= self._clearance[None, start:stop]
        allowed = says["allow"][own] | says["allow"][above]
        found: NDArray[np.bool_] = allowed & ~says["deny"][own] & ~says["deny"][above] & within
        return found

    def readers_of(self, rules: Some[int]) -> Pairs:
        """For each of these rules, who of the people reads what stands under it."""
        table = self.table(list(rules), 0, len(self.people))
        people = (frozenset(self.people[n] for n in np.flatnonzero(row)) for row in table)
        return dict(zip(rules, people, strict=True))


def readers(session: Session, rules: Some[int], users: Some[uuid.UUID], at: dt.datetime) -> Pairs:
    """For each of these rules, who of these people reads what stands under it at that moment."""
    return ReaderTable(session, rules, users, at).readers_of(rules)


def readers_of_scope(session: Session, scope_id: int, at: dt.datetime) -> frozenset[uuid.UUID]:
    """Everybody who reads what stands in a scope at that moment."""
    rule_id = session.scalars(select(Scope.rule_id).where(Scope.id == scope_id)).one()
    return readers(session, [rule_id], everybody(session), at)[rule_id]


def gained_and_lost(
    cells: Mapping[tuple[int, int], int], before: ReaderTable, after: ReaderTable
) -> dict[uuid.UUID, tuple[int, int]]:
    """How many documents each person gains and loses, by the documents that go from one rule to another.

    Both readings are of the same people.
    """
    olds, news = [old for old, _ in cells], [new for _, new in cells]
    documents = np.array(list(cells.values()), np.int64)
    counted: dict[uuid.UUID, tuple[int, int]] = {}
    for start in range(0, len(before.people), _BLOCK):
        stop = min(start + _BLOCK, len(before.people))
        was, now = before.table(olds, start, stop), after.table(news, start, stop)
        gained, lost = documents @ (now & ~was), documents @ (was & ~now)
        for person, more, less in zip(before.people[start:stop], gained.tolist(), lost.tolist(), strict=True):
            if more or less:
                counted[person] = (more, less)
    return counted


def concerned(session: Session, cells: Some[tuple[int, int]]) -> frozenset[uuid.UUID]:
    """Whose reading may change where documents go from the first rule to the second of such a pair.

    Those whom the parts that the two do not share name, or everybody.
    """
    columns = (Rule.id, Rule.label, Rule.own_id, Rule.above_id)
    found = session.execute(select(*columns).where(one_of(Rule.id.expression, {r for cell in cells for r in cell})))
    rules = {row.id: (row.label, {row.own_id or row.id, row.above_id}) for row in found}
    if any(rules[old][0] != rules[new][0] for old, new in cells):
        return everybody(session)
    parts = set[int | None]().union(*(rules[old][1] ^ rules[new][1] for old, new in cells)) - {None}
    named = select(RuleGrant.principal_kind, RuleGrant.principal_id).where(one_of(RuleGrant.rule_id.expression, parts))
    principals = session.execute(named.distinct()).all()
    if any(row.principal_kind == "everyone" for row in principals):
        return everybody(session)
    inside = members_of(session, [r.principal_id for r in principals if r.principal_kind == "role"])
    return everybody(session) & {*inside, *(r.principal_id for r in principals if r.principal_kind == "user")}


def everybody(session: Session) -> frozenset[uuid.UUID]:
    """Every active person."""
    people = select(User.id).where(User.active, User.kind == "person", User.name.not_like(r"\_%"))
    return frozenset(session.scalars(people))


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


def _persons(users: Sequence[uuid.UUID]) -> Select[uuid.UUID, int, Any]:
    """Id, clearance and roles of those who are active persons. Services read nothing by themselves."""
    memberships = select(Membership.user_id, Membership.role_id).where(Membership.current())
    held = with_outer_roles(memberships.where(one_of(Membership.user_id.expression, users)))
    roles = func.array_agg(held.c.role_id).filter(held.c.role_id.is_not(None)).label("roles")
    persons = select(User.id, User.clearance, roles).outerjoin(held, held.c.user_id == User.id)
    among = one_of(User.id.expression, users)
    return persons.where(among, User.active, User.kind == "person").group_by(User.id)
