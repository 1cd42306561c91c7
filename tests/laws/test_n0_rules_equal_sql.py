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
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.acl import visible
from app.acl.rules import decide, next_change
from app.db.session import WriteSession
from app.db.tables.access import Scope
from app.identity.authenticate import subject_of
from app.identity.subject import Subject
from tests.laws.worlds.policies import Built, Policy, policies
from tests.support.environment import LAW_FACTOR, Report
from tests.support.identities import act_as
from tests.support.library_db import LibraryDb

EXAMPLES = 80 * LAW_FACTOR
# A mutant is found in the first few worlds, but for a rare run: one that is not ends the test only after these.
MUTANT_EXAMPLES = 800
Scopes = Callable[[Session, Subject, dt.datetime], set[int]]


@dataclass
class Tally:
    worlds: int = 0
    pairs: int = 0
    seen: int = 0
    reasons: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


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
