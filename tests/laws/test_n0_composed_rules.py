"""Rules put together from parts say what `effective()` says, and are one row for each value.

What no other law holds: the digest without the grants at hand, parts that overlap, scopes written before there were
parts, and who reads what as a table.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from app.acl import rule_store, scopes
from app.acl.effects import PersonEffect, effects_of_placement
from app.acl.reader_table import Pairs, ReaderTable
from app.acl.readers import count_readers, readers
from app.acl.rule_store import rules_about, rules_of
from app.acl.rules import Grant, OwnRule, Rule, decide, effective, joined_digests, rule_digest, united
from app.acl.scopes import repoint_scopes, scope_for
from app.db.session import WriteSession
from app.db.tables import access
from app.db.tables.access import Collection, Folder, Scope
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.subject import EVERYONE, Label, Principal, Subject
from tests.support.environment import LAW_FACTOR
from tests.support.library_db import LibraryDb

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=4_000)
ROLES = [uuid.UUID(int=n) for n in range(1, 5)]
USERS = [uuid.UUID(int=n) for n in range(11, 14)]
PATHS = [None, "a", "a/b"]

principals = st.sampled_from(
    [EVERYONE, *(Principal("role", role) for role in ROLES), *(Principal("user", user) for user in USERS)]
)
moments = st.none() | st.sampled_from([NOW - dt.timedelta(days=1), NOW, LATER])
grants = st.builds(Grant, st.sampled_from(["allow", "allow", "deny"]), principals, moments, moments)
owns = st.builds(OwnRule, st.frozensets(grants, max_size=4), st.booleans(), st.none() | st.sampled_from(list(Label)))
inheriting = st.builds(OwnRule, st.frozensets(grants, max_size=4), st.just(True), st.none())
collections = st.builds(
    OwnRule, st.frozensets(grants, max_size=3), st.just(False), st.sampled_from([Label.PUBLIC, Label.CONFIDENTIAL])
)


@given(st.frozensets(grants), st.frozensets(grants), st.sampled_from(list(Label)))
def test_a_union_has_the_digest_of_its_grants(own: frozenset[Grant], above: frozenset[Grant], label: Label) -> None:
    digests = united(joined_digests(own), joined_digests(above))
    assert digests == joined_digests(own | above)
    assert rule_digest(label, digests) == Rule(label, own | above).digest


@given(st.builds(Rule, st.sampled_from(list(Label)), st.frozensets(grants)), st.sampled_from(list(Label)), grants)
def test_different_rules_have_different_digests(rule: Rule, label: Label, grant: Grant) -> None:
    other = Rule(label, rule.grants ^ {grant})
    assert (rule == other) == (rule.digest == other.digest)


class Place:
    """A collection with two folders and scopes in each, uncommitted, and people."""

    def __init__(
        self, session: WriteSession, collection: OwnRule, folders: list[OwnRule], below: list[OwnRule]
    ) -> None:
        self.session = session
        session.add_all(Role(id=role, name=f"r{role.int}") for role in ROLES)
        for number, user in enumerate(USERS):
            session.add(User(id=user, name=f"u{user.int}", display_name="", clearance=number + 1))
        session.flush()
        session.add(RoleInside(role_id=ROLES[0], inside_id=ROLES[1]))
        session.add_all(
            [Membership(user_id=USERS[0], role_id=ROLES[0]), Membership(user_id=USERS[1], role_id=ROLES[2])]
        )
        self.collection = Collection(name="collection", own_rule=collection.to_json())
        session.add(self.collection)
        session.flush()
        made = [Folder(collection_id=self.collection.id, path=p, own_rule=o.to_json())
                for p, o in zip(PATHS[1:], folders, strict=True)]  # fmt: skip
        session.add_all(made)
        session.flush()
        self.folders = folders
        self.scopes: dict[int, tuple[int, OwnRule]] = {}
        for depth, folder_id in enumerate([None, *(folder.id for folder in made)]):
            for own in below:
                self.scopes[scope_for(session, self.collection, own, folder_id)] = (depth, own)

    def regrant(self, collection: OwnRule) -> int:
        """Another rule for the collection, and how many scopes follow. What is foreseen of it is what `decide` says."""
        here = Collection.id == self.collection.id
        self.session.execute(update(Collection).where(here).values(own_rule=collection.to_json()))
        moves = repoint_scopes(self.session, self.collection.id)
        cells = Counter((move.before, move.after) for move in moves)
        at = self.session.scalars(select(func.now())).one()
        assert effects_of_placement(self.session, cells, at) == self.foreseen(cells, at)
        return len(moves)

    def foreseen(self, cells: Counter[tuple[int, int]], at: dt.datetime) -> dict[uuid.UUID, PersonEffect]:
        """What each person gains and loses, now and at the one later moment of these rules."""
        rules = rules_of(self.session, {number for cell in cells for number in cell})
        found: dict[uuid.UUID, PersonEffect] = {}
        for subject in map(self.subject, USERS):
            effect = PersonEffect()
            for (old, new), documents in cells.items():
                reads = {
                    moment: [decide(subject, rules[number], moment).allowed for number in (old, new)]
                    for moment in (at, LATER)
                }
                for turn, turned in ((effect.gains, [False, True]), (effect.loses, [True, False])):
                    if moment := next((m for m in reads if reads[m] == turned), None):
                        turn.add(documents, moment, at)
            if effect != PersonEffect():
                found[subject.user_id] = effect
        return found

    def check(self, collection: OwnRule) -> None:
        """Each scope's rule is the oracle's value, once; and it says to each reader what `decide` says."""
        stored = dict(self.session.execute(select(Scope.id, Scope.rule_id).where(Scope.id.in_(self.scopes))).all())
        wanted = {s: effective(collection, *self.folders[:depth], own) for s, (depth, own) in self.scopes.items()}
        rules = rules_of(self.session, set(stored.values()))
        assert {scope: rules[rule] for scope, rule in stored.items()} == wanted
        digests = select(access.Rule.id, access.Rule.digest).where(access.Rule.id.in_(rules))
        assert dict(self.session.execute(digests).all()) == {number: rule.digest for number, rule in rules.items()}
        assert len(set(wanted.values())) == len(rules)
        at = self.session.scalars(select(func.now())).one()
        found = readers(self.session, list(rules), USERS, at)
        self.check_values(list(rules.items()), found, at)
        for subject in map(self.subject, USERS):
            about = rules_about(self.session, list(rules), {subject.user_id, *subject.roles})
            for number, rule in rules.items():
                said = decide(subject, rule, at)
                assert (subject.user_id in found.get(number, ())) == said.allowed
                assert decide(subject, about[number], at) == said

    def check_values(self, rules: list[tuple[int, Rule]], found: Pairs, at: dt.datetime) -> None:
        """Rules as values, which need not be stored, have the same readers as those that are."""
        everybody = ReaderTable.of_values(self.session, [rule for _, rule in rules], at).readers_of(range(len(rules)))
        assert {number: everybody[n] & set(USERS) for n, (number, _) in enumerate(rules)} == found
        counts = count_readers(self.session, [rule for _, rule in rules], at)
        assert counts == [len(everybody[n]) for n in range(len(rules))]

    def subject(self, user: uuid.UUID) -> Subject:
        """One of the people, with roles by hand."""
        number = USERS.index(user)
        roles = frozenset([ROLES[:2], ROLES[2:3], []][number])
        return Subject(user, "", roles, Label(number + 1), frozenset(), frozenset(), user, "")


def law(library: LibraryDb, *, examples: int, before: Callable[[Place], object] = lambda _: None) -> None:
    """Random collections, each re-granted at least once in a transaction that is rolled back; some scopes follow."""
    followed = 0

    @settings(
        max_examples=examples, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        collections,
        st.tuples(owns, owns),
        st.tuples(inheriting, st.lists(owns, min_size=1, max_size=4)),
        grants,
        st.lists(collections, max_size=2),
    )
    def holds(
        collection: OwnRule, folders: Any, below: tuple[OwnRule, list[OwnRule]], other: Grant, others: list[OwnRule]
    ) -> None:
        nonlocal followed
        with WriteSession(library.engine("owner")) as session:
            made = Place(session, collection, list(folders), [below[0], *below[1]])
            made.check(collection)
            for rule in (OwnRule(collection.grants ^ {other}, False, collection.label), *others):
                before(made)
                followed += made.regrant(rule)
                made.check(rule)
            session.rollback()

    holds()
    assert followed >= examples


def forget_parts(made: Place) -> None:
    """As scopes stand that were written before there were parts, and some rules as they were then."""
    made.session.execute(text("update scope set own_part_id = null"))


@pytest.mark.parametrize("before", [lambda _: None, forget_parts])
def test_parts_say_what_effective_says(library: LibraryDb, before: Callable[[Place], object]) -> None:
    law(library, examples=25 * LAW_FACTOR, before=before)


@pytest.mark.parametrize(
    "mutation", ["not sorted", "inherits always", "never inherits", "the collection's label", "no grants"]
)
def test_a_mistake_would_be_found(library: LibraryDb, monkeypatch: pytest.MonkeyPatch, mutation: str) -> None:
    compose = rule_store.compose
    match mutation:
        case "not sorted":
            monkeypatch.setattr(rule_store, "united", lambda own, above: own + above)
        case "inherits always":
            owns_of = scopes._owns
            monkeypatch.setattr(
                scopes, "_owns",
                lambda *a: {k: scopes._Own(o.part_id, True, o.label) for k, o in owns_of(*a).items()},
            )  # fmt: skip
        case "never inherits":
            monkeypatch.setattr(scopes, "compose", lambda label, own, _above: compose(label, own, None))
        case "the collection's label":
            monkeypatch.setattr(scopes._Above, "label", lambda self, folder_id, _own: self._rules[folder_id].label)
        case "no grants":
            monkeypatch.setattr(rule_store, "_insert_grants", lambda *_: None)
    with pytest.raises((AssertionError, KeyError)):
        law(library, examples=60)
