"""What lists look at of a large company: of many scopes no more than a page needs, and of a reach what is in it.

Rows and index entries that PostgreSQL looks at are counted, not timed.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import TextClause, text

from app.acl.readers import reach
from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.db.paging import Page
from app.db.session import Database, ReadSession
from app.db.tables.access import Collection
from app.identity.subject import Capability, Subject
from app.retrieval.document_list import ORDERS, DocumentOrder, list_documents
from app.sign_in.sessions import list_all_sessions
from tests.db.looked_at import ALLOW, COUNTED
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.library_db import LibraryDb, allow, library_of
from tests.support.service import database_at

SCOPES, EACH, LIMIT = 60, 12, 9  # of each of two collections: scopes, documents of each of these; rows of a page
# In an order in which no scope is whole.
PUT = """
insert into document (collection_id, scope_id, path, media_type, size, sha256, version, updated_at)
  select :collection, :scope, 'report ' || (n * 37 + :number * 101) % 7919 || '-' || :number || '.md', 'text/plain', 1,
    sha256(''), 1, now() - make_interval(secs => (n * 53 + :number * 71) % 977)
  from generate_series(1, :each) n
"""
SESSIONS = """
insert into sign_in_session (prefix, hash, user_id, means, idle_seconds, idle_until, expires_at, created_at)
  select 'p' || n, sha256(n::text::bytea), :user, 'link', 60, now() + interval '1 day', now() + interval '1 day',
    now() - make_interval(mins => n * 37 % 2003)
  from generate_series(1, 2000) n
"""
OF_SESSIONS = text(COUNTED.text.replace("document, original, chunk, vector_row, posting", "sign_in_session"))
IN_ORDER = {
    "path": "select d.id from document d join collection c on c.id = d.collection_id where c.name like 'shelf%'"
    " order by c.name, d.path",
    "changed": "select d.id from document d join collection c on c.id = d.collection_id where c.name like 'shelf%'"
    " order by d.updated_at desc, d.public_id desc",
}


@dataclass(frozen=True)
class Shelves:
    """Two collections; a reader of all of it, one of a single scope, a curator of the first, and an administrator."""

    library: LibraryDb
    database: Database
    people: dict[str, Subject]

    def reading(self, who: str, do: Callable[[ReadSession, Subject], object], counted: TextClause = COUNTED) -> int:
        """How many rows and index entries PostgreSQL looks at for this, where who sees what is known already."""
        with self.database.reading(self.people[who].user_id) as session:
            visible_scopes(session, self.people[who])
            before = int(session.execute(counted).scalar_one())
            do(session, self.people[who])
            return int(session.execute(counted).scalar_one()) - before


@pytest.fixture(scope="module")
def shelves(cluster: Cluster) -> Iterator[Shelves]:
    with copied(cluster, TEMPLATE) as db, library_of(db) as library:
        library.run("admin", ALLOW)
        everything, one = library.role("everything"), library.role("one")
        collections = [library.collection(name, allow("role", everything)) for name in ("shelf-a", "shelf-b")]
        for number, collection in enumerate(collections):
            for place in range(SCOPES):
                marks = {allow("role", library.role(f"mark-{number}-{place}"))}
                first = {allow("role", one)} if (number, place) == (1, 7) else set()
                scope = library.scope(collection, OwnRule(frozenset(marks | first)))
                given = {"collection": collection, "scope": scope, "number": SCOPES * number + place, "each": EACH}
                library.run("admin", PUT, **given)
        library.run("admin", "analyze")
        people = {
            "all": library.person("all", roles=[everything]),
            "one": library.person("one", roles=[one]),
            "both": library.person(
                "both", may=[Capability.ASK, Capability.CURATE], roles=[everything], curates=collections[:1]
            ),
            "administrator": library.person("administrator", may=[Capability.ADMINISTER]),
        }
        database = database_at(db.url("app"), pool_size=1)
        yield Shelves(library, database, {name: library.subject(user) for name, user in people.items()})
        database.close()


def page(order: DocumentOrder, after: str | None = None) -> Callable[[ReadSession, Subject], list[int]]:
    def take(session: ReadSession, subject: Subject) -> list[int]:
        found = list_documents(
            session, subject, visible_scopes(session, subject), Page(limit=LIMIT, after=after), order=order
        )
        return [entry.document.id for entry in found]

    return take


@pytest.mark.parametrize("who", ["all", "both"])
@pytest.mark.parametrize("order", ORDERS)
def test_pages_hold_everything_in_order(shelves: Shelves, order: DocumentOrder, who: str) -> None:
    """Whether it is read through scopes, or as a curator and through scopes."""
    subject, found, places = shelves.people[who], list[int](), list[str | None]([None])
    with shelves.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        while places:
            asked = Page(limit=100, after=places.pop(), on_next=places.append)
            found += [e.document.id for e in list_documents(session, subject, visible, asked, order=order)]
    with shelves.library.session("admin") as session:
        assert found == list(session.scalars(text(IN_ORDER[order])))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("who", ["all", "one"])
def test_pages_of_one_go_on(shelves: Shelves, order: DocumentOrder, who: str) -> None:
    """Where the last of the first documents is the one behind the page, and where there is one scope alone."""
    subject, found, after = shelves.people[who], list[int](), list[str | None]([None])
    with shelves.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        whole = list_documents(session, subject, visible, Page(limit=EACH), order=order)
        assert len(whole) == EACH
        while after and len(found) < EACH:
            asked = Page(limit=1, after=after.pop(), on_next=after.append)
            found += [e.document.id for e in list_documents(session, subject, visible, asked, order=order)]
    assert found == [entry.document.id for entry in whole]


@pytest.mark.parametrize("order", ORDERS)
def test_of_scopes_that_are_not_on_the_page_one_row_is_looked_at(shelves: Shelves, order: DocumentOrder) -> None:
    """Of each scope its first document; then, of as many scopes as the page has rows, what may stand on it: by change
    what is no older than the first documents of these.
    """
    asked = LIMIT + 1
    may_stand = asked * asked if order == "path" else 2 * asked
    assert shelves.reading("all", page(order)) <= 2 * SCOPES + may_stand + 4 * asked


def test_a_reach_looks_at_what_is_in_it(shelves: Shelves) -> None:
    """At the documents of the one scope, of the hundreds that the administrator might ask about."""
    found = dict[str, int]()

    def ask(session: ReadSession, subject: Subject) -> None:
        ruled = session.query(Collection).where(Collection.name.like("shelf%")).all()
        found.update(reach(session, shelves.people["one"], ruled, visible_scopes(session, subject).at))

    assert shelves.reading("administrator", ask) <= 2 * EACH
    assert found == {"shelf-b": EACH}


@pytest.mark.parametrize(("who", "counted"), [("administrator", 2), ("both", 1), ("all", 0)])
def test_reach_is_counted_for_who_may_rule(shelves: Shelves, who: str, counted: int) -> None:
    """The second wall: of collections that are not the caller's to rule, the database itself counts nothing."""
    statement = text(
        "select count(*) from clearance.count_documents(array(select id from collection where name like 'shelf%'),"
        " array(select id from scope))"
    )
    with shelves.database.reading(shelves.people[who].user_id) as session:
        assert session.scalar(statement) == counted


def test_of_the_sessions_of_everybody_a_page_is_looked_at(shelves: Shelves) -> None:
    shelves.library.run("admin", SESSIONS, user=shelves.people["all"].user_id)
    shelves.library.run("admin", "analyze sign_in_session")
    found = list[dt.datetime]()

    def ask(session: ReadSession, subject: Subject) -> None:
        found.extend(one.created_at for one in list_all_sessions(session, subject, Page(limit=LIMIT)))

    assert shelves.reading("administrator", ask, OF_SESSIONS) <= 2 * (LIMIT + 1)
    assert len(found) == LIMIT
    assert found == sorted(found, reverse=True)
