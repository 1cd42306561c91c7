"""Who could read a document in a stretch of the past, held to what is explained of each moment in it."""

import contextlib
import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.acl.explain import explain_at
from app.acl.history import rule_at
from app.acl.past_readers import PastReading, document_stays, past_readings
from app.acl.rules import Rule, decide
from app.identity.past import subject_at
from app.identity.subject import Capability, Label, Subject
from tests.db.audit_db import AuditDb
from tests.support.cluster import TEMPLATE, Cluster, copied

BEGIN, HOURS = dt.datetime(2026, 3, 1, tzinfo=dt.UTC), 12
RULE = (
    "insert into rule (digest, label, own_id, above_id)"
    " values (sha256(cast(:digest as text)::bytea), :label, :own, :above) returning id"
)
GRANT = (
    "insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id, starts_at, ends_at)"
    " values (:rule, :ordinal, :effect, :kind, :principal, :starts, :ends)"
)
Values = dict[str, Any]


def hour(number: float | None) -> dt.datetime | None:
    return None if number is None else BEGIN + dt.timedelta(hours=number)


@dataclass
class Past:
    """A history made up at random: people come, go and are switched off, roles lie inside one another for a time."""

    session: Session
    rng: random.Random
    document: uuid.UUID = field(default_factory=uuid.uuid4)
    people: list[uuid.UUID] = field(default_factory=lambda: [uuid.uuid4() for _ in range(5)])
    roles: list[uuid.UUID] = field(default_factory=lambda: [uuid.uuid4() for _ in range(4)])

    def make(self) -> "Past":
        for person in self.people:
            for first, last in self.stretches():
                self.add("user_history", first, last, user_id=person, clearance=self.rng.randrange(4),
                         active=self.rng.random() < 0.8)  # fmt: skip
        for _ in range(16):
            ends_at = hour(self.rng.choice([None, self.moment()]))
            self.add("membership_history", *self.stretch(), user_id=self.rng.choice(self.people),
                     role_id=self.rng.choice(self.roles), ends_at=ends_at)  # fmt: skip
        for _ in range(7):
            inner, outer = self.rng.sample(self.roles, 2)
            self.add("nesting_history", *self.stretch(), role_id=inner, inside_id=outer)
        rules, scopes = [self.rule() for _ in range(3)], [self.rng.randrange(10**6, 10**9) for _ in range(2)]
        for scope in scopes:
            for first, last in self.stretches():
                self.add("scope_history", first, last, scope_id=scope, rule_id=self.rng.choice(rules))
        for first, last in self.stretches():
            self.add("document_history", first, last, document=self.document, collection_id=uuid.uuid4(),
                     scope_id=self.rng.choice(scopes))  # fmt: skip
        return self

    def moment(self) -> float:
        return self.rng.randrange(HOURS)

    def stretch(self) -> tuple[float, float | None]:
        first = self.moment()
        return first, self.rng.choice([None, first + self.rng.randrange(1, HOURS)])

    def stretches(self) -> list[tuple[float, float | None]]:
        """Behind one another, some of them with a gap between."""
        found, at = list[tuple[float, float | None]](), float(self.rng.randrange(3))
        while at < HOURS:
            last = at + self.rng.randrange(1, 6)
            found.append((at, last if last < HOURS else None))
            at = last + (self.rng.random() < 0.3)
        return found

    def rule(self) -> int:
        """Of two parts, as rules of scopes are, or of one."""
        parts = [self.put(RULE, digest=str(uuid.uuid4()), label=3, own=None, above=None) for _ in range(2)]
        for part in parts:
            for ordinal in range(self.rng.randrange(3)):
                kind = self.rng.choice(["role", "role", "role", "role", "user", "everyone"])
                of = {"role": self.roles, "user": self.people, "everyone": [uuid.UUID(int=0)]}[kind]
                starts, ends = (hour(self.rng.choice([None, self.moment()])) for _ in range(2))
                self.session.execute(text(GRANT), {
                    "rule": part, "ordinal": ordinal, "effect": self.rng.choice(["allow", "allow", "allow", "deny"]),
                    "kind": kind, "principal": self.rng.choice(of), "starts": starts, "ends": ends,
                })  # fmt: skip
        own, above = self.rng.choice([(parts[0], parts[1]), (parts[0], None)])
        return self.put(RULE, digest=str(uuid.uuid4()), label=self.rng.randrange(4), own=own, above=above)

    def put(self, statement: str, **values: Any) -> int:
        return int(self.session.execute(text(statement), values).scalar_one())

    def add(self, table: str, first: float, last: float | None, **values: Any) -> None:
        row = {**values, "valid_from": hour(first), "valid_to": hour(last)}
        columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        self.session.execute(text(f"insert into {table} ({columns}) values ({places})"), row)


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[AuditDb]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as made:
        yield made


def somebody(person: uuid.UUID) -> Subject:
    return Subject(person, "she", frozenset(), Label.PUBLIC, frozenset(), frozenset(), person, "")


def could(readings: list[PastReading], person: uuid.UUID, at: dt.datetime) -> list[PastReading]:
    return [r for r in readings if r.person == person and any(first <= at < last for first, last in r.during)]


@pytest.mark.parametrize("seed", range(12))
def test_who_could_read_is_what_is_explained_of_each_moment(world: AuditDb, seed: int) -> None:
    """Of people who are gone as well; and each grant is enough by itself, beside what denies."""
    with world.session("owner") as session:
        past = Past(session, random.Random(seed)).make()
    since, until = BEGIN + dt.timedelta(hours=2), BEGIN + dt.timedelta(hours=HOURS - 1)
    moments = [BEGIN + dt.timedelta(minutes=30 * n) for n in range(2 * HOURS)]
    found = 0
    with world.as_user(world.person(f"au{seed}", may=[Capability.AUDIT])) as session:
        readings = past_readings(session, past.document, since, until)
        for person in past.people:
            assert past_readings(session, past.document, since, until, person) == [
                r for r in readings if r.person == person
            ]
            for at in moments:
                by = could(readings, person, at)
                asked = since <= at < until
                explained = explain_at(session, somebody(person), past.document, at)
                assert bool(by) is (explained.allowed and asked), (person, at, explained)
                found += bool(by)
                for reading in by:
                    rule, _ = rule_at(session, past.document, at)
                    denies = {grant for grant in rule.grants if grant.effect == "deny"}
                    alone = Rule(rule.label, frozenset({reading.grant, *denies}))
                    assert decide(subject_at(session, somebody(person), at), alone, at).allowed
    assert seed or found, "the history opens nothing to anybody"


def test_services_and_the_probe_could_read_nothing(world: AuditDb) -> None:
    with world.session("owner") as session:
        rule = Past(session, random.Random(1)).put(RULE, digest="all", label=0, own=None, above=None)
        session.execute(text(GRANT), {"rule": rule, "ordinal": 0, "effect": "allow", "kind": "everyone",
                                      "principal": uuid.UUID(int=0), "starts": None, "ends": None})  # fmt: skip
        session.execute(text("insert into scope_history (scope_id, rule_id, valid_from) values (7, :rule, :at)"),
                        {"rule": rule, "at": BEGIN})  # fmt: skip
        session.execute(text("insert into document_history (document, collection_id, scope_id, valid_from)"
                             " values (:id, :id, 7, :at)"), {"id": uuid.UUID(int=7), "at": BEGIN})  # fmt: skip
        session.execute(text("insert into app_user (name, display_name, kind) values ('mill', 'Mill', 'service')"))
        session.execute(text("update app_user set clearance = 3 where name like '\\_%'"))
    ada = world.person("ada")
    now = dt.datetime.now(dt.UTC)
    with world.as_user(world.person("auditor", may=[Capability.AUDIT])) as session:
        people = {r.person for r in past_readings(session, uuid.UUID(int=7), now - dt.timedelta(seconds=1), now)}
        names = set(session.scalars(text("select name from app_user where id = any (:ids)"), {"ids": list(people)}))
        assert ada in people
        assert not {name for name in names if name == "mill" or name.startswith("_")}


def test_where_a_document_stood_is_for_auditors_and_curators(world: AuditDb) -> None:
    with world.session("owner") as session:
        past = Past(session, random.Random(3)).make()
    until = BEGIN + dt.timedelta(hours=HOURS)
    with world.as_user(world.person("second auditor", may=[Capability.AUDIT])) as session:
        stays = document_stays(session, past.document, BEGIN, until)
        assert stays
        assert [stay.first for stay in stays] == sorted(stay.first for stay in stays)
    with world.as_user(world.person("root", may=[Capability.ADMINISTER])) as session:
        assert document_stays(session, past.document, BEGIN, until) == []
        assert past_readings(session, past.document, BEGIN, until) == []
