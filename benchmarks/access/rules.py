"""Thousands of scopes with mixed rules, and callers with thirty roles each, for `benchmarks.access.resolve`."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import insert

from app.acl.rule_store import compose, intern_composed, intern_parts
from app.acl.rules import Grant, OwnRule, effective
from app.db.session import WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.subject import EVERYONE, Label, Principal

HELD = 10  # roles a caller is put into
AROUND = 2  # roles that each of these lies inside of
PER_COLLECTION = 100  # scopes
LABELS = (Label.PUBLIC, Label.INTERNAL, Label.INTERNAL, Label.CONFIDENTIAL, Label.RESTRICTED)


def put_people(session: WriteSession, rng: random.Random, roles: int, people: int) -> tuple[list[uuid.UUID], ...]:
    """Roles and people with 30 of them each: the first quarter of the roles are held, two others lie around each."""
    role_ids, user_ids = ([uuid.UUID(int=rng.getrandbits(128)) for _ in range(count)] for count in (roles, people))
    held, outer = role_ids[: roles // 4], role_ids[roles // 4 :]
    session.execute(insert(Role), [{"id": role, "name": f"role-{n}"} for n, role in enumerate(role_ids)])
    users = [
        {"id": u, "name": f"user-{n}", "display_name": "", "clearance": 1 + n % 3, "capabilities": ["ask"]}
        for n, u in enumerate(user_ids)
    ]
    session.execute(insert(User), users)
    pairs = [(role, outer[(AROUND * n + k) % len(outer)]) for n, role in enumerate(held) for k in range(AROUND)]
    session.execute(insert(RoleInside), [{"role_id": role, "inside_id": around} for role, around in pairs])
    members = [{"user_id": user, "role_id": role} for user in user_ids for role in rng.sample(held, HELD)]
    session.execute(insert(Membership), members)
    return role_ids, user_ids


def put_scopes(session: WriteSession, collection: Collection, above: OwnRule, owns: Sequence[OwnRule]) -> None:
    """A scope for each own rule, no two of which may be equal, as the product keeps them."""
    parts = intern_parts(session, {own.grants for own in owns})
    inherited = intern_parts(session, [above.grants], inherited=True)[above.grants]
    labels = [effective(above, own).label for own in owns]
    composed = [
        compose(label, parts[own.grants], inherited if own.inherits else None)
        for label, own in zip(labels, owns, strict=True)
    ]
    interned = intern_composed(session, composed)
    rows: list[dict[str, Any]] = [
        {
            "collection_id": collection.id,
            "own_digest": own.digest,
            "own_rule": own.to_json(),
            "own_part_id": parts[own.grants].id,
            "rule_id": interned[rule.digest],
        }
        for own, rule in zip(owns, composed, strict=True)
    ]
    session.execute(insert(Scope), rows)


def put_collection(session: WriteSession, name: str, own: OwnRule) -> Collection:
    """A new collection, without scopes."""
    made = Collection(name=name, own_rule=own.to_json())
    session.add(made)
    session.flush()
    return made


def mixed(session: WriteSession, scopes: int, *, callers: int, per_role: int) -> list[uuid.UUID]:
    """`callers` people and `scopes` scopes in collections of 100; gives the people.

    There is one role for `per_role` scopes, and at least 100. A scope's own rule has one to four grants: mostly allows
    to roles, some to people and to everyone, a tenth denies, a fifth with a start or an end; half of the scopes add the
    two grants of their collection. Labels are mixed.
    """
    rng = random.Random(1)
    roles, people = put_people(session, rng, max(scopes // per_role, 100), callers)
    for first in range(0, scopes, PER_COLLECTION):
        above = OwnRule(frozenset(_grants(rng, roles, people, 2)), inherits=False, label=rng.choice(LABELS))
        owns: dict[bytes, OwnRule] = {}
        while len(owns) < min(PER_COLLECTION, scopes - first):
            label = rng.choice(LABELS) if rng.random() < 0.3 else None
            grants = frozenset(_grants(rng, roles, people, rng.randint(1, 4)))
            own = OwnRule(grants, inherits=rng.random() < 0.5, label=label)
            owns[own.digest] = own
        put_scopes(session, put_collection(session, f"collection-{first}", above), above, list(owns.values()))
    return people


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
