"""How long an administrator waits for users and roles: `python -m benchmarks.access.people_pages`.

3,000 people with ten roles each of 500, each of which lies inside two others, and sixty sign-ins a person. Medians of
the floor's functions, each in a transaction of its own, without HTTP.
"""

import argparse
import random
import time
from collections.abc import Callable
from statistics import median

from app.admin.role_details import get_role, list_role_members
from app.admin.role_tree import role_tree
from app.admin.roles import list_roles
from app.admin.user_details import get_user
from app.admin.users import UserFilter, list_users
from app.db.paging import Page
from app.db.session import ReadSession
from app.identity.names import find_role
from app.identity.subject import FOR_PEOPLE, Subject
from benchmarks.access.rules import put_people
from benchmarks.machine import load
from benchmarks.tables import show
from benchmarks.world import World, database, server

SIGN_INS = (
    "insert into sign_in_session (prefix, hash, user_id, means, idle_seconds, idle_until, expires_at, created_at)"
    " select u.name || '-' || n, sha256((u.name || '-' || n)::bytea), u.id, 'link', 60, now(), now(),"
    " now() - make_interval(days => n) from app_user u, generate_series(1, 60) n where u.name like 'user-%'"
)
Act = Callable[[ReadSession], object]


def pages(subject: Subject) -> dict[str, Act]:
    """What is timed."""

    def users(**wanted: object) -> Act:
        return lambda session: list_users(session, subject, Page(limit=100), UserFilter(**wanted))  # type: ignore[arg-type]

    return {
        "a page of users": users(),
        "… whose name says this": users(text="er-29"),
        "… that nobody is called": users(text="nobody"),
        "… in a role, by nesting": users(role="role-300", active=True),
        "a page of roles with their members": lambda s: list_roles(s, subject, Page(limit=100)),
        "all roles as a tree": lambda s: role_tree(s, subject),
        "one user": lambda s: get_user(s, subject, "user-7"),
        "one role": lambda s: get_role(s, subject, find_role(s, "role-300")),
        "a page of its people": lambda s: list_role_members(
            s, subject, find_role(s, "role-300"), Page(limit=100), nested=True
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--roles", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    rows = []
    with server() as running:
        db = database(running)
        world = World(db)
        with world.session() as session:
            put_people(session, random.Random(1), given.roles, given.people)
        root = world.person("root", may=sorted(FOR_PEOPLE))
        with db.admin() as connection:
            connection.execute(SIGN_INS)
        subject = world.subject(root)
        world.settle()
        api = db.api()
        for what, act in pages(subject).items():
            times = []
            for _ in range(given.rounds):
                with api.reading(root) as session:
                    began = time.perf_counter()
                    act(session)
                    times.append(time.perf_counter() - began)
            rows.append((what, f"{1000 * median(times):,.0f} ms"))
        api.close()
    show(f"{given.people:,} people, {given.roles} roles; {load()}", ("page", "took"), rows, left=1)


if __name__ == "__main__":
    main()
