"""A user × object matrix with mined roles, put into a database as people, roles and documents, and asked every way."""

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import insert, text

from app.acl.rules import Grant, OwnRule, Rule, decide, effective
from app.acl.scopes import scope_for
from app.acl.visible import visible_scopes
from app.db.session import Database
from app.db.tables.access import Collection
from app.db.tables.people import ApiKey, Membership, Role, User
from app.identity.api_keys import make_key
from app.identity.authenticate import subject_of
from app.identity.subject import Label, Principal
from ingest.document import DocumentPassage
from ingest.embed import index_passages
from ingest.write import NewVersion, write_version
from tests.support.library_db import EMBEDDER, LibraryDb

WORDS = ("ledger", "contract", "payroll", "roster", "invoice", "audit", "patent", "merger", "visa", "lease")
# Who is asked about whom.
WAYS = ("decide()", "visible_scopes() of the API", "visible_scopes() of the database", "rows under row-level security")


@dataclass(frozen=True)
class MinedRole:
    """Users who all hold all of these objects."""

    users: frozenset[int]
    objects: frozenset[int]


@dataclass(frozen=True)
class Matrix:
    """Which user may read which object. `roles` give a part of the pairs, and no pair beyond them."""

    name: str
    may: Mapping[int, frozenset[int]]
    objects: tuple[int, ...]
    roles: tuple[MinedRole, ...]

    @property
    def pairs(self) -> int:
        """Users times objects."""
        return len(self.may) * len(self.objects)

    def left_over(self) -> list[tuple[int, int]]:
        """The pairs that no role gives: each becomes a grant to the user. ValueError if a role gives too much."""
        given: dict[int, set[int]] = defaultdict(set)
        for role in self.roles:
            for user in role.users:
                given[user] |= role.objects
        if wrong := [user for user, objects in given.items() if not objects <= self.may.get(user, frozenset())]:
            raise ValueError(f"{self.name}: roles give users {wrong[:5]} more than the matrix does")
        return [(user, o) for user, objects in self.may.items() for o in sorted(objects - given[user])]


@dataclass(frozen=True)
class Loaded:
    """A matrix in the database: ids and keys of the users, documents and scopes of the objects, rules of the scopes."""

    matrix: Matrix
    collection: uuid.UUID
    users: dict[int, uuid.UUID]
    keys: dict[int, str]
    documents: dict[int, uuid.UUID]
    scopes: dict[int, int]
    rules: dict[int, Rule]
    direct: int

    @cached_property
    def objects(self) -> dict[uuid.UUID, int]:
        """The object of each document."""
        return {document: o for o, document in self.documents.items()}

    @cached_property
    def shares(self) -> dict[int, set[int]]:
        """The objects under each scope."""
        shares: dict[int, set[int]] = defaultdict(set)
        for o, scope in self.scopes.items():
            shares[scope].add(o)
        return dict(shares)

    def standing(self, scope_ids: Iterable[int]) -> set[int]:
        """The objects under these scopes; KeyError for a scope that is none of ours."""
        return set().union(*(self.shares[scope] for scope in scope_ids))


def load(library: LibraryDb, matrix: Matrix) -> Loaded:
    """Write it: a collection that grants nothing, a document an object, a scope for each set of roles that hold one."""
    users, keys, roles = _put_people(library, matrix)
    grants: dict[int, set[Grant]] = {o: set() for o in matrix.objects}
    for number, role in enumerate(matrix.roles):
        for o in role.objects:
            grants[o].add(Grant("allow", Principal("role", roles[number])))
    direct = matrix.left_over()
    for user, o in direct:
        grants[o].add(Grant("allow", Principal("user", users[user])))
    collection_own = OwnRule(frozenset(), inherits=False, label=Label.INTERNAL)
    owns = {o: OwnRule(frozenset(of), inherits=True) for o, of in grants.items()}
    with library.session("owner") as session:
        collection = Collection(name=f"collection-{matrix.name}".replace("_", "-"), own_rule=collection_own.to_json())
        session.add(collection)
        session.flush()
        of_rule = {own: scope_for(session, collection, own) for own in set(owns.values())}
        collection_id = collection.id
    scopes = {o: of_rule[own] for o, own in owns.items()}
    documents = _put_documents(library, collection_id, scopes)
    rules = {scope: effective(collection_own, own) for own, scope in of_rule.items()}
    return Loaded(matrix, collection_id, users, keys, documents, scopes, rules, len(direct))


def text_of(number: int) -> str:
    """The text of an object's document: some common words, and one of its own."""
    rng = random.Random(number)
    return f"Record r{number}x about {' and '.join(rng.choices(WORDS, k=4))}."


def check_user(database: Database, loaded: Loaded, user: int) -> Counter[str]:
    """How many objects each way gets wrong for this user; empty if all agree with the matrix."""
    truth = loaded.matrix.may[user]
    with database.reading(loaded.users[user]) as session:
        subject = subject_of(session, session.get_one(User, loaded.users[user]))
        here = visible_scopes(session, subject)
        there = session.scalars(text("select clearance.visible_scopes()")).one()
        rows = session.scalars(text("select d.public_id from chunk c join document d on d.id = c.document_id")).all()
    decided = {scope for scope, rule in loaded.rules.items() if decide(subject, rule, here.at).allowed}
    found = (
        loaded.standing(decided),
        loaded.standing(here.scope_ids),
        loaded.standing(there),
        {loaded.objects[public] for public in rows},
    )
    return Counter({way: wrong for way, seen in zip(WAYS, found, strict=True) if (wrong := len(seen ^ truth))})


def sample(matrix: Matrix, count: int, rng: random.Random) -> list[tuple[int, int, bool]]:
    """Distinct pairs with whether the user may read the object: half of them visible, as far as there are enough."""
    users, chosen = sorted(matrix.may), dict[tuple[int, int], bool]()
    count = min(count, matrix.pairs)
    visible = [(user, o) for user in users for o in sorted(matrix.may[user])]
    for pair in rng.sample(visible, min(len(visible), count // 2)):
        chosen[pair] = True
    tries = 0
    while len(chosen) < count:
        pair = (rng.choice(users), rng.choice(matrix.objects))
        hidden = pair[1] not in matrix.may[pair[0]]
        tries += 1
        # A dense matrix may have no more hidden pairs: then any pair does.
        if hidden or tries > 20 * count:
            chosen[pair] = not hidden
    return [(user, o, seen) for (user, o), seen in chosen.items()]


def mine(may: Mapping[int, frozenset[int]], most: int) -> tuple[MinedRole, ...]:
    """At most `most` roles, greedily: each time the set of one user's open objects that covers most open pairs."""
    open_pairs = {user: set(objects) for user, objects in may.items()}
    roles: list[MinedRole] = []
    while len(roles) < most and any(open_pairs.values()):
        made = [_role(may, frozenset(objects)) for objects in open_pairs.values() if objects]
        best = max(made, key=lambda r: (sum(len(open_pairs[u] & r.objects) for u in r.users), sorted(r.objects)))
        for user in best.users:
            open_pairs[user] -= best.objects
        roles.append(best)
    return tuple(roles)


def _role(may: Mapping[int, frozenset[int]], objects: frozenset[int]) -> MinedRole:
    return MinedRole(frozenset(u for u, held in may.items() if objects <= held), objects)


def _put_people(library: LibraryDb, matrix: Matrix) -> tuple[dict[int, uuid.UUID], dict[int, str], Sequence[uuid.UUID]]:
    users = {user: uuid.uuid4() for user in matrix.may}
    made = {user: make_key() for user in users}
    roles = [uuid.uuid4() for _ in matrix.roles]
    people = [
        {"id": i, "name": f"u{user}", "display_name": "", "clearance": 1, "capabilities": ["ask"]}
        for user, i in users.items()
    ]
    keys = [
        {"user_id": users[user], "prefix": key.prefix, "hash": key.hash, "capabilities": ["ask"]}
        for user, key in made.items()
    ]
    members = [
        {"user_id": users[user], "role_id": roles[number]}
        for number, role in enumerate(matrix.roles)
        for user in role.users
    ]
    with library.session("owner") as session:
        session.execute(insert(User), people)
        session.execute(insert(ApiKey), keys)
        session.execute(insert(Role), [{"id": i, "name": f"r{number}"} for number, i in enumerate(roles)])
        session.execute(insert(Membership), members)
    return users, {user: key.secret for user, key in made.items()}, roles


def _put_documents(library: LibraryDb, collection: uuid.UUID, scopes: Mapping[int, int]) -> dict[int, uuid.UUID]:
    """One document an object, as the worker writes it."""
    documents = {}
    files = {f"{o}.txt": (scope, text_of(o).encode()) for o, scope in scopes.items()}
    with library.uploading(collection, files) as (session, jobs):
        for o, job in zip(scopes, jobs, strict=True):
            body = text_of(o)
            passages = [DocumentPassage(body, (), None, 0, EMBEDDER.count(body))]
            version = NewVersion(f"Record {o}", "text/plain", body.encode())
            documents[o] = write_version(session, job, version, index_passages(passages, EMBEDDER)).document
    return documents
