"""Postings of before are made again from the text: what a migrated database finds is what a new one finds."""

from alembic import command
from sqlalchemy import text

from app.db.bootstrap import alembic_config, migrate
from app.db.rls_probe import probe
from app.db.session import Database
from ingest.document import Passage
from tests.db.lexical_reader import Reader, put
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow

ROWS = "select term, document_id, scope_id, entries from posting order by term, document_id, entries"
LENGTHS = "select chunk_id, terms from vector_row order by 1"
VOLUMES = "select scope_id, sum(chunks), sum(terms) from scope_volume group by 1 order by 1"
UNPACKED = (
    "select substr(p.entries, 8 * n + 1, 8)::bigint >> 25 as chunk_id, p.term, p.scope_id"
    " from posting p, generate_series(0, length(p.entries) / 8 - 1) n order by 1, 2"
)


def test_down_and_up_again(db: Db, library: LibraryDb, database: Database) -> None:
    ada = Reader(library, database)
    shelf, other = library.collection("mine", allow("user", ada.id)), library.collection("other")
    put(library, shelf, "crane.md", [
        Passage("The cranes of the dry dock", ("Cranes",), None, 0, 1, "crane.md > Cranes", "crane.md"),
        Passage("max_retry_count is 3", ("Cranes", "Limits"), None, 1, 1, "crane.md > Cranes > Limits", "crane.md"),
    ])  # fmt: skip
    # The first heading is the title again.
    put(library, shelf, "Buoys", [Passage("They float", ("Buoys", "Sizes"), None, 0, 1, "Buoys > Sizes", "Buoys")])
    put(library, other, "keel.md", [
        Passage("Die Kiele der Kräne sind in dem Dock", (), None, 0, 1, "keel.md", "keel.md"),
    ])  # fmt: skip
    put(library, shelf, "long.md", [Passage("buoy", (), None, n, 1, "long.md", "long.md") for n in range(300)])
    library.document(shelf, "empty.md")

    def content() -> list[list[tuple[object, ...]]]:
        with library.session("owner") as session:
            return [[tuple(row) for row in session.execute(text(query))] for query in (ROWS, LENGTHS, VOLUMES)]

    before, found = content(), {q: ada.matches(q) for q in ("crane", "max_retry_count", "retry", "buoy")}
    assert all(found.values())
    with library.session("owner") as session:
        unpacked = [tuple(r) for r in session.execute(text(UNPACKED))]
    library.close()
    command.downgrade(alembic_config(db.url("owner")), "0005")
    with library.session("owner") as session:
        rows = session.execute(text("select chunk_id, term, scope_id, tf from posting order by 1, 2")).all()
        assert [tuple(r[:3]) for r in rows] == unpacked
        assert {r.tf for r in rows if r.chunk_id == min(c for c, *_ in unpacked if c > 1)} >= {1, 3}
        # As the analysis before would have left them: other terms, and other lengths.
        session.execute(text("update posting set term = term + 1"))
        session.execute(text("update vector_row set terms = 1"))
    library.close()
    migrate(db.url("owner"))
    assert content() == before
    assert {q: ada.matches(q) for q in found} == found
    probe(database)
    with database.reading(ada.id) as reading:
        assert (
            reading.scalar(text("select count(*) from posting where scope_id = :s"), {"s": library.scope(other)}) == 0
        )
