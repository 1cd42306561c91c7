"""Plans of the lexical leg: every statement reads tables with text by index alone, with filters that cannot leak.

At a size where a plan by the whole table would be taken if it could, as the API's role and inside its transaction.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from app.acl.visible import visible_scopes
from app.db.session import Database, ReadSession, Signer, connect
from app.embedding.terms import query_terms, terms
from app.retrieval.lexical import match
from app.retrieval.phrases import find
from app.retrieval.query_syntax import parse
from tests.conftest import IDENTITY_KEY, TEMPLATE, Cluster, Db
from tests.db.house import House, allow, house_of

DOCUMENTS, PASSAGES, SCOPES, FILLERS = 3_000, 10, 60, 20
TABLES = {"chunk", "vector_row", "posting", "original", "document", "scope_volume"}
# Equality of whole numbers is leakproof (a test asks the catalog); nothing else is let through.
KEY = r"\(*(?:\w+\.)?(?:id|scope_id|document_id|chunk_id|term) = (?:ANY \(.*?\)|\w+\.\w+|\$\d+)\)*"
# The same through a hash table of the scopes, resolved once.
HASHED = r"\(*ANY \((?:\w+\.)?scope_id = \(hashed SubPlan \d+\)\.col1\)\)*"
LEAKPROOF = re.compile(rf"(?:{KEY}|{HASHED})(?: AND (?:{KEY}|{HASHED}))*", re.S)
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
insert into vector_row (chunk_id, scope_id, terms, embedding)
  select id, scope_id, 40, '[1]' from chunk where document_id > 100000;
insert into posting (term, document_id, scope_id, entries)
  select t.term, d.id, d.scope_id, string_agg(int8send((d.id * 100 + n) << 25 | (1 << 11) + 40), '' order by n)
  from document d cross join unnest(%(terms)s::bigint[]) t (term) cross join generate_series(1, %(passages)s) n
  where d.id > 100000 and (t.term = any (%(everywhere)s) or (t.term + d.id) %% 3 = 0)
  group by 1, 2, 3;
"""


@dataclass(frozen=True)
class Stock:
    """30,000 passages, and a reader of nearly all or of few of them."""

    db: Db
    house: House
    database: Database
    wide: uuid.UUID
    narrow: uuid.UUID


@pytest.fixture(scope="module")
def stock(cluster: Cluster) -> Iterator[Stock]:
    name = f"p_{uuid.uuid4().hex[:12]}"
    cluster.copy(TEMPLATE, name)
    db = Db(cluster, name)
    database = Database(
        connect(db.url("app"), pool_size=2), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=15_000
    )
    with house_of(db) as house:
        wide, narrow = house.person("wide"), house.person("narrow")
        for n in range(SCOPES):
            house.shelf(f"shelf-{n}", *[allow("user", wide)][: n % 30], *[allow("user", narrow)][n % 20 :])
        everywhere = list(terms("dry dock crane"))
        with psycopg.connect(db.libpq("admin"), autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            for table in sorted(TABLES):
                # A snapshot of autovacuum's would keep ours from seeing that all rows are visible to everyone.
                connection.execute(f"alter table {table} set (autovacuum_enabled = false)".encode())
            given = {"documents": DOCUMENTS, "passages": PASSAGES, "scopes": SCOPES, "everywhere": everywhere}
            given["terms"] = [*everywhere, *terms("pilot"), *range(FILLERS)]
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(ROWS, given | {"canary": "00000000-0000-4000-8000-00000000ca9a"})
            connection.execute("vacuum analyze")
        yield Stock(db, house, database, wide, narrow)
    database.engine.dispose()


def leaks(plan: Mapping[str, Any]) -> list[str]:
    """What is wrong with a plan: a table with text read as a whole, or filtered by what could leak."""
    found = []
    relation = plan.get("Relation Name")
    if relation in TABLES:
        if "Index" not in plan["Node Type"] and plan["Node Type"] != "Bitmap Heap Scan":
            found.append(f"{plan['Node Type']} over {relation}")
        for kind in ("Filter", "Recheck Cond"):
            if (filtered := plan.get(kind)) and not LEAKPROOF.fullmatch(filtered):
                found.append(f"{kind} over {relation}: {filtered[:200]}")
        if plan["Node Type"].startswith("Index") and "Index Cond" not in plan:
            found.append(f"the whole of an index of {relation}")
    return found + [leak for below in plan.get("Plans", ()) for leak in leaks(below)]


def plans(stock: Stock, user: uuid.UUID) -> dict[str, Mapping[str, Any]]:
    """The plan of each statement that the lexical leg sends for this reader, under its lock and settings."""
    sent: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        sent[statement] = values

    def everything(session: ReadSession) -> None:
        visible = visible_scopes(session, stock.house.subject(user))
        event.listen(stock.database.engine, "before_cursor_execute", note)
        try:
            match(session, visible, query_terms("dry dock crane"), limit=60)
            found = find(session, visible, parse('"dry dock" crane -pilot -"no such words"'), limit=60)
            assert found.matches, "its texts were read"
        finally:
            event.remove(stock.database.engine, "before_cursor_execute", note)

    with stock.database.reading(user) as session:
        everything(session)
        connection = session.connection()
        return {
            statement: connection.exec_driver_sql(f"explain (format json) {statement}", values).scalar_one()[0]["Plan"]
            for statement, values in sent.items()
        }


@pytest.mark.parametrize("who", ["wide", "narrow"])
def test_every_statement_reads_by_index(stock: Stock, who: str) -> None:
    found = plans(stock, getattr(stock, who))
    assert len(found) == 3, "the volume, the lists and the texts"
    assert {statement: leaks(plan) for statement, plan in found.items()} == {key: [] for key in found}
    lists = json.dumps(next(plan for statement, plan in found.items() if "posting" in statement))
    assert '"Index Only Scan"' in lists
    assert re.search(r"Index Cond.{,2000}term = ANY.*scope_id = ANY", lists)


def test_the_filters_let_through_are_leakproof(stock: Stock) -> None:
    of = "select bool_and(proleakproof)::int from pg_proc where proname in ('int4eq', 'int8eq', 'int84eq', 'int48eq')"
    assert stock.house.value("owner", of) == 1


@pytest.mark.parametrize(
    ("change", "leak"),
    [
        ("drop index posting_term_scope_id_idx", "Seq Scan over posting"),
        ("alter table chunk drop constraint chunk_pkey cascade; drop index if exists chunk_scope_id_idx;"
         " alter table chunk drop constraint if exists chunk_id_scope_id_key cascade;"
         " alter table chunk drop constraint if exists chunk_document_id_ordinal_key", "Seq Scan over chunk"),
        ("drop policy readers on posting; create policy readers on posting for select to clearance_app"
         " using (clearance.visible_scopes() @> array[scope_id])", "Filter over posting"),
        ("create policy also on chunk as restrictive for select to clearance_app using (length(text) > 0)",
         "Filter over chunk"),
    ],
)  # fmt: skip
def test_what_would_leak_is_found(stock: Stock, change: str, leak: str) -> None:
    """Test of the test: in a copy, without the index or under a policy that is asked row by row."""
    name = f"q_{uuid.uuid4().hex[:12]}"
    stock.database.engine.dispose()
    stock.house.close()
    stock.db.cluster.copy(stock.db.name, name)
    db = Db(stock.db.cluster, name)
    database = Database(
        connect(db.url("app"), pool_size=1), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=15_000
    )
    with house_of(db) as house:
        with house.session("admin") as session:
            session.execute(text(change))
        found = plans(Stock(db, house, database, stock.wide, stock.narrow), stock.wide)
    database.engine.dispose()
    assert any(leak in one for plan in found.values() for one in leaks(plan)), found
