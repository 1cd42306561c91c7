"""Plans of a whole search and of browsing: every statement that is sent reads tables with text by index alone.

Statements are taken as they are sent, with their parameters and under the settings of their moment: none that a search
of these shapes sends is forgotten. As the API's role and inside its transaction.
"""

import contextlib
import datetime as dt
import inspect
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
from sqlalchemy import TextClause, and_, func, text

from app import log
from app.acl import visible as acl
from app.acl.visible import Visible, visible_scopes
from app.db import session as sessions
from app.db.engine import connect
from app.db.paging import Page, encode_place
from app.db.session import ReadSession
from app.errors import NotFound
from app.identity.subject import Subject
from app.indexing.terms import query_terms
from app.retrieval import (
    browse,
    dense,
    document_list,
    filters,
    lexical,
    neighbors,
    passage_rows,
    phrases,
    reader,
    search,
)
from app.retrieval.document_list import DocumentOrder
from app.retrieval.passage import Hit
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import NoIndex, VectorIndex
from tests.db.bulk_rows import BOOK, Stock, stock_in
from tests.db.query_plans import FUNCTIONS, TABLES, Sent, explained
from tests.support.cluster import Cluster
from tests.support.vector_rows import Stacks, unit

QUESTION = unit(np.random.default_rng(1), 1)[0]
WORDS = "dry dock crane"
# Passages written since the lists were read, on a collection that `wide` sees and on one that nobody does. The hidden
# ones are looked at in vain; and nothing else of 30,000 is, but each hit among its neighbours.
FRESH, HITS = 20, 10
MAX_REMOVED = FRESH + HITS
RECENT = filters.SearchFilter(since=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
NOWHERE = filters.SearchFilter(folder="x")


@dataclass(frozen=True)
class Site:
    """The stock, and lists of it that lack what was written last."""

    stock: Stock
    lists: VectorIndex


@dataclass(frozen=True)
class Asking:
    session: ReadSession
    subject: Subject
    visible: Visible
    lists: VectorIndex

    def search(
        self, words: str = WORDS, search_filter: filters.SearchFilter = RECENT, *, lists: VectorIndex | None = None
    ) -> list[Hit]:
        """A search as POST /search makes it."""
        query = search.Query(words, QUESTION, HITS, search_filter, operators=True)
        index = self.lists if lists is None else lists
        return search.search(self.session, self.visible, index, query).best().hits

    @property
    def first(self) -> browse.DocumentEntry:
        """A document that the reader may open."""
        return self.list_documents(Page(limit=1))[0]

    def list_documents(
        self, page: Page, where: document_list.DocumentFilter = document_list.EVERY, order: DocumentOrder = "path"
    ) -> list[browse.DocumentEntry]:
        """A page of a list."""
        return document_list.list_documents(self.session, self.subject, self.visible, page, where, order)

    def no_job(self) -> None:
        """An upload that is not there."""
        with pytest.raises(NotFound):
            browse.find_job(self.session, self.subject, uuid.uuid4())


Shape = Callable[[Asking], object]
# A module and its statement, what is put in the place of what, the shape that sends it, and what is found then.
Change = tuple[ModuleType, str, str, str, str, str]
EVERYTHING = filters.SearchFilter()
SEARCHES: Mapping[str, Shape] = {
    "plain": lambda a: a.search(WORDS, EVERYTHING),
    "phrase": lambda a: a.search('"dry dock" crane -pilot -"no such words"', EVERYTHING),
    "no known word": lambda a: a.search("unheard", EVERYTHING),
    "recent": lambda a: a.search(),
    "in a folder": lambda a: a.search(WORDS, NOWHERE),
    "recent phrase": lambda a: a.search('"dry dock" -pilot'),
    "without lists": lambda a: a.search(WORDS, EVERYTHING, lists=NoIndex()),
    "phrase without lists": lambda a: a.search('"dry dock" -pilot', EVERYTHING, lists=NoIndex()),
    "in a folder without lists": lambda a: a.search(WORDS, NOWHERE, lists=NoIndex()),
    "again, by their ids": lambda a: passage_rows.find_passages(
        a.session, a.visible, [hit.passage.chunk for hit in a.search(WORDS, EVERYTHING)], len(QUESTION)
    ),
}
# By the functions that they are about.
BROWSING: Mapping[str, Shape] = {
    "find_neighbors": lambda a: neighbors.find_neighbors(
        a.session, a.visible, [h.passage.chunk for h in a.search(WORDS, EVERYTHING)], reach=2
    ),
    "neighbor_ids": lambda a: neighbors.neighbor_ids(
        a.session, a.visible, [m.chunk_id for m in lexical.match(a.session, a.visible, query_terms(WORDS), limit=HITS)]
    ),
    "restrict_to_collections": lambda a: filters.restrict_to_collections(
        a.session, a.subject, a.visible, ["collection-20"]
    ),
    "matching_chunks": lambda a: a.search(),
    "list_collections": lambda a: browse.list_collections(a.session, a.subject, a.visible),
    "find_collection": lambda a: browse.find_collection(a.session, a.subject, a.visible, "collection-20"),
    # Sends nothing for these readers: the folders of a collection are for its curators, who may list all of it.
    "folders_of_documents": lambda a: browse.folders_of_documents(
        a.session, a.subject, browse.find_collection(a.session, a.subject, a.visible, "collection-20").id
    ),
    "documents_by_folder": lambda a: browse.documents_by_folder(
        a.session, a.subject, browse.find_collection(a.session, a.subject, a.visible, "collection-20").id, ""
    ),
    "list_documents": lambda a: a.list_documents(
        Page(limit=5, after=str(a.first.document.public_id)), document_list.DocumentFilter("collection-20")
    ),
    "find_document": lambda a: browse.find_document(a.session, a.subject, a.visible, a.first.document.public_id),
    "are_visible": lambda a: browse.are_visible(a.session, a.visible, {a.first.document.public_id}),
    "readable_documents": lambda a: browse.readable_documents(a.session, a.visible, {a.first.document.public_id}),
    "readable_among": lambda a: browse.readable_among(a.session, a.visible, {a.first.document.public_id}),
    "places_of": lambda a: browse.places_of(
        a.session, a.subject, a.first.document.collection_id, {a.first.document.id}
    ),
    "passages_of": lambda a: browse.passages_of(a.session, a.visible, a.first),
    "original_of": lambda a: browse.original_of(a.session, a.visible, a.first),
    "list_jobs": lambda a: browse.list_jobs(a.session, a.subject, Page(limit=5), state="queued"),
    "find_job": lambda a: a.no_job(),
    "last_uploads": lambda a: browse.last_uploads(a.session, a.subject, uuid.uuid4(), ["a.md", "b.md"]),
}
LISTS: Mapping[str, Shape] = {
    "all documents": lambda a: a.list_documents(Page(limit=5)),
    "documents of a folder": lambda a: a.list_documents(Page(limit=5), document_list.DocumentFilter(folder="x")),
    "documents by change": lambda a: a.list_documents(
        Page(limit=5, after=encode_place([a.first.document.updated_at, a.first.document.public_id])), order="changed"
    ),
}
# The documents of passages as one would write it: for a thousand passages the planner reads the index of all documents.
JOINED = """
    select c.id, d.path, d.updated_at from chunk c join document d on d.id = c.document_id
    where c.id = any (cast(:chunks as bigint[])) and c.scope_id = any (cast(:scopes as int[]))
"""
# A subquery that is sorted is planned by itself: it reads all documents, whatever the join would have needed.
SORTED = JOINED.replace("join document d", "join (select * from document order by collection_id, path) d")
MODULES = (filters, neighbors, browse, document_list, dense, lexical, passage_rows, phrases, search, reader)


@pytest.fixture(scope="module")
def site(cluster: Cluster) -> Iterator[Site]:
    log.configure(json=True)
    with stock_in(cluster) as stock:
        yield site_of(stock)


def site_of(stock: Stock) -> Site:
    """Lists over the stock, and then something new."""
    source = CodeReader(connect(stock.db.url("search"), pool_size=1), BOOK)
    # Closed, they answer on, and hold no connection to a database that is about to be copied.
    with contextlib.closing(ScopeIndex(source, BOOK)) as lists:
        lists.load()
    stacks = Stacks(stock.library)
    for number in (1, 30):
        collection = uuid.UUID(
            stock.library.text("select id::text from collection where name = :n", n=f"collection-{number}")
        )
        stacks.add(collection, stock.library.scope(collection), unit(np.random.default_rng(number), FRESH))
    return Site(stock, lists)


def sent(site: Site, who: str, shapes: Mapping[str, Shape]) -> list[tuple[str, Sent]]:
    """Every statement that these shapes send for this reader and that reads a table with text, by shape."""
    found = []
    user = getattr(site.stock, who)
    subject = site.stock.library.subject(user)
    for name, shape in shapes.items():
        with site.stock.database.reading(user) as session, explained(site.stock.database) as statements:
            shape(Asking(session, subject, visible_scopes(session, subject), site.lists))
        found += [(name, one) for one in statements]
    return found


def wrong(found: list[tuple[str, Sent]]) -> list[str]:
    said = [f"{name}: {leak}" for name, one in found for leak in one.leaks]
    vain = [(name, one) for name, one in found if one.removed > MAX_REMOVED]
    return said + [f"{name}: {one.removed} rows in vain: {one.statement}" for name, one in vain]


@pytest.fixture(scope="module")
def by_reader(site: Site) -> dict[str, list[tuple[str, Sent]]]:
    every, both = {**SEARCHES, **BROWSING, **LISTS}, {**SEARCHES, **LISTS}
    readers: dict[str, Mapping[str, Shape]] = {"wide": every, "narrow": every, "curator": both}
    return {who: sent(site, who, shapes) for who, shapes in readers.items()}


@pytest.mark.parametrize("who", ["wide", "narrow", "curator"])
def test_every_statement_reads_by_index(by_reader: dict[str, list[tuple[str, Sent]]], who: str) -> None:
    found = by_reader[who]
    assert wrong(found) == []
    if who == "wide":
        assert {table for _, one in found for table in one.tables} == TABLES
        assert any("Bitmap" in str(one.plan) for name, one in found if "without lists" in name)
    lists = str([one.plan for name, one in found if name == "phrase" and "posting" in one.statement])
    assert re.search(r"'Index Only Scan'.*Index Cond.{,2000}term = ANY.*scope_id = ANY", lists)


def test_no_statement_of_these_modules_is_forgotten(site: Site, by_reader: dict[str, list[tuple[str, Sent]]]) -> None:
    """Those that are written as text were sent, and each function that takes a session was called."""
    dialect = site.stock.database.engine.dialect
    found = {one.statement for one_reader in by_reader.values() for _, one in one_reader}
    for module in MODULES:
        for name, clause in vars(module).items():
            if isinstance(clause, TextClause) and "select" in clause.text:
                assert str(clause.compile(dialect=dialect)) in found, f"{module.__name__}.{name}"
    called = set()
    for module in (filters, neighbors, browse, document_list):
        own = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
        called |= {f.__name__ for f in own if "session" in inspect.signature(f).parameters}
    assert called == set(BROWSING)


def test_the_filters_let_through_are_leakproof(site: Site) -> None:
    known = "select count(*) from pg_proc where proname = any (:names) and proleakproof"
    assert site.stock.library.value("owner", known, names=FUNCTIONS) == len(FUNCTIONS)


# By what was changed: statements, and what is found then, each with the shape that it is found in.
CHANGES: Mapping[str, tuple[str, Sequence[tuple[str, str]]]] = {
    "no indexes": (
        "drop index vector_row_changed_idx; drop index vector_row_scope_id_idx; drop index scope_volume_scope_id_idx;"
        " drop index posting_term_scope_id_idx; alter table chunk drop constraint chunk_pkey cascade;"
        " alter table chunk drop constraint if exists chunk_id_scope_id_key cascade;"
        " alter table chunk drop constraint if exists chunk_document_id_ordinal_key;"
        " drop index if exists chunk_scope_id_idx",
        [
            ("plain", "Seq Scan over vector_row"),
            ("plain", "Seq Scan over scope_volume"),
            ("plain", "Seq Scan over posting"),
            ("phrase", "Seq Scan over chunk"),
            ("without lists", "Seq Scan over vector_row"),
        ],
    ),
    "no keys": (
        "alter table vector_row drop constraint vector_row_pkey cascade;"
        " alter table vector_row drop constraint if exists vector_row_chunk_id_scope_id_key cascade;"
        " alter table document drop constraint document_pkey cascade;"
        " alter table document drop constraint document_id_scope_id_key cascade",
        [("plain", "rows in vain"), ("recent", "rows in vain")],
    ),
    "policies that ask of each row": (
        "create policy also on vector_row as restrictive for select to clearance_app using (length(code) > 0);"
        " create policy also on chunk as restrictive for select to clearance_app using (length(text) > 0);"
        " drop policy readers on posting; create policy readers on posting for select to clearance_app"
        " using (clearance.visible_scopes() @> array[scope_id])",
        [("plain", "Filter over vector_row"), ("plain", "Filter over posting"), ("phrase", "Filter over chunk")],
    ),
    "scopes resolved for each row": (
        "drop policy readers on vector_row; create policy readers on vector_row for select to clearance_app"
        " using (scope_id = any (clearance.visible_scopes()))",
        [("plain", "Filter over vector_row")],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_would_leak_is_found(site: Site, what: str) -> None:
    """Test of the test: in a copy, without an index or under a policy that is asked row by row."""
    change, expected = CHANGES[what]
    with site.stock.copy(change) as changed:
        found = sent(site_of(changed), "wide", {shape: SEARCHES[shape] for shape, _ in expected})
    said = wrong(found)
    missed = [(shape, leak) for shape, leak in expected if not any(s.startswith(shape) and leak in s for s in said)]
    assert missed == [], found


@pytest.mark.parametrize(
    "change",
    [
        (reader, "LOOKUP", "where r.changed", "where length(r.code) > 0 and r.changed", "plain", "over vector_row"),
        (reader, "LOOKUP", "where r.chunk_id", "where length(r.code) > 0 and r.chunk_id", "plain", "over vector_row"),
        (dense, "NEAREST", "where scope_id", "where length(code) > 0 and scope_id", "without lists", "over vector_row"),
        (passage_rows, "PASSAGES", "where chunk.id", "where length(text) > 0 and chunk.id", "plain", "over chunk"),
        (passage_rows, "DOCUMENT_IDS", "where chunk.id", "where length(text) > 0 and chunk.id", "plain", "over chunk"),
        (filters, "DOCUMENTS", filters.DOCUMENTS.text, SORTED, "recent", "the whole of an index of document"),
        (filters, "DOCUMENTS", filters.DOCUMENTS.text, JOINED, "in a folder without lists", "rows in vain"),
        (filters, "DOCUMENTS", "where document.id", "where path <> '' and document.id", "recent", "Filter over"),
        (sessions, "READING_SETTINGS", "seqscan', 'off'", "seqscan', 'on'", "without lists", "Seq Scan over vector"),
    ],
    ids=lambda change: f"{change[1]}, {change[4]}",
)  # fmt: skip
def test_a_statement_that_would_leak_is_found(site: Site, monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Test of the test: with a function that is not leakproof, left to the planner, or with whole tables allowed."""
    module, name, old, new, shape, leak = change
    clause: TextClause | Sequence[str] = getattr(module, name)
    written = clause.text if isinstance(clause, TextClause) else "\n".join(clause)
    assert old in written, f"{module.__name__}.{name} is written otherwise now: change this test"
    changed = written.replace(old, new)
    monkeypatch.setattr(module, name, text(changed) if isinstance(clause, TextClause) else changed.split("\n"))
    assert any(leak in said for said in wrong(sent(site, "wide", {shape: SEARCHES[shape]})))


def test_sums_that_would_leak_are_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test of the test: the volume, which is read with the scopes, by a function that is not leakproof."""
    locked = acl._standing_in
    monkeypatch.setattr(acl, "_standing_in", lambda ids: and_(func.sqrt(acl.SUMS.c.terms) >= 0, locked(ids)))
    monkeypatch.setattr(acl, "_RESOLVED", acl._resolved())
    assert any("Filter over scope_volume" in said for said in wrong(sent(site, "wide", {"plain": SEARCHES["plain"]})))
