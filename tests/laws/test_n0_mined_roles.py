"""A company's whole user × object matrix, by way of mined roles: each pair, each implementation, and over HTTP.

And what changes of rules write.
"""

import random
from collections import Counter

import pytest
from sqlalchemy import text

from app.acl.rule_changes import rule_collection
from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.db.session import Database
from app.db.tables.access import Collection
from app.identity.subject import FOR_PEOPLE, Label
from tests.support.environment import Report
from tests.support.library_db import TEXT_TABLES, LibraryDb, allow
from tests.support.mined_roles import WAYS, Loaded, Matrix, check_user, load, mine, sample
from tests.support.service import client_of, parts_of

USERS, OBJECTS = 60, 90


def random_matrix(seed: int, roles: int) -> Matrix:
    """Users in a few teams that share objects, with some objects of their own; mined into at most so many roles."""
    rng = random.Random(seed)
    objects = tuple(range(1, OBJECTS + 1))
    teams = [frozenset(rng.sample(objects, rng.randint(2, 12))) for _ in range(12)]
    may = {
        user: frozenset().union(*rng.sample(teams, rng.randint(0, 4)), rng.sample(objects, rng.randint(0, 2)))
        for user in range(1, USERS + 1)
    }
    return Matrix("synthetic", may, objects, mine(may, roles))


def wrong_of(database: Database, loaded: Loaded) -> Counter[str]:
    """What each way gets wrong about all users."""
    wrong: Counter[str] = Counter()
    for user in loaded.matrix.may:
        wrong += check_user(database, loaded, user)
    return wrong


def test_every_pair_agrees(library: LibraryDb, database: Database, report: Report) -> None:
    """Oracle, API filter, database function and rows under the lock give the matrix, pair by pair; so does the API."""
    loaded = load(library, random_matrix(1, roles=25))
    matrix = loaded.matrix
    assert loaded.direct > 0, "some pairs are grants to users"
    assert wrong_of(database, loaded) == Counter()
    with client_of(parts_of(library.db)) as client:
        asked = sample(matrix, 150, random.Random(2))
        for user, o, seen in asked:
            answer = client.get(
                f"/api/v1/documents/{loaded.documents[o]}", headers={"Authorization": f"Bearer {loaded.keys[user]}"}
            )
            assert answer.status_code == (200 if seen else 404), (user, o)
            assert (f"Record r{o}x " in answer.text) == seen
    visible = sum(map(len, matrix.may.values()))
    report(
        f"matrix: {matrix.pairs} pairs ({visible} visible) × {len(WAYS)} ways, {len(matrix.roles)} roles,"
        f" {loaded.direct} grants to users, {len(loaded.rules)} scopes, {len(asked)} over HTTP"
    )
    assert 0.05 < visible / matrix.pairs < 0.5


@pytest.mark.parametrize(
    "mutation",
    [
        "delete from membership where ctid = (select min(ctid) from membership)",
        "update rule_grant set effect = 'deny' where principal_kind = 'role' and rule_id ="
        " (select min(rule_id) from rule_grant where principal_kind = 'role')",
        "update scope set rule_id = (select max(rule_id) from scope)"
        " where id = (select min(id) from scope where id > 1)",
    ],
)
def test_a_changed_policy_is_found(library: LibraryDb, database: Database, mutation: str) -> None:
    """Test of the test: one membership, grant or pointer changed behind the rules' back does not pass."""
    loaded = load(library, random_matrix(1, roles=25))
    with library.session("admin") as session:
        session.execute(text(mutation))
    wrong = wrong_of(database, loaded)
    assert set(WAYS[1:]) <= set(wrong)


def written(library: LibraryDb, table: str) -> dict[str, str]:
    """Each row's place and the transaction that wrote it last: any write changes it."""
    with library.session("owner") as session:
        return {row[0]: row[1] for row in session.execute(text(f"select ctid::text, xmin::text from {table}"))}


def test_re_granting_one_of_two_equal_collections(library: LibraryDb, database: Database) -> None:
    """A and B have equal rules and share the interned one. A gets another: B's scopes and every text row stay."""
    one, two, admin = library.role("one"), library.role("two"), library.person("root", may=sorted(FOR_PEOPLE))
    ada, ben = library.person("ada", roles=[one]), library.person("ben", roles=[two])
    collections = [library.collection(name, allow("role", one)) for name in ("a", "b")]
    for collection in collections:
        for n in range(5):
            library.document(collection, f"{n}.md", *(f"part {part} of {n}" for part in range(4)))
    scopes = [library.scope(collection) for collection in collections]
    rules = "select count(distinct rule_id) from scope where id = any (:ids)"
    assert library.value("owner", rules, ids=scopes) == 1
    before = {table: written(library, table) for table in TEXT_TABLES}
    b_before = library.text("select xmin::text || ' ' || rule_id from scope where id = :id", id=scopes[1])
    with database.writing(admin) as session:
        own = OwnRule(frozenset({allow("role", two)}), inherits=False, label=Label.INTERNAL)
        rule_collection(session, library.subject(admin), session.get_one(Collection, collections[0]), own)
    assert {table: written(library, table) for table in TEXT_TABLES} == before
    assert len(before["chunk"]) == 2 * 5 * 4 + 1, "the canary's too"
    assert library.text("select xmin::text || ' ' || rule_id from scope where id = :id", id=scopes[1]) == b_before
    for user, expected in ((ada, scopes[1:]), (ben, scopes[:1])):
        with database.reading(user) as session:
            assert list(visible_scopes(session, library.subject(user)).scope_ids) == expected
            assert session.scalars(text("select clearance.visible_scopes()")).one() == expected
