"""Access rules of real organisations: `python -m benchmarks.access.matrices --data FOLDER [--only NAME] [--sample N]`.

FOLDER holds matrices of users and permissions (`NAME.upa.csv.gz`) with mined roles (`NAME.roles.json.gz`). Each matrix
becomes a database of its own: users with keys, roles, and a document a permission, allowed to the roles that hold it.
Every pair of user and document is put to the oracle, to the API's filter, to the database's function and to a plain
SELECT under row-level security; a seeded sample, half of it visible as far as that goes, to GET /documents/{id}.
"""

import argparse
import csv
import gzip
import json
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi.testclient import TestClient
from rich.progress import track
from sqlalchemy import insert, text

from app import log
from app.acl.rules import Grant, OwnRule, Rule, decide, effective
from app.acl.visible import visible_scopes
from app.db.session import Database
from app.db.tables.people import ApiKey, Membership, Role, User
from app.identity.api_keys import make_key
from app.identity.authenticate import subject_of
from app.identity.subject import Label, Principal
from app.main import create
from benchmarks.tables import show
from benchmarks.world import EMBEDDER, Db, Document, World, database, indexed, parts_of, server

NAMES = ("healthcare", "domino", "emea", "fire1", "americas_small")  # the small ones first
WORDS = ("ledger", "contract", "payroll", "roster", "invoice", "audit", "patent", "merger", "visa", "lease")
# Who is asked about whom.
WAYS = ("decide()", "visible_scopes() of the API", "visible_scopes() of the database", "rows under row-level security")
ROWS = text("select d.public_id from chunk c join document d on d.id = c.document_id")


@dataclass(frozen=True)
class Matrix:
    """Which user may read which object. Each role has users who all hold all of its objects."""

    name: str
    may: Mapping[int, frozenset[int]]
    roles: tuple[tuple[frozenset[int], frozenset[int]], ...]

    @property
    def objects(self) -> list[int]:
        """All that somebody may read."""
        return sorted(set().union(*self.may.values()))

    @property
    def pairs(self) -> int:
        return len(self.may) * len(self.objects)

    def left_over(self) -> list[tuple[int, int]]:
        """The pairs that no role gives: each becomes a grant to the user. ValueError if a role gives too much."""
        given: dict[int, set[int]] = defaultdict(set)
        for users, objects in self.roles:
            for user in users:
                given[user] |= objects
        if wrong := [user for user, objects in given.items() if not objects <= self.may.get(user, frozenset())]:
            raise ValueError(f"{self.name}: roles give users {wrong[:5]} more than the matrix does")
        return [(user, o) for user, objects in self.may.items() for o in sorted(objects - given[user])]


@dataclass
class Loaded:
    """A matrix in the database: users with keys, documents of objects, and scopes with their rules and objects."""

    matrix: Matrix
    users: dict[int, uuid.UUID]
    keys: dict[int, str]
    documents: dict[int, uuid.UUID]
    rules: dict[int, Rule]
    objects: dict[int, set[int]]
    direct: int
    wrong: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    answered_wrong: int = 0


def main() -> None:
    """Check all matrices, print; exit with 1 on a mismatch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the matrices")
    parser.add_argument("--only", choices=NAMES, nargs="+", default=list(NAMES), help="some of the matrices")
    parser.add_argument("--sample", type=int, default=20_000, help="pairs asked over HTTP, spread over the matrices")
    given = parser.parse_args()
    results, left = [], given.sample
    with server() as running:
        matrices = sorted((read(given.data, name) for name in given.only), key=lambda matrix: matrix.pairs)
        for number, matrix in enumerate(matrices):
            db = database(running, f"m_{matrix.name}")
            loaded, api = put(World(db), matrix), db.api()
            for user in track(sorted(matrix.may), description=f"{matrix.name}: every pair"):
                loaded.wrong += check_user(api, loaded, user)
            loaded.asked = min(matrix.pairs, left // (len(matrices) - number))
            left -= loaded.asked
            ask(db, loaded)
            results.append(loaded)
            api.close()
    show_checks(results)
    if any(result.wrong or result.answered_wrong for result in results):
        raise SystemExit("Some pairs disagree with the matrix.")


def read(folder: Path, name: str) -> Matrix:
    may: dict[int, set[int]] = defaultdict(set)
    with gzip.open(folder / f"{name}.upa.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            may[int(row["user"])].add(int(row["permission"]))
    with gzip.open(folder / f"{name}.roles.json.gz", "rt", encoding="utf-8") as file:
        roles = tuple((frozenset(r["users"]), frozenset(r["permissions"])) for r in json.load(file))
    return Matrix(name, {user: frozenset(held) for user, held in may.items()}, roles)


def put(world: World, matrix: Matrix) -> Loaded:
    """Write it: a collection that grants nothing, a document an object, a scope for each set of roles that hold one."""
    users, keys, roles = put_people(world, matrix)
    grants: dict[int, set[Grant]] = {o: set() for o in matrix.objects}
    for role, (_, objects) in zip(roles, matrix.roles, strict=True):
        for o in objects:
            grants[o].add(Grant("allow", Principal("role", role)))
    direct = matrix.left_over()
    for user, o in direct:
        grants[o].add(Grant("allow", Principal("user", users[user])))
    closed = OwnRule(inherits=False, label=Label.INTERNAL)
    collection = world.collection("records", closed)
    owns = {o: OwnRule(frozenset(of)) for o, of in grants.items()}
    scopes = {own: world.scope(collection, own) for own in set(owns.values())}
    objects_of: dict[int, set[int]] = defaultdict(set)
    for o, own in owns.items():
        objects_of[scopes[own]].add(o)
    files = (Document(f"{o}.txt", collection, scopes[own], indexed([text_of(o)])) for o, own in owns.items())
    documents = dict(zip(owns, world.documents(files), strict=True))
    rules = {scope: effective(closed, own) for own, scope in scopes.items()}
    world.settle()
    return Loaded(matrix, users, keys, documents, rules, dict(objects_of), len(direct))


def put_people(world: World, matrix: Matrix) -> tuple[dict[int, uuid.UUID], dict[int, str], list[uuid.UUID]]:
    """Users with a key each, and roles with their members."""
    users, made = {user: uuid.uuid4() for user in matrix.may}, {user: make_key() for user in matrix.may}
    roles = [uuid.uuid4() for _ in matrix.roles]
    ask = {"capabilities": ["ask"]}
    people = [{"id": i, "name": f"u{user}", "display_name": "", "clearance": 1, **ask} for user, i in users.items()]
    keys = [{"user_id": users[user], "prefix": k.prefix, "hash": k.hash, **ask} for user, k in made.items()]
    pairs = [(user, role) for role, (members, _) in zip(roles, matrix.roles, strict=True) for user in members]
    with world.session() as session:
        session.execute(insert(User), people)
        session.execute(insert(ApiKey), keys)
        session.execute(insert(Role), [{"id": i, "name": f"r{number}"} for number, i in enumerate(roles)])
        session.execute(insert(Membership), [{"user_id": users[user], "role_id": role} for user, role in pairs])
    return users, {user: key.secret for user, key in made.items()}, roles


def text_of(number: int) -> str:
    """The text of an object's document: some common words, and one of its own."""
    return f"Record r{number}x about {' and '.join(random.Random(number).choices(WORDS, k=4))}."


def check_user(api: Database, loaded: Loaded, user: int) -> Counter[str]:
    """How many objects each way gets wrong for this user; empty if all agree with the matrix."""
    with api.reading(loaded.users[user]) as session:
        subject = subject_of(session, session.get_one(User, loaded.users[user]))
        here = visible_scopes(session, subject)
        there = session.scalars(text("select clearance.visible_scopes()")).one()
        rows = set(session.scalars(ROWS))
    decided = [scope for scope, rule in loaded.rules.items() if decide(subject, rule, here.at).allowed]
    found = [set().union(*(loaded.objects[scope] for scope in scopes)) for scopes in (decided, here.scope_ids, there)]
    found.append({o for o, document in loaded.documents.items() if document in rows})
    truth = loaded.matrix.may[user]
    return Counter({way: wrong for way, seen in zip(WAYS, found, strict=True) if (wrong := len(seen ^ truth))})


def ask(db: Db, loaded: Loaded) -> None:
    """Open a sample of documents over HTTP: 200 with the document's own words, or 404 without them."""
    matrix, rng = loaded.matrix, random.Random(3)
    visible = [(user, o) for user in sorted(matrix.may) for o in sorted(matrix.may[user])]
    pairs = set(rng.sample(visible, min(len(visible), loaded.asked // 2)))
    users, objects, tries = sorted(matrix.may), matrix.objects, 0
    while len(pairs) < loaded.asked:
        pair = (rng.choice(users), rng.choice(objects))
        tries += 1
        # A dense matrix may have no more hidden pairs: then any pair does.
        if pair[1] not in matrix.may[pair[0]] or tries > 20 * loaded.asked:
            pairs.add(pair)
    with TestClient(create(parts_of(db, embedder=EMBEDDER)), raise_server_exceptions=False) as client:
        log.configure(json=True, level="WARNING")  # a line for each request would drown the progress
        for user, o in track(sorted(pairs), description=f"{matrix.name}: over HTTP"):
            key, seen = {"Authorization": f"Bearer {loaded.keys[user]}"}, o in matrix.may[user]
            answer = client.get(f"/api/v1/documents/{loaded.documents[o]}", headers=key)
            right = answer.status_code == (200 if seen else 404) and (f"Record r{o}x " in answer.text) == seen
            loaded.answered_wrong += not right


def show_checks(results: list[Loaded]) -> None:
    """What was loaded and compared."""
    rows = []
    for r in results:
        matrix, visible = r.matrix, sum(map(len, r.matrix.may.values()))
        counts = (len(matrix.may), len(matrix.objects), len(matrix.roles), r.direct, len(r.rules), matrix.pairs)
        shares = (
            f"{100 * visible / matrix.pairs:.1f} %",
            str(dict(r.wrong) or 0),
            f"{r.asked:,}",
            str(r.answered_wrong),
        )
        rows.append((matrix.name, *(f"{count:,}" for count in counts), *shares))
    columns = ("matrix", "users", "objects", "roles", "user grants", "scopes", "pairs", "visible", "mismatches")
    show("Every pair of user and document, four ways; a sample over HTTP", (*columns, "HTTP", "HTTP wrong"), rows)


if __name__ == "__main__":
    main()
