"""Random policies: people, nested roles, collections with folders and own rules; and each put into a database."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from sqlalchemy import func, select

from app.acl.rules import Grant, OwnRule, effective
from app.acl.scopes import scope_for
from app.db.session import WriteSession
from app.db.tables.access import Collection
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.subject import EVERYONE, Capability, Label, Principal, Subject

# From now: long past, the last tick, this very moment, the next tick, far off.
OFFSETS = [dt.timedelta(days=-1), *(dt.timedelta(microseconds=n) for n in (-1, 0, 1)), dt.timedelta(days=1)]
NOMINAL = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ROLES = [uuid.UUID(int=n) for n in range(1, 6)]
USERS = [uuid.UUID(int=n) for n in range(11, 19)]
STRANGERS = [uuid.UUID(int=n) for n in range(21, 24)]
LABELS = st.sampled_from(list(Label))


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
            collection_rule = self.from_now(collection)
            made = Collection(name=f"collection{number}", own_rule=collection_rule.to_json())
            self.session.add(made)
            self.session.flush()
            for own in (OwnRule(), *map(self.from_now, owned)):
                found.append((scope_for(self.session, made, own), collection_rule, own))
        return found

    def from_now(self, own: OwnRule) -> OwnRule:
        """The rule with its times as far from now as they were drawn from NOMINAL."""
        late = self.at - NOMINAL
        moved = (replace(g, starts_at=g.starts_at and g.starts_at + late, ends_at=g.ends_at and g.ends_at + late)
                 for g in own.grants)  # fmt: skip
        return replace(own, grants=frozenset(moved))
