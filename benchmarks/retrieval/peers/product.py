"""The product's dense leg, from a signed identity to exact distances: its own tables, rules, lists and statements."""

import hashlib
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.peers.pg_base import whole
from benchmarks.retrieval.postgres import PASSWORD, copy_rows
from benchmarks.retrieval.protocol import Batch, Built, Place, Searcher
from benchmarks.retrieval.world import Floats, World

DATABASE = "product"
IDENTITY_KEY = "5c" * 32
FIRST = 10  # passages are numbered from here: a migrated database has a row of its own
TERMS = 100  # length of a passage, for the volumes
SHELF = uuid.UUID(int=1)
# Purpose: bulk rows without their parents (documents and passages): only the dense leg is measured.
ALONE = "set session_replication_role = replica"
COPY = "copy vector_row (scope_id, chunk_id, terms, embedding, code) from stdin (format binary)"
# Purpose: grants, put by rule.
GRANT = "copy rule_grant (rule_id, ordinal, effect, principal_kind, principal_id) from stdin"
# Purpose: what an earlier admission put.
FORGET = """
update scope set rule_id = (select min(id) from rule where digest = sha256('nobody')) where collection_id = %(shelf)s;
"""
CLEAR = """
delete from rule_grant where rule_id in (select id from rule where digest in (select digest from bench_rule));
delete from rule where digest in (select digest from bench_rule);
delete from membership where user_id in (select id from app_user where name like 'bench-%');
delete from app_user where name like 'bench-%';
delete from role where name like 'bench-%';
truncate bench_rule;
"""


class Product:
    """One set of lists in this process, a connection for each client."""

    name = "product, dense leg"
    settings = "signed identity, visible scopes, lists or exact by volume, exact step under RLS, plans kept; as shipped"
    exact = False
    unfiltered = False

    def __init__(self, place: Place) -> None:
        self._parts = {
            name: need(f"app.{name}")
            for name in (
                "db.bootstrap",
                "db.session",
                "embedding.codebook",
                "retrieval.lists.rows",
                "retrieval.lists.store",
            )
        }
        self._server, self._folder = place.server, place.folder
        self._book: Any = None
        self._scopes: NDArray[np.int32] = np.empty(0, np.int32)
        self.lists: Any = None
        self.subjects: dict[int, Any] = {}

    def build(self, world: World) -> Built:
        """A migrated database, scopes that nobody may read, vectors; then the lists."""
        with self._server.owner() as connection:
            connection.execute(f"drop database if exists {DATABASE} with (force)")
        bootstrap = self._parts["db.bootstrap"]
        bootstrap.prepare(
            admin_url=self._server.embedded.url("postgres", PASSWORD, "postgres"),
            database=DATABASE,
            passwords=dict.fromkeys(bootstrap.LOGIN_ROLES, PASSWORD),
            identity_key=IDENTITY_KEY,
        )
        self._book = self._parts["embedding.codebook"].Codebook(world.dimensions)
        with self._server.owner(DATABASE) as connection:
            connection.execute(ALONE)
            _put_scopes(connection, len(world.topical))
            self._read_scopes(connection)
            began = time.perf_counter()
            copy_rows(connection, COPY, self._columns(whole(world)))
            connection.execute("select clearance.fold_volumes()")
            connection.execute("vacuum analyze vector_row, scope_volume")
            seconds = time.perf_counter() - began
            disk = access.bytes_of(connection, "vector_row")
        began = time.perf_counter()
        self._load(world)
        # Codes and ids; small scopes share blocks, so hardly anything is padding.
        memory = world.size * (self._book.width + 8)
        return Built(seconds + time.perf_counter() - began, memory, disk)

    def reopen(self, world: World) -> None:
        """Lists from the stored codes, as at a start of the service."""
        with self._server.owner(DATABASE) as connection:
            self._read_scopes(connection)
        self._load(world)

    def _load(self, world: World) -> None:
        self._book = self._parts["embedding.codebook"].Codebook(world.dimensions)
        engine = self._parts["db.session"].connect(self._url("clearance_search"), pool_size=2)
        source = self._parts["retrieval.lists.rows"].StoredCodes(engine, self._book)
        self.lists = self._parts["retrieval.lists.store"].ScopeLists(source, self._book)
        self.lists.load()

    def admit(self, callers: Sequence[Caller]) -> None:
        """A user with one role for each caller, and for each set of readers a rule with a grant to each."""
        readers: dict[int, list[int]] = defaultdict(list)
        for caller in callers:
            for scope in caller.scopes:
                readers[scope].append(caller.id)
        note = self._folder / "admitted"
        wanted = hashlib.sha256(repr(sorted(readers.items())).encode()).hexdigest()
        if not note.exists() or note.read_text() != wanted:
            with self._server.owner(DATABASE) as connection:
                connection.execute(ALONE)
                _forget(connection)
                _put_people(connection, [caller.id for caller in callers])
                _put_rules(connection, readers, self._scopes)
                connection.execute("vacuum analyze scope, rule, rule_grant, membership, role, app_user")
            note.write_text(wanted)
        database = self.database(1)
        self.subjects = {caller.id: _subject(database, caller.id) for caller in callers}
        database.engine.dispose()

    def database(self, connections: int) -> Any:
        """The API's way in."""
        session = self._parts["db.session"]
        engine = session.connect(self._url("clearance_app"), pool_size=connections, prepare=True)
        return session.Database(engine, session.Signer(IDENTITY_KEY, seconds=600), statement_timeout_ms=60_000)

    def searcher(self) -> Searcher:
        """As the API searches."""
        return ProductClient(self)

    def write(self, batch: Batch) -> None:
        """COPY with codes, indexes and triggers; the lists follow by themselves."""
        with self._server.owner(DATABASE) as connection:
            connection.execute(ALONE)
            copy_rows(connection, COPY, self._columns(batch))

    def remove(self, batch: Batch) -> None:
        """By id."""
        with self._server.owner(DATABASE) as connection:
            connection.execute(ALONE)
            connection.execute("delete from vector_row where chunk_id = any (%s)", [(batch.ids + FIRST).tolist()])
            connection.execute("select clearance.fold_volumes()")
            connection.execute("vacuum vector_row, scope_volume")

    def regrant(self, caller: Caller, scope: int) -> tuple[int, float] | None:  # noqa: ARG002  # the protocol's
        """The scope gets the rule of nobody, and its own again; with all triggers. The median time."""
        times = []
        number = int(self._scopes[scope])
        with self._server.owner(DATABASE) as connection:
            (own,) = connection.execute("select rule_id from scope where id = %s", [number]).fetchone() or (0,)
            (none,) = connection.execute("select id from rule where digest = sha256('nobody')").fetchone() or (0,)
            for _ in range(access.REGRANTS):
                for rule in (none, own):
                    began = time.perf_counter()
                    connection.execute("update scope set rule_id = %s where id = %s", [rule, number])
                    times.append(time.perf_counter() - began)
        return 0, float(np.median(times))

    def close(self) -> None:
        """Stop following the database."""
        if self.lists is not None:
            self.lists.close()

    def _columns(self, batch: Batch) -> list[NDArray[Any]]:
        terms = np.full(len(batch.ids), TERMS, np.int32)
        codes = self._book.encode(batch.vectors)
        return [self._scopes[batch.scopes], batch.ids + FIRST, terms, batch.vectors.astype(np.float16), codes]

    def _read_scopes(self, connection: psycopg.Connection[Any]) -> None:
        rows = connection.execute("select id from scope where collection_id = %s order by id", [SHELF]).fetchall()
        self._scopes = np.asarray([row[0] for row in rows], np.int32)

    def _url(self, role: str) -> str:
        return self._server.embedded.url(role, PASSWORD, DATABASE)


class ProductClient:
    """A pool of one connection."""

    def __init__(self, product: Product) -> None:
        self._product, self._database = product, product.database(1)
        self._dense, self._seen, self._volume, self._visible = (
            need(f"app.{name}") for name in ("retrieval.dense", "retrieval.seen", "retrieval.volume", "acl.visible")
        )
        text = need("sqlalchemy").text
        with self._database.reading(_user(0)) as session:
            self._pid = int(session.execute(text("select pg_backend_pid()")).scalar_one())

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        subject = self._product.subjects.get(caller.id) or _nobody(caller.id)
        with self._database.reading(subject.user_id) as session:
            visible = self._visible.visible_scopes(session, subject)
            seen = self._seen.Seen(session, visible, self._volume.volume(session, visible))
            found = self._dense.nearest(seen, self._product.lists, question, limit=k)
        return [near.chunk_id - FIRST for near in found.near]

    def backends(self) -> list[int]:
        """The server process of its connection."""
        return [self._pid]

    def close(self) -> None:
        """Close the pool."""
        self._database.engine.dispose()


def _user(caller: int) -> uuid.UUID:
    return uuid.UUID(int=(1 << 64) + caller)


def _role(caller: int) -> uuid.UUID:
    return uuid.UUID(int=(2 << 64) + caller)


def _nobody(caller: int, roles: frozenset[uuid.UUID] = frozenset()) -> Any:
    rules = need("app.acl.rules")
    return rules.Subject(
        user_id=_user(caller),
        name=f"bench-{caller}",
        roles=roles,
        clearance=rules.Label.INTERNAL,
        capabilities=frozenset({rules.Capability.ASK}),
        curates=frozenset(),
        key_id=_user(caller),
        key_prefix="",
    )


def _subject(database: Any, caller: int) -> Any:
    """As the API makes it from a key; not timed, since every route pays for it."""
    with database.reading(_user(caller)) as session:
        return _nobody(caller, need("app.identity.authenticate").roles_of(session, _user(caller)))


def _put_scopes(connection: psycopg.Connection[Any], count: int) -> None:
    """Scopes of one shelf whose rule grants nothing."""
    connection.execute("create table bench_rule (digest bytea primary key)")
    connection.execute("insert into collection (id, name, own_rule) values (%s, 'bench', '{}')", [SHELF])
    connection.execute("insert into rule (digest, label) values (sha256('nobody'), 0)")
    connection.execute(
        "insert into scope (collection_id, own_digest, own_rule, rule_id)"
        " select %s, sha256(n::text::bytea), '{}', (select id from rule where digest = sha256('nobody'))"
        " from generate_series(1, %s) n order by n",
        [SHELF, count],
    )


def _forget(connection: psycopg.Connection[Any]) -> None:
    connection.execute(FORGET, {"shelf": SHELF})
    connection.execute(CLEAR)


def _put_people(connection: psycopg.Connection[Any], callers: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("copy role (id, name) from stdin") as copy:
            for caller in callers:
                copy.write_row((_role(caller), f"bench-{caller}"))
        with cursor.copy("copy app_user (id, name, display_name, clearance, capabilities) from stdin") as copy:
            for caller in callers:
                copy.write_row((_user(caller), f"bench-{caller}", "", 1, ["ask"]))
        with cursor.copy("copy membership (user_id, role_id) from stdin") as copy:
            for caller in callers:
                copy.write_row((_user(caller), _role(caller)))


def _put_rules(connection: psycopg.Connection[Any], readers: dict[int, list[int]], scopes: NDArray[np.int32]) -> None:
    """One rule for each set of readers, as the product interns them."""
    rules: dict[bytes, int] = {}
    grants: list[tuple[Any, ...]] = []
    for scope, callers in readers.items():
        digest = hashlib.sha256(repr(callers).encode()).digest()
        if digest not in rules:
            row = connection.execute(
                "insert into rule (digest, label) values (%s, 0) returning id", [digest]
            ).fetchone()
            rules[digest] = row[0] if row else 0
            grants += [(rules[digest], n, "allow", "role", _role(caller)) for n, caller in enumerate(callers)]
        connection.execute("update scope set rule_id = %s where id = %s", [rules[digest], int(scopes[scope])])
    with connection.cursor() as cursor:
        with cursor.copy(GRANT) as copy:
            for grant in grants:
                copy.write_row(grant)
        with cursor.copy("copy bench_rule from stdin") as copy:
            for digest in rules:
                copy.write_row((digest,))
