"""The rules are written three times: decide() in Python, scopes_select() for the API, visible_scopes() in the database.

Random worlds demand the same answer of all three, with grants that begin and end at this very moment.
"""

import datetime as dt
import inspect
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.acl import visible
from app.acl.rules import Grant, OwnRule, decide, effective, next_change
from app.acl.scopes import scope_for
from app.db.session import WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.authenticate import subject_of
from app.identity.subject import EVERYONE, Capability, Label, Principal, Subject
from tests.support.cluster import Db
from tests.support.environment import LAW_FACTOR, Report
from tests.support.identities import act_as
from tests.support.library_db import LibraryDb, library_of

# From now: long past, the last tick, this very moment, the next tick, far off.
OFFSETS = [dt.timedelta(days=-1), *(dt.timedelta(microseconds=n) for n in (-1, 0, 1)), dt.timedelta(days=1)]
EXAMPLES = 150 * LAW_FACTOR
STRANGER = uuid.UUID(int=7)
LABELS = st.sampled_from(list(Label))
Scopes = Callable[[Session, Subject, dt.datetime], set[int]]


@dataclass(frozen=True)
class Person:
    """A user to be: the numbers of his roles, his clearance, and whether he is active."""

    roles: frozenset[int]
    clearance: Label
    active: bool


@dataclass(frozen=True)
class Draft:
    """A grant to be: principals by number, times by their distance from now."""

    effect: str
    kind: str
    number: int
    starts: dt.timedelta | None
    ends: dt.timedelta | None


@dataclass(frozen=True)
class Own:
    """An own rule to be."""

    drafts: frozenset[Draft]
    inherits: bool
    label: Label | None


@dataclass(frozen=True)
class Policy:
    """A world: nesting as pairs of role numbers (circles too, which the product refuses to write)."""

    roles: int
    nesting: frozenset[tuple[int, int]]
    people: tuple[Person, ...]
    collections: tuple[tuple[Own, tuple[Own, ...]], ...]


@dataclass
class Tally:
    """What was compared."""

    worlds: int = 0
    pairs: int = 0
    seen: int = 0
    reasons: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


moments = st.none() | st.sampled_from(OFFSETS)
drafts = st.builds(
    Draft,
    effect=st.sampled_from(["allow", "allow", "allow", "deny"]),
    kind=st.sampled_from(["everyone", "role", "role", "role", "user", "user"]),
    number=st.integers(0, 7),
    starts=moments,
    ends=moments,
)
owns = st.builds(Own, st.frozensets(drafts, max_size=4), st.booleans(), st.none() | LABELS)
collection_owns = st.builds(Own, st.frozensets(drafts, max_size=4), st.just(False), LABELS)
people = st.builds(
    Person, st.frozensets(st.integers(0, 4), max_size=3), LABELS, st.sampled_from([True, True, True, True, False])
)
policies = st.builds(
    Policy,
    roles=st.just(5),
    nesting=st.frozensets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=5),
    people=st.lists(people, min_size=5, max_size=8).map(tuple),
    collections=st.lists(
        st.tuples(collection_owns, st.lists(owns, min_size=3, max_size=7).map(tuple)), min_size=2, max_size=3
    ).map(tuple),
)


class Built:
    """A policy in the database, uncommitted: one transaction has one now(), so times can meet it to the tick."""

    def __init__(self, session: WriteSession, policy: Policy) -> None:
        self.session = session
        self.policy = policy
        self.at: dt.datetime = session.scalars(select(func.now())).one()
        self.roles = [Role(id=uuid.uuid4(), name=f"role{n}") for n in range(policy.roles)]
        self.users = [
            User(id=uuid.uuid4(), name=f"u{n}", display_name="", clearance=int(p.clearance), active=p.active)
            for n, p in enumerate(policy.people)
        ]
        session.add_all([*self.roles, *self.users])
        session.flush()
        session.add_all(
            Membership(user_id=u.id, role_id=self.roles[r].id)
            for u, p in zip(self.users, policy.people, strict=True)
            for r in p.roles
        )
        session.add_all(
            RoleInside(role_id=self.roles[a].id, inside_id=self.roles[b].id) for a, b in policy.nesting if a != b
        )
        session.flush()
        self.rules = {scope: effective(collection, own) for scope, collection, own in self._scopes()}

    def subject(self, number: int) -> Subject:
        """The user with his roles closed under nesting, here and not in SQL."""
        held = set(self.policy.people[number].roles)
        while more := {b for a, b in self.policy.nesting if a in held} - held:
            held |= more
        return Subject(
            user_id=self.users[number].id,
            name="",
            roles=frozenset(self.roles[r].id for r in held),
            clearance=self.policy.people[number].clearance,
            capabilities=frozenset(Capability),
            curates=frozenset(),
            key_id=STRANGER,
            key_prefix="",
        )

    def _scopes(self) -> list[tuple[int, OwnRule, OwnRule]]:
        found = []
        for number, (collection, owned) in enumerate(self.policy.collections):
            collection_rule = self._own(collection)
            made = Collection(name=f"collection{number}", own_rule=collection_rule.to_json())
            self.session.add(made)
            self.session.flush()
            for own in (OwnRule(), *map(self._own, owned)):
                found.append((scope_for(self.session, made, own), collection_rule, own))
        return found

    def _own(self, own: Own) -> OwnRule:
        return OwnRule(frozenset(map(self._grant, own.drafts)), own.inherits, own.label)

    def _grant(self, draft: Draft) -> Grant:
        pool = [r.id for r in self.roles] if draft.kind == "role" else [u.id for u in self.users]
        named = pool[draft.number] if draft.number < len(pool) else STRANGER
        principal = (
            EVERYONE if draft.kind == "everyone" else Principal("role" if draft.kind == "role" else "user", named)
        )
        starts, ends = (None if d is None else self.at + d for d in (draft.starts, draft.ends))
        return Grant("allow" if draft.effect == "allow" else "deny", principal, starts, ends)


def by_select(session: Session, subject: Subject, at: dt.datetime) -> set[int]:
    """The API's answer."""
    return {row.id for row in session.execute(visible.scopes_select(subject, at))}


def by_database(session: Session, user: uuid.UUID) -> set[int]:
    """The database's answer to a signed identity."""
    act_as(session, user)
    return set(session.scalars(text("select clearance.visible_scopes()")).one())


def compare(session: WriteSession, policy: Policy, tally: Tally, select_scopes: Scopes = by_select) -> None:
    """Ask all three about every user and scope of one world."""
    built = Built(session, policy)
    known = set(session.scalars(select(Scope.id)))
    tally.worlds += 1
    for number, user in enumerate(built.users):
        subject = built.subject(number)
        decisions = {scope: decide(subject, rule, built.at) for scope, rule in built.rules.items()}
        oracle = {scope for scope, decision in decisions.items() if decision.allowed}
        if subject_of(session, user).roles != subject.roles:
            tally.wrong.append("roles")
        if select_scopes(session, subject, built.at) != oracle:
            tally.wrong.append("scopes_select")
        resolved = visible.visible_scopes(session, subject)
        about = (g for rule in built.rules.values() for g in rule.grants if subject.is_named_by(g.principal))
        if set(resolved.scope_ids) != oracle or resolved.valid_until != next_change(about, built.at):
            tally.wrong.append("resolved")
        # Who is not active is nobody to the database; no Subject is ever made of him.
        if by_database(session, user.id) != (oracle if user.active else set()):
            tally.wrong.append("visible_scopes")
        tally.pairs += len(known)
        tally.seen += len(oracle)
        tally.reasons |= {d.reason for d in decisions.values()}


def worlds(
    library: LibraryDb, tally: Tally, examples: int, *, role: str = "owner", mutation: str = "", pick: Scopes
) -> None:
    """Compare in `examples` random worlds, each in a transaction that is rolled back; a mutation is made in each."""
    phases = tuple(Phase) if not mutation else (Phase.generate,)

    @settings(max_examples=examples, database=None, phases=phases, suppress_health_check=list(HealthCheck))
    @given(policies)
    def law(policy: Policy) -> None:
        with WriteSession(library.engine(role)) as session:
            if mutation.startswith("CREATE"):
                session.connection().exec_driver_sql(mutation)
            compare(session, policy, tally, pick)
            session.rollback()
            assert not tally.wrong, f"{tally.wrong} disagree with decide()"

    law()


def test_three_twins_agree(db: Db, report: Report) -> None:
    """decide() == scopes_select() == visible_scopes(), here and in the database, for every user and scope."""
    tally = Tally()
    with library_of(db) as library:
        worlds(library, tally, EXAMPLES, pick=by_select)
    report(f"rules = SQL: {tally.worlds} worlds, {tally.pairs} pairs, {tally.seen} visible")
    assert tally.worlds >= EXAMPLES
    assert tally.pairs >= 60 * EXAMPLES
    assert 0.05 < tally.seen / tally.pairs < 0.95
    assert tally.reasons == {"granted", "denied", "label above clearance", "nothing granted", "not in time"}


def mutant(old: str, new: str) -> Scopes:
    """scopes_select() with one piece of its source replaced."""
    source = inspect.getsource(visible)
    assert source.count(old) == 1, f"the source has moved on: {old!r}"
    names: dict[str, Any] = {"__name__": visible.__name__}
    exec(compile(source.replace(old, new), visible.__name__, "exec"), names)
    return lambda session, subject, at: {row.id for row in session.execute(names["scopes_select"](subject, at))}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (", ~func.bool_or(parts.c.denied)", ""),
        ("where(where, Rule.label <= CLEARANCE)", "where(where)"),
        ("union_all(own, above)", "union_all(own)"),
        ("union_all(own, above)", "union_all(above)"),
        ("func.coalesce(Rule.own_id, Rule.id)", "Rule.id"),
        ("RuleGrant.starts_at <= at", "RuleGrant.starts_at < at"),
        ("RuleGrant.ends_at > at),\n    )\n    starts", "RuleGrant.ends_at >= at),\n    )\n    starts"),
        ("list(subject.roles)", "list(subject.roles)[:1]"),
        ("RuleGrant.principal_id == USER", "RuleGrant.principal_id != USER"),
    ],
)
def test_a_changed_select_is_found(db: Db, old: str, new: str) -> None:
    """Test of the test: without the deny, the label, a bound of time or a role, the law goes red."""
    tally = Tally()
    with library_of(db) as library, pytest.raises(AssertionError, match="scopes_select"):
        worlds(library, tally, 60, mutation="select", pick=mutant(old, new))


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("resolve_scopes()", " and not bool_or(p.denied)", ""),
        ("resolve_scopes()", " and p.label <= my_clearance", ""),
        ("resolve_scopes()", "where h.inherited", "where false"),
        ("resolve_scopes()", "on coalesce(r.own_id, r.id) = h.part_id", "on r.id = h.part_id"),
        ("resolve_scopes()", "g.starts_at <= now()", "g.starts_at < now()"),
        ("resolve_scopes()", "now() < g.ends_at", "now() <= g.ends_at"),
        ("resolve_scopes()", "r.role_id = i.role_id", "r.role_id = i.inside_id"),
        ("caller()", "and u.active", ""),
    ],
)
def test_a_changed_function_is_found(db: Db, function: str, old: str, new: str) -> None:
    """The same for the database's twin, replaced by a superuser."""
    tally = Tally()
    with library_of(db) as library:
        with library.session("admin") as session:
            source = session.scalar(text(f"select pg_get_functiondef('clearance.{function}'::regprocedure)")) or ""
        assert source.count(old) == 1, f"the source has moved on: {old!r}"
        with pytest.raises(AssertionError, match="visible_scopes"):
            worlds(library, tally, 60, role="admin", mutation=source.replace(old, new), pick=by_select)
