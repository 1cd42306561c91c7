"""What the permission debugger shows of a decision gives that decision, and it is the one that the database makes.

Random worlds with folders in folders; whoever reads the rows by themselves, without `decide()`, comes to the same.
"""

import uuid
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import select

from app.acl import trace as traces
from app.acl.levels import levels_of
from app.acl.rule_store import rule_of
from app.acl.rules import OwnRule, decide, effective
from app.acl.scopes import scope_for
from app.acl.trace import DecisionTrace, trace
from app.acl.visible import scopes_select
from app.db.session import WriteSession
from app.db.tables.access import Collection, Folder, Scope
from app.identity.role_ways import ways_of
from app.identity.subject import Label, Subject
from tests.laws.worlds.policies import Built, Policy, policies
from tests.support.environment import LAW_FACTOR, Report
from tests.support.library_db import LibraryDb

EXAMPLES = 40 * LAW_FACTOR


@dataclass
class Looked:
    worlds: int = 0
    pairs: int = 0
    folders: int = 0
    reasons: set[str] = field(default_factory=set)


def with_folders(built: Built) -> None:
    """Under each collection the folders a and a/b, each with an own rule of the world, and scopes within them."""
    for number, (_, owned) in enumerate(built.policy.collections):
        name = f"collection{number}"
        collection = built.session.scalars(select(Collection).where(Collection.name == name)).one()
        for path, own, below in (("a", owned[0], owned[1]), ("a/b", owned[1], OwnRule()), ("ab", owned[2], OwnRule())):
            folder = Folder(collection_id=collection.id, path=path, own_rule=built.from_now(own).to_json())
            built.session.add(folder)
            built.session.flush()
            scope_for(built.session, collection, built.from_now(below), folder.id)


def by_rows(shown: DecisionTrace) -> str:
    """The reason that follows from the rows alone."""
    about = [g for level in shown.levels if level.counts for g in level.grants if g.names]
    if any(g.in_time and g.grant.effect == "deny" for g in about):
        return "denied"
    allows = [g for g in about if g.grant.effect == "allow"]
    if not any(g.in_time for g in allows):
        return "not in time" if allows else "nothing granted"
    return "granted" if shown.label <= shown.clearance else "label above clearance"


def check_rows(shown: DecisionTrace, subject: Subject, ways: set[uuid.UUID]) -> None:
    rows = [(level, g) for level in shown.levels for g in level.grants]
    deciding = [(level.counts, g.names) for level, g in rows if g.decided]
    assert deciding == ([] if shown.reason == "nothing granted" else [(True, True)])
    labels = [level.level.own.label for level in shown.levels if level.labels]
    assert labels == [shown.label] or (labels == [] and shown.label == Label.RESTRICTED)
    # A role that names them is one that they have a way into.
    assert {g.role for _, g in rows if g.role is not None} <= ways == set(subject.roles)


def compare(session: WriteSession, policy: Policy, looked: Looked) -> None:
    built = Built(session, policy)
    with_folders(built)
    looked.worlds += 1
    scopes = session.scalars(
        select(Scope)
        .join(Collection, Collection.id == Scope.collection_id)
        .where(Collection.name.startswith("collection"))
    ).all()
    levels = {scope.id: levels_of(session, scope) for scope in scopes}
    rules = {scope.id: rule_of(session, scope.rule_id) for scope in scopes}
    for number, user in enumerate(built.users):
        subject, ways = built.subject(number), {way.role for way in ways_of(session, user.id)}
        visible = {row.id for row in session.execute(scopes_select(subject, built.at))}
        for scope in scopes:
            shown = trace(subject, levels[scope.id], effective(*(level.own for level in levels[scope.id])), built.at)
            decision = decide(subject, rules[scope.id], built.at)
            assert (shown.allowed, shown.reason) == (decision.allowed, decision.reason)
            assert shown.allowed == (scope.id in visible)
            assert by_rows(shown) == shown.reason
            check_rows(shown, subject, ways)
            looked.pairs += 1
            looked.folders += scope.folder_id is not None
            looked.reasons.add(shown.reason)


def worlds(library: LibraryDb, looked: Looked, examples: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    @settings(max_examples=examples, database=None, phases=phases, suppress_health_check=list(HealthCheck))
    @given(policies)
    def law(policy: Policy) -> None:
        with WriteSession(library.engine("owner")) as session:
            compare(session, policy, looked)
            session.rollback()

    law()


def test_the_rows_that_are_shown_give_the_decision(library: LibraryDb, report: Report) -> None:
    looked = Looked()
    worlds(library, looked, EXAMPLES)
    report(f"debugger = decision: {looked.worlds} worlds, {looked.pairs} pairs, {looked.folders} in folders")
    assert looked.worlds >= EXAMPLES
    assert looked.folders > looked.pairs / 5
    assert looked.reasons == {"granted", "denied", "label above clearance", "nothing granted", "not in time"}


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("first_that_counts", lambda _levels: 0),
        ("first_that_counts", lambda levels: len(levels) - 1),
        ("decide", lambda subject, rule, at: decide(subject, rule, at.replace(year=2000))),
    ],
)
def test_a_mistake_would_be_found(
    library: LibraryDb, monkeypatch: pytest.MonkeyPatch, name: str, instead: object
) -> None:
    """Test of the test: a level that breaks is forgotten, all levels but the last are, or another moment is decided."""
    monkeypatch.setattr(traces, name, instead)
    with pytest.raises(AssertionError):
        worlds(library, Looked(), 400, (Phase.generate,))
