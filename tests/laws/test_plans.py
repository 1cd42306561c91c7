"""A plan says who would gain and lose how many documents, and applied it does exactly that."""

import random
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.acl.effects import Effects
from app.acl.rules import Grant, OwnRule
from app.acl.visible import visible_scopes
from app.admin import plans
from app.admin.changes import ClearanceStep, GrantStep, MemberStep, NestingStep, PlanStep, RuleStep
from app.db.session import Database
from app.db.tables.access import AccessPlan
from app.db.tables.library import Document
from app.errors import AppError
from app.identity.subject import FOR_PEOPLE, Label, Principal
from tests.support.environment import LAW_FACTOR, Report
from tests.support.library_db import LibraryDb, allow

PLANS = 40 * LAW_FACTOR
FOLDERS = ["a", "a/b", "c"]
LABELS = [Label.PUBLIC, Label.INTERNAL, Label.CONFIDENTIAL]
PATHS = ["x.md", "a/x.md", "a/y.md", "a/b/x.md", "c/x.md"]


class Town:
    """A collection with documents in folders, people and roles, and an administrator who reads nothing of it."""

    def __init__(self, library: LibraryDb, database: Database) -> None:
        self.library, self.database, self.chance = library, database, random.Random(11)
        self.roles = [library.role(f"role-{n}") for n in range(4)]
        self.people = [library.person(f"person-{n}", roles=[self.roles[n % 4]]) for n in range(6)]
        self.collection = library.collection("notes", allow("role", self.roles[0]), allow("role", self.roles[1]))
        for path in PATHS:
            library.document(self.collection, path, f"what {path} says")
        self.root = library.subject(
            library.person("root", may=sorted(FOR_PEOPLE), curates=[self.collection], clearance=Label.PUBLIC)
        )
        here = select(Document.public_id).where(Document.collection_id == self.collection)
        with library.session("owner") as session:
            documents = session.scalars(here).all()
        self.targets: list[tuple[uuid.UUID, str | None, uuid.UUID | None]] = [
            (self.collection, folder, None) for folder in (None, *FOLDERS)
        ]
        self.targets += [(self.collection, None, document) for document in documents]
        self.principals = [Principal("role", role) for role in self.roles]
        self.principals += [Principal("user", user) for user in self.people]

    def readable(self) -> dict[uuid.UUID, frozenset[uuid.UUID]]:
        """The documents that each person sees in a search now, by their own identity."""
        found = {}
        for person in self.people:
            subject = self.library.subject(person)
            with self.database.reading(person) as session:
                visible = visible_scopes(session, subject)
                query = select(Document.public_id).where(Document.scope_id.in_(visible.scope_ids))
                found[person] = frozenset(session.scalars(query))
        return found

    def grant(self) -> Grant:
        return Grant(self.chance.choice(["allow", "allow", "allow", "deny"]), self.chance.choice(self.principals))

    def step(self) -> PlanStep:
        choice, yes = self.chance.choice, self.chance.random() < 0.6
        steps: list[Callable[[], PlanStep]] = [
            lambda: GrantStep(*choice(self.targets), self.grant(), present=yes),
            lambda: GrantStep(*choice(self.targets), self.grant(), present=True),
            lambda: RuleStep(
                *choice(self.targets), OwnRule(frozenset({self.grant(), self.grant()}), yes, choice([None, *LABELS]))
            ),
            lambda: MemberStep(choice(self.people), choice(self.roles), present=yes),
            lambda: MemberStep(choice(self.people), choice(self.roles), present=True),
            lambda: NestingStep(choice(self.roles), choice(self.roles), present=yes),
            lambda: ClearanceStep(choice(self.people), choice(LABELS)),
        ]
        return choice(steps)()

    def plan(self) -> tuple[uuid.UUID, dict[uuid.UUID, tuple[int, int]]] | None:
        """A plan of some random steps and what it says: gains and losses by person. None if it is refused."""
        steps = [self.step() for _ in range(self.chance.randint(1, 2))]
        try:
            with self.database.writing(self.root.user_id) as session:
                view = plans.create_plan(self.database, session, self.root, lambda _: steps, second_administrator=False)
                stored = session.get_one(AccessPlan, view.id)
                effects = Effects.from_json(stored.effects).people
        except AppError:
            return None
        return view.id, {person: (e.gains.now, e.loses.now) for person, e in effects.items() if person in self.people}


def differing(town: Town, tries: int) -> tuple[int, list[str]]:
    """How many plans changed what somebody reads, and those that did something else than they had said."""
    turned, wrong, before = 0, [], town.readable()
    for _ in range(tries):
        planned = town.plan()
        if planned is None:
            continue
        plan_id, said = planned
        with town.database.writing(town.root.user_id) as session:
            plans.apply_plan(session, town.root, plan_id)
        after = town.readable()
        done = {p: (len(after[p] - before[p]), len(before[p] - after[p])) for p in town.people}
        turned += any(map(any, done.values()))
        if done != {p: said.get(p, (0, 0)) for p in town.people}:
            wrong.append(f"said {said}, did {done}")
        before = after
    return turned, wrong


def test_a_plan_applied_does_what_it_says(library: LibraryDb, database: Database, report: Report) -> None:
    turned, wrong = differing(Town(library, database), PLANS)
    report(f"plans: {PLANS} drawn, {turned} changed what somebody reads")
    assert wrong == []
    assert turned > PLANS / 8


def test_a_plan_that_looks_past_roles_is_found(
    library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: those whom a change of roles or of a clearance is about are not asked what they read."""
    for step in (MemberStep, NestingStep, ClearanceStep):
        monkeypatch.setattr(step, "people", lambda *_: frozenset())
    assert differing(Town(library, database), 40)[1]
