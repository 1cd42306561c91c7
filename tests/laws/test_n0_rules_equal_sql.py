"""The rules are written three times: decide() in Python, scopes_select() for the API, visible_scopes() in the database.

Random worlds demand the same answer of all three, with grants that begin and end at this very moment.
"""

import datetime as dt
import inspect
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from tests.support.environment import LAW_FACTOR, Report
from tests.support.identities import act_as
from tests.support.library_db import LibraryDb

# From now: long past, the last tick, this very moment, the next tick, far off.
OFFSETS = [dt.timedelta(days=-1), *(dt.timedelta(microseconds=n) for n in (-1, 0, 1)), dt.timedelta(days=1)]
EXAMPLES = 80 * LAW_FACTOR
# A mutant is found in the first few worlds, but for a rare run: one that is not ends the test only after these.
MUTANT_EXAMPLES = 800
NOMINAL = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ROLES = [uuid.UUID(int=n) for n in range(1, 6)]
USERS = [uuid.UUID(int=n) for n in range(11, 19)]
STRANGERS = [uuid.UUID(int=n) for n in range(21, 24)]
LABELS = st.sampled_from(list(Label))
Scopes = Callable[[Session, Subject, dt.datetime], set[int]]


@dataclass(frozen=True)
class Person:
    """A user to be: the numbers of his roles, his clearance, and whether he is active."""

    roles: frozenset[int]
    clearance: Label
    active: bool


@dataclass(frozen=True)
class Policy:
    """A world: nesting as pairs of role numbers (circles too, which the product refuses to write)."""

    nesting: frozenset[tuple[int, int]]
    people: tuple[Person, ...]
    collections: tuple[tuple[OwnRule, tuple[OwnRule, ...]], ...]


@dataclass
class Tally:
    worlds: int = 0
    pairs: int = 0
    seen: int = 0
    reasons: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


moments = st.none() | st.sampled_from([NOMINAL + offset for offset in OFFSETS])
principals = st.sampled_from([
    *[EVERYONE] * 8,
    *[Principal("role", role) for role in (*ROLES, *STRANGERS)] * 3,
    *[Principal("user", user) for user in USERS] * 2,
])  # fmt: skip
grants = st.builds(Grant, st.sampled_from(["allow", "allow", "allow", "deny"]), principals, moments, moments)
owns = st.builds(OwnRule, st.frozensets(grants, max_size=4), st.booleans(), st.none() | LABELS)
collection_owns = st.builds(OwnRule, st.frozensets(grants, max_size=4), st.just(False), LABELS)
people = st.builds(
    Person, st.frozensets(st.integers(0, 4), max_size=3), LABELS, st.sampled_from([True, True, True, True, False])
)
policies = st.builds(
    Policy,
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
        self.users = [
            User(id=USERS[n], name=f"u{n}", display_name="", clearance=int(p.clearance), active=p.active)
            for n, p in enumerate(policy.people)
        ]
        session.add_all([*(Role(id=role, name=f"role{n}") for n, role in enumerate(ROLES)), *self.users])
        session.flush()
        session.add_all(
            Membership(user_id=u.id, role_id=ROLES[r])
            for u, p in zip(self.users, policy.people, strict=True)
            for r in p.roles
        )
        session.add_all(RoleInside(role_id=ROLES[a], inside_id=ROLES[b]) for a, b in policy.nesting if a != b)
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
            roles=frozenset(ROLES[r] for r in held),
            clearance=self.policy.people[number].clearance,
            capabilities=frozenset(Capability),
            curates=frozenset(),
            key_id=STRANGERS[0],
            key_prefix="",
        )

    def _scopes(self) -> list[tuple[int, OwnRule, OwnRule]]:
        found = []
        for number, (collection, owned) in enumerate(self.policy.collections):
            collection_rule = self._from_now(collection)
            made = Collection(name=f"collection{number}", own_rule=collection_rule.to_json())
            self.session.add(made)
            self.session.flush()
            for own in (OwnRule(), *map(self._from_now, owned)):
                found.append((scope_for(self.session, made, own), collection_rule, own))
        return found

    def _from_now(self, own: OwnRule) -> OwnRule:
        """The rule with its times as far from now as they were drawn from NOMINAL."""
        late = self.at - NOMINAL
        moved = (replace(g, starts_at=g.starts_at and g.starts_at + late, ends_at=g.ends_at and g.ends_at + late)
                 for g in own.grants)  # fmt: skip
        return replace(own, grants=frozenset(moved))


def by_select(session: Session, subject: Subject, at: dt.datetime) -> set[int]:
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


def test_three_twins_agree(library: LibraryDb, report: Report) -> None:
    """decide() == scopes_select() == visible_scopes(), here and in the database, for every user and scope."""
    tally = Tally()
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
def test_a_changed_select_is_found(library: LibraryDb, old: str, new: str) -> None:
    """Test of the test: without the deny, the label, a bound of time or a role, the law goes red."""
    with pytest.raises(AssertionError, match="scopes_select"):
        worlds(library, Tally(), MUTANT_EXAMPLES, mutation="select", pick=mutant(old, new))


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
def test_a_changed_function_is_found(library: LibraryDb, function: str, old: str, new: str) -> None:
    """The same for the database's twin, replaced by a superuser."""
    source = library.text(f"select pg_get_functiondef('clearance.{function}'::regprocedure)")
    assert source.count(old) == 1, f"the source has moved on: {old!r}"
    with pytest.raises(AssertionError, match="visible_scopes"):
        worlds(library, Tally(), MUTANT_EXAMPLES, role="admin", mutation=source.replace(old, new), pick=by_select)
