"""The people of a company and its roles: one for all, divisions, departments, and teams, each inside the next."""

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert

from app.db.session import WriteSession
from app.db.tables.people import Membership, Role, RoleInside, User
from app.identity.subject import FOR_PEOPLE, Capability
from benchmarks.audit_log_pages import id_of
from benchmarks.world import World

DIVISIONS, DEPARTMENTS = 12, 80
# Teams that a person is in: one, and some for projects, which have many people seldom and few often.
PROJECTS = (0, 1, 2, 4, 9)
# Roles for the two employees who are measured: what they may read lies in scopes that name these.
EVERYTHING, TENTH, HUNDREDTH = "everything", "tenth", "hundredth"
READING = (EVERYTHING, TENTH, HUNDREDTH)
SIGN_INS = """
insert into sign_in_session (prefix, hash, user_id, means, idle_seconds, idle_until, expires_at, created_at)
  select md5(u.name || '-' || n), sha256((u.name || '-' || n)::bytea), u.id, 'link', 60, now() + interval '1 day',
    now() + interval '1 day', now() - make_interval(days => n)
  from app_user u, generate_series(1, 20) n where u.name like 'user-%';
insert into api_key (prefix, hash, user_id, capabilities)
  select 'k' || md5(u.name), sha256(u.name::bytea), u.id, '{ask}' from app_user u where u.name like 'user-%';
"""


@dataclass(frozen=True)
class Staff:
    """All roles by their ids, those that grants name, and the roles that open a known share."""

    people: Sequence[uuid.UUID]
    teams: Sequence[uuid.UUID]
    reading: Mapping[str, uuid.UUID]


def put_staff(session: WriteSession, rng: random.Random, people: int, roles: int) -> Staff:
    """So many people and roles; a team of rank r has about 1 / r of the people of the largest."""
    reading = {name: uuid.UUID(int=rng.getrandbits(128)) for name in READING}
    names = [f"role-{number}" for number in range(roles - len(reading))]
    ids = [uuid.UUID(int=rng.getrandbits(128)) for _ in names]
    named = [*zip(ids, names, strict=True), *((reading[name], name) for name in READING)]
    session.execute(insert(Role), [{"id": role, "name": name} for role, name in named])
    first, teams = 1 + DIVISIONS + DEPARTMENTS, ids[1 + DIVISIONS + DEPARTMENTS :]
    around = [(n, 0) for n in range(1, 1 + DIVISIONS)]
    around += [(n, 1 + n % DIVISIONS) for n in range(1 + DIVISIONS, first)]
    around += [(n, 1 + DIVISIONS + n % DEPARTMENTS) for n in range(first, len(ids))]
    session.execute(insert(RoleInside), [{"role_id": ids[a], "inside_id": ids[b]} for a, b in around])
    # As the records of the log name them.
    users = [id_of(f"user{number}") for number in range(people)]
    rows = [
        {
            "id": user,
            "name": f"user-{n}",
            "display_name": f"Person {n}",
            "clearance": 1 + n % 3,
            "capabilities": ["ask"],
        }
        for n, user in enumerate(users)
    ]
    session.execute(insert(User), rows)
    weights = [1 / rank for rank in range(1, len(teams) + 1)]
    held = [{rng.choice(teams), *rng.choices(teams, weights, k=rng.choice(PROJECTS))} for _ in users]
    pairs = [{"user_id": user, "role_id": team} for user, own in zip(users, held, strict=True) for team in sorted(own)]
    session.execute(insert(Membership), pairs)
    return Staff(users, teams, reading)


def put_callers(world: World, staff: Staff, collections: Sequence[uuid.UUID]) -> dict[str, str]:
    """Those as whom everything is asked, by what they are called in the tables: their keys."""
    reads, asks = staff.reading, [Capability.ASK, Capability.DOWNLOAD]
    everyone = staff.teams[:10]
    people = {
        "employee, 100 %": world.person("employee-all", may=asks, roles=[reads[EVERYTHING], *everyone]),
        "employee, 10 %": world.person("employee-tenth", may=asks, roles=[reads[TENTH]]),
        "employee, 1 %": world.person("employee-few", may=asks, roles=[reads[HUNDREDTH]]),
        "curator": world.person(
            "curator", may=[*asks, Capability.CURATE], roles=[reads[EVERYTHING]], curates=collections
        ),
        "administrator": world.person("administrator", may=sorted(FOR_PEOPLE - {Capability.AUDIT})),
        "auditor": world.person("auditor", may=[Capability.AUDIT]),
    }
    return {who: world.key(user, may=sorted(FOR_PEOPLE)) for who, user in people.items()}
