"""Thousands of scopes with mixed rules, and callers with thirty roles each, for `benchmarks.scopes`."""

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.orm import DeclarativeBase, Session

from app.acl.rule_store import compose, intern_composed, intern_parts
from app.acl.rules import Grant, OwnRule, Rule, effective
from app.db.session import WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.subject import EVERYONE, Label, Principal

SCOPES_PER_ROLE = 5  # real matrices have one and a half to six (`benchmarks.real_rules`)
HELD = 10  # roles a caller is put into
AROUND = 2  # roles that each of these lies inside of
PER_SHELF = 100  # scopes
LABELS = (Label.PUBLIC, Label.INTERNAL, Label.INTERNAL, Label.CONFIDENTIAL, Label.RESTRICTED)


@dataclass(frozen=True)
class World:
    """The callers' ids, and the rule of each scope by its number."""

    callers: tuple[uuid.UUID, ...]
    rules: dict[int, Rule]


def build(session: WriteSession, scopes: int, *, callers: int, per_role: int = SCOPES_PER_ROLE, seed: int = 1) -> World:
    """Write `callers` people with 30 roles each (10 held, 20 by nesting) and `scopes` scopes on shelves of 100.

    There is one role for `per_role` scopes, and at least 100.

    A scope's own rule has one to four grants: mostly allows to roles, some to people and to everyone, a tenth denies, a
    fifth with a start or an end; half of the scopes add the two grants of their shelf. Labels are mixed.
    """
    rng = random.Random(seed)
    roles = [uuid.UUID(int=rng.getrandbits(128)) for _ in range(max(scopes // per_role, 100))]
    people = [uuid.UUID(int=rng.getrandbits(128)) for _ in range(callers)]
    _put_people(session, rng, roles, people)
    rules: dict[int, Rule] = {}
    for count in _cut(scopes, PER_SHELF):
        shelf = Collection(name=f"shelf-{len(rules)}", own_rule={})
        shelf_own = OwnRule(frozenset(_grants(rng, roles, people, 2)), inherits=False, label=rng.choice(LABELS))
        shelf.own_rule = shelf_own.to_json()
        session.add(shelf)
        session.flush()
        owns = _distinct(rng, roles, people, count)
        made = [effective(shelf_own, own) for own in owns]
        parts = intern_parts(session, {own.grants for own in owns})
        above = intern_parts(session, [shelf_own.grants], inherited=True)[shelf_own.grants]
        composed = [
            compose(rule.label, parts[own.grants], above if own.inherits else None)
            for own, rule in zip(owns, made, strict=True)
        ]
        interned = intern_composed(session, composed)
        rows = [
            {
                "collection_id": shelf.id,
                "own_digest": own.digest,
                "own_rule": own.to_json(),
                "own_part_id": parts[own.grants].id,
                "rule_id": interned[rule.digest],
            }
            for own, rule in zip(owns, made, strict=True)
        ]
        ids = session.scalars(insert(Scope).returning(Scope.id, sort_by_parameter_order=True), rows).all()
        rules |= dict(zip(ids, made, strict=True))
    return World(tuple(people), rules)


def _put_people(session: Session, rng: random.Random, roles: Sequence[uuid.UUID], people: Sequence[uuid.UUID]) -> None:
    """The first quarter of the roles are held; the rest lie around them, two around each, so that a caller has 30."""
    held, outer = roles[: len(roles) // 4], roles[len(roles) // 4 :]
    _put(session, Role, ({"id": role, "name": f"role-{n}"} for n, role in enumerate(roles)))
    _put(
        session,
        User,
        (
            {"id": u, "name": f"user-{n}", "display_name": "", "clearance": 1 + n % 3, "capabilities": ["ask"]}
            for n, u in enumerate(people)
        ),
    )
    around = [
        {"role_id": role, "inside_id": outer[(AROUND * n + k) % len(outer)]}
        for n, role in enumerate(held)
        for k in range(AROUND)
    ]
    _put(session, RoleInside, around)
    members = [{"user_id": user, "role_id": role} for user in people for role in rng.sample(held, HELD)]
    _put(session, Membership, members)


def _distinct(rng: random.Random, roles: Sequence[uuid.UUID], people: Sequence[uuid.UUID], count: int) -> list[OwnRule]:
    """So many own rules, no two equal: equal ones on one shelf are one scope."""
    found: dict[bytes, OwnRule] = {}
    while len(found) < count:
        own = _own(rng, roles, people)
        found[own.digest] = own
    return list(found.values())


def _own(rng: random.Random, roles: Sequence[uuid.UUID], people: Sequence[uuid.UUID]) -> OwnRule:
    label = rng.choice(LABELS) if rng.random() < 0.3 else None
    return OwnRule(frozenset(_grants(rng, roles, people, rng.randint(1, 4))), inherits=rng.random() < 0.5, label=label)


def _grants(rng: random.Random, roles: Sequence[uuid.UUID], people: Sequence[uuid.UUID], count: int) -> Iterator[Grant]:
    now = dt.datetime.now(dt.UTC)
    for _ in range(count):
        chance = rng.random()
        who = Principal("role", rng.choice(roles))
        if chance < 0.02:
            who = EVERYONE
        elif chance < 0.15:
            who = Principal("user", rng.choice(people))
        hours = [dt.timedelta(hours=rng.uniform(-500, 500)) for _ in range(2)]
        times = [now + h if rng.random() < 0.1 else None for h in hours]
        yield Grant("deny" if rng.random() < 0.1 else "allow", who, *times)


def _put(session: Session, table: type[DeclarativeBase], rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if rows:
        assert isinstance(table.__table__, Table)
        session.execute(insert(table.__table__), rows)


def _cut(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(size, total)
        total -= size
