"""The product's dense leg, from a signed identity to exact distances: its own tables, rules and statements."""

import hashlib
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.engine import connect
from app.db.tables.people import User
from app.identity.authenticate import subject_of
from app.identity.subject import Subject
from app.indexing.quantizer import ProductQuantizer
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from benchmarks.search.bulk import copy_rows, copy_tuples
from benchmarks.search.cases import Caller
from benchmarks.search.peers.base import Batch, Built, Peer, Place, Searcher, whole
from benchmarks.search.peers.postgres import bytes_of
from benchmarks.search.vectors import Floats, Vectors
from benchmarks.world import Db, database

FIRST = 10  # passages are numbered from here: a migrated database has a row of its own
REGRANTS = 20
TERMS = 100  # length of a passage, for the volumes
COLLECTION = uuid.UUID(int=1)
# Bulk rows without their parents (documents and passages): only the dense leg is measured.
ALONE = "set session_replication_role = replica"
NOBODY = "(select id from rule where digest = sha256('nobody'))"
# Scopes of one collection, at first under a rule that grants nothing.
SCOPES = f"""
insert into collection (id, name, own_rule) values ('{COLLECTION}', 'bench', '{{}}');
insert into rule (digest, label) values (sha256('nobody'), 0);
insert into scope (collection_id, own_digest, own_rule, rule_id)
  select '{COLLECTION}', sha256(n::text::bytea), '{{}}', {NOBODY} from generate_series(1, %(count)s) n order by n;
"""


class Product(Peer):
    """One set of lists in this process, a connection for each client."""

    name = "product, dense leg"
    settings = "signed identity, visible scopes, lists or exact by volume, exact step under RLS, plans kept; as shipped"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.subjects: dict[int, Subject] = {}

    def build(self, vectors: Vectors) -> Built:
        """A migrated database, scopes that nobody may read, vectors; then the lists."""
        self.db: Db = database(self.place.server, "product")
        self.book = ProductQuantizer(vectors.rows.shape[1])
        with self.db.admin() as connection:
            connection.execute(ALONE)
            psycopg.ClientCursor(connection).execute(SCOPES.encode(), {"count": len(vectors.topical)})
            rows = connection.execute("select id from scope where collection_id = %s order by id", [COLLECTION])
            self.scopes: NDArray[np.int32] = np.asarray([row[0] for row in rows], np.int32)
            began = time.perf_counter()
            self.write(whole(vectors))
            connection.execute("select clearance.fold_volumes()")
            connection.execute("vacuum analyze vector_row, scope_volume")
            self.lists = ScopeIndex(CodeReader(connect(self.db.url("search"), pool_size=2), self.book), self.book)
            self.lists.load()
            seconds = time.perf_counter() - began
            # Codes and ids; small scopes share blocks, so hardly anything is padding.
            return Built(seconds, vectors.size * (self.book.width + 8), bytes_of(connection, "vector_row"))

    def admit(self, callers: Sequence[Caller]) -> None:
        """A user with one role for each caller, and for each set of readers a rule with a grant to each."""
        readers: dict[int, list[int]] = defaultdict(list)
        for caller in callers:
            for scope in caller.scopes:
                readers[scope].append(caller.id)
        with self.db.admin() as connection:
            connection.execute(ALONE)
            _put_people(connection, [caller.id for caller in callers])
            _put_rules(connection, readers, self.scopes)
            connection.execute("vacuum analyze scope, rule, rule_grant, membership, role, app_user")
        api = self.db.api()
        # Not timed: every route pays for it.
        for caller in callers:
            with api.reading(_uuid(caller.id)) as session:
                self.subjects[caller.id] = subject_of(session, session.get_one(User, _uuid(caller.id)))
        api.close()

    def searcher(self) -> Searcher:
        return ProductClient(self)

    def write(self, batch: Batch) -> None:
        """COPY with codes, indexes and triggers; the lists follow by themselves."""
        terms = np.full(len(batch.ids), TERMS, np.int32)
        halves = batch.rows.astype(np.float16)
        codes = self.book.encode(halves.astype(np.float32))
        columns = [self.scopes[batch.scopes], batch.ids.astype(np.int64) + FIRST, terms, halves, codes]
        with self.db.admin() as connection:
            connection.execute(ALONE)
            copy_rows(connection, "vector_row (scope_id, chunk_id, terms, embedding, code)", columns)

    def regrant(self, scope: int) -> tuple[int, float]:
        """The scope gets the rule of nobody, and its own again; with all triggers. The median time."""
        times = []
        number = int(self.scopes[scope])
        with self.db.admin() as connection:
            (own, none) = connection.execute(
                f"select rule_id, {NOBODY} from scope where id = %s".encode(), [number]
            ).fetchone() or (0, 0)
            for rule in (none, own) * REGRANTS:
                began = time.perf_counter()
                connection.execute("update scope set rule_id = %s where id = %s", [rule, number])
                times.append(time.perf_counter() - began)
        return 0, float(np.median(times))

    def close(self) -> None:
        self.lists.close()


class ProductClient:
    def __init__(self, product: Product) -> None:
        self._product, self._api = product, product.db.api()
        with self._api.anonymous() as session:
            self._pid = int(session.execute(text("select pg_backend_pid()")).scalar_one())

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        subject = self._product.subjects[caller.id]
        with self._api.reading(subject.user_id) as session:
            visible = visible_scopes(session, subject)
            seen = ReaderSnapshot(session, visible, visible_corpus(session, visible))
            answer = nearest(seen, self._product.lists, question, limit=k)
        return [near.chunk_id - FIRST for near in answer.near]

    def backends(self) -> list[int]:
        return [self._pid]

    def close(self) -> None:
        self._api.close()


def _uuid(caller: int) -> uuid.UUID:
    """Of the caller as a user, and of their role."""
    return uuid.UUID(int=(1 << 64) + caller)


def _put_people(connection: psycopg.Connection[Any], callers: Sequence[int]) -> None:
    copy_tuples(connection, "role (id, name)", ((_uuid(c), f"bench-{c}") for c in callers))
    columns = "(id, name, display_name, clearance, capabilities)"
    copy_tuples(connection, f"app_user {columns}", ((_uuid(c), f"bench-{c}", "", 1, ["ask"]) for c in callers))
    copy_tuples(connection, "membership (user_id, role_id)", ((_uuid(c), _uuid(c)) for c in callers))


def _put_rules(connection: psycopg.Connection[Any], readers: dict[int, list[int]], scopes: NDArray[np.int32]) -> None:
    """One rule for each set of readers, as the product interns them."""
    rules: dict[tuple[int, ...], int] = {}
    for scope, callers in readers.items():
        if (key := tuple(callers)) not in rules:
            digest = hashlib.sha256(repr(key).encode()).digest()
            made = connection.execute("insert into rule (digest, label) values (%s, 0) returning id", [digest])
            (rules[key],) = made.fetchone() or (0,)
        connection.execute("update scope set rule_id = %s where id = %s", [rules[key], int(scopes[scope])])
    grants = ((rule, n, "allow", "role", _uuid(c)) for key, rule in rules.items() for n, c in enumerate(key))
    copy_tuples(connection, "rule_grant (rule_id, ordinal, effect, principal_kind, principal_id)", grants)
