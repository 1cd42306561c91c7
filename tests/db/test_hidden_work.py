"""Hidden documents make nothing more to do: the rows and index entries that PostgreSQL looks at are counted, not timed.

What these counts leave out is how deep an index is and over how many pages the visible rows are spread.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from psycopg import sql

from app.acl.visible import Visible, visible_scopes
from app.db import session as db_session
from app.db.paging import Page
from app.db.session import Database, ReadSession
from app.errors import NotFound
from app.identity.subject import Subject
from app.retrieval.browse import find_document, list_collections, original_of, passages_of
from app.retrieval.document_list import DocumentFilter, list_documents
from app.retrieval.search import Query, search
from app.scope_index.protocol import NoIndex
from tests.db.looked_at import ALLOW, COUNTED
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.hidden_volume import EMBEDDER, FOLDER, LIBRARY, Books, draw_books, worlds
from tests.support.library_db import library_of
from tests.support.service import database_at

VISIBLE = 100  # passages
TIMES = 20  # hidden ones for each of them
FULL = f"B×{TIMES}"


@dataclass(frozen=True)
class Site:
    """One world, its reader, and what it holds."""

    database: Database
    reader: Subject
    stock: Books

    def work(self, do: Callable[[ReadSession, "Site", Visible], object]) -> int:
        """How many rows and index entries PostgreSQL looked at to do this."""
        with self.database.reading(self.reader.user_id) as session:
            visible = visible_scopes(session, self.reader)
            before = int(session.execute(COUNTED).scalar_one())
            do(session, self, visible)
            return int(session.execute(COUNTED).scalar_one()) - before


@pytest.fixture(scope="module")
def sites(cluster: Cluster) -> Iterator[dict[str, Site]]:
    """The worlds by name: A without hidden documents, B with them."""
    stock = draw_books(VISIBLE, TIMES)
    with copied(cluster, TEMPLATE) as empty:
        _, made = worlds(empty, stock, (TIMES,))
    found = {}
    for name, one in made.items():
        with library_of(one) as library:
            library.run("admin", ALLOW)
            reader = uuid.UUID(library.text("select id::text from app_user where name = 'reader'"))
            found[name] = Site(database_at(one.url("app"), pool_size=1), library.subject(reader), stock)
    yield found
    for name, one in made.items():
        found[name].database.close()
        cluster.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(one.name)))


def ask(session: ReadSession, site: Site, visible: Visible) -> None:
    for question in site.stock.questions[:5]:
        assert search(session, visible, NoIndex(), Query(question, EMBEDDER.embed_query(question), 10)).best().hits


def list_all(session: ReadSession, site: Site, visible: Visible) -> None:
    assert len(list_documents(session, site.reader, visible, Page(limit=10))) == 10


def list_collection(session: ReadSession, site: Site, visible: Visible) -> None:
    assert len(list_documents(session, site.reader, visible, Page(limit=10), DocumentFilter(LIBRARY))) == 10


def next_page(session: ReadSession, site: Site, visible: Visible) -> None:
    after = str(site.stock.visible[0].id)
    assert len(list_documents(session, site.reader, visible, Page(limit=10, after=after))) == 10


def list_folder(session: ReadSession, site: Site, visible: Visible) -> None:
    found = list_documents(session, site.reader, visible, Page(limit=10), DocumentFilter(LIBRARY, FOLDER))
    assert len(found) == 10


def list_changed(session: ReadSession, site: Site, visible: Visible) -> None:
    assert len(list_documents(session, site.reader, visible, Page(limit=10), order="changed")) == 10


def collections(session: ReadSession, site: Site, visible: Visible) -> None:
    assert [c.name for c in list_collections(session, site.reader, visible)] == [LIBRARY]


def open_visible(session: ReadSession, site: Site, visible: Visible) -> None:
    found = find_document(session, site.reader, visible, site.stock.visible[0].id)
    assert passages_of(session, visible, found)
    original_of(session, visible, found)


def open_absent(session: ReadSession, site: Site, visible: Visible) -> None:
    with pytest.raises(NotFound):
        find_document(session, site.reader, visible, uuid.uuid4())


def open_hidden(session: ReadSession, site: Site, visible: Visible) -> None:
    with pytest.raises(NotFound):
        find_document(session, site.reader, visible, site.stock.hidden[0].id)


LISTS = (list_all, list_collection, list_folder, list_changed)


def test_no_more_is_looked_at_than_visible_rows_explain(sites: dict[str, Site]) -> None:
    for surface in (ask, *LISTS, next_page, collections, open_visible, open_absent):
        # The planner may read a list of visible rows more or less where it thinks that both cost the same; the pages of
        # a list are read in one way. Hidden rows are many: a walk through them would be over the line.
        more = 10 if surface in LISTS else 2 * VISIBLE
        assert sites[FULL].work(surface) <= sites["A"].work(surface) + more, surface.__name__


def test_a_hidden_document_costs_one_entry_more_than_an_absent_one(sites: dict[str, Site]) -> None:
    assert sites[FULL].work(open_hidden) == sites[FULL].work(open_absent) + 1, "in the index of public ids"


def test_with_sequential_scans_hidden_rows_are_looked_at(
    sites: dict[str, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = [
        each.replace("'enable_seqscan', 'off'", "'enable_seqscan', 'on'") for each in db_session.READING_SETTINGS
    ]
    monkeypatch.setattr(db_session, "READING_SETTINGS", allowed)
    assert sites[FULL].work(ask) > sites["A"].work(ask) + VISIBLE
