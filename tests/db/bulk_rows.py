"""30,000 passages with words and vectors, written past the worker: enough that a bad plan would be taken."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
from pgvector import HalfVector
from sqlalchemy import text

from app.db.session import Database
from app.identity.subject import Capability
from app.indexing.quantizer import ProductQuantizer
from app.indexing.terms import terms
from tests.db.query_plans import TABLES
from tests.support.cluster import TEMPLATE, Cluster, Db, copied
from tests.support.library_db import LibraryDb, allow, library_of
from tests.support.service import database_at
from tests.support.vector_rows import DIMENSIONS, unit

DOCUMENTS, PASSAGES, SCOPES, FILLERS = 3_000, 10, 60, 20
BOOK = ProductQuantizer(DIMENSIONS)
ROWS = """
insert into document (id, collection_id, scope_id, path, media_type, size, sha256, version) overriding system value
  select 100000 + n, s.collection_id, s.id, 'd' || n, 'text/plain', 1, ''::bytea, 1
  from generate_series(1, %(documents)s) n
  join (select *, row_number() over (order by id) - 1 as number from scope where collection_id <> %(canary)s) s
    on s.number = n %% %(scopes)s;
insert into original (document_id, scope_id, title, content)
  select id, scope_id, 'crane ' || id, '' from document where id > 100000;
insert into chunk (id, document_id, scope_id, ordinal, heading_path, text, tokens) overriding system value
  select d.id * 100 + n, d.id, d.scope_id, n, '{}', 'the dry dock of the crane word' || n, 5
  from document d, generate_series(1, %(passages)s) n where d.id > 100000;
insert into posting (term, document_id, scope_id, entries)
  select t.term, d.id, d.scope_id, string_agg(int8send((d.id * 100 + n) << 25 | (1 << 11) + 40), '' order by n)
  from document d cross join unnest(%(terms)s::bigint[]) t (term) cross join generate_series(1, %(passages)s) n
  where d.id > 100000 and (t.term = any (%(everywhere)s) or (t.term + d.id) %% 3 = 0)
  group by 1, 2, 3;
"""
VECTORS = "copy vector_row (chunk_id, scope_id, terms, embedding, code) from stdin"


@dataclass(frozen=True)
class Stock:
    """30,000 passages, one collection a scope; who reads nearly all, who few, and who few and curates another."""

    db: Db
    library: LibraryDb
    database: Database
    wide: uuid.UUID
    narrow: uuid.UUID
    curator: uuid.UUID

    @contextlib.contextmanager
    def copy(self, change: str) -> Iterator["Stock"]:
        """The same in a database of its own, after this statement of the superuser's. This one's connections close."""
        self.database.engine.dispose()
        self.library.close()
        with copied(self.db.cluster, self.db.name) as db, _opened(db) as (library, database):
            with library.session("admin") as session:
                session.execute(text(change))
            yield Stock(library.db, library, database, self.wide, self.narrow, self.curator)


@contextlib.contextmanager
def stock_in(cluster: Cluster) -> Iterator[Stock]:
    """A fresh database with all of it, vacuumed and analysed."""
    with copied(cluster, TEMPLATE) as db, _opened(db) as (library, database):
        wide, few = library.person("wide"), library.role("few")
        collections = []
        for n in range(SCOPES):
            grants = [*[allow("user", wide)][: n % 30], *[allow("role", few)][n % 20 :]]
            collections.append(library.collection(f"collection-{n}", *grants))
        narrow = library.person("narrow", roles=[few])
        curates = [Capability.ASK, Capability.CURATE]
        curator = library.person("curator", roles=[few], may=curates, curates=collections[3:4])
        with psycopg.connect(library.db.libpq("admin"), autocommit=True) as connection:
            _fill(connection)
        yield Stock(library.db, library, database, wide, narrow, curator)


@contextlib.contextmanager
def _opened(db: Db) -> Iterator[tuple[LibraryDb, Database]]:
    with library_of(db) as library, contextlib.closing(database_at(db.url("app"), pool_size=2)) as database:
        yield library, database


def _fill(connection: psycopg.Connection) -> None:
    connection.execute("set session_replication_role = replica")
    for table in sorted(TABLES):
        # A snapshot of autovacuum's would keep ours from seeing that all rows are visible to everyone.
        connection.execute(f"alter table {table} set (autovacuum_enabled = false)".encode())
    everywhere = list(terms("dry dock crane"))
    given = {"documents": DOCUMENTS, "passages": PASSAGES, "scopes": SCOPES, "everywhere": everywhere}
    given["terms"] = [*everywhere, *terms("pilot"), *range(FILLERS)]
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(ROWS, given | {"canary": "00000000-0000-4000-8000-00000000ca9a"})
    rows = connection.execute("select id, scope_id from chunk where document_id > 100000 order by id").fetchall()
    vectors = unit(np.random.default_rng(0), len(rows))
    with connection.cursor() as copying, copying.copy(VECTORS) as copy:
        for (chunk, scope), vector, code in zip(rows, vectors, BOOK.encode(vectors), strict=True):
            copy.write_row((chunk, scope, 40, HalfVector(vector).to_text(), code.tobytes()))
    connection.execute("vacuum analyze")
