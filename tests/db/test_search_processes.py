"""Search processes answer as the lists of one process do, bit for bit, and PostgreSQL where they cannot."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from app import search_process as search_process_main
from app.db.engine import connect
from app.retrieval import dense
from app.retrieval.dense import Near, nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index import segment
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries, NoIndex, VectorIndex
from app.scope_index.remote.client import RemoteIndex
from app.scope_index.segment import Segment
from app.scope_index.sharding import Shard, shard_of
from app.settings import SearchProcessSettings
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb
from tests.support.processes import Process
from tests.support.scope_index_world import BOOK, DEPTH
from tests.support.search_processes import PATIENCE, Company, company, loaded, remote, search_process, threads
from tests.support.service import database_at
from tests.support.vector_rows import unit
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def db(shared: LibraryDb) -> Db:
    return shared.db


@pytest.fixture(scope="module")
def firm(shared: LibraryDb) -> Iterator[Company]:
    with contextlib.closing(database_at(shared.db.url("app"), pool_size=4)) as database:
        yield company(shared, database)


@pytest.fixture(autouse=True)
def _all_callers_count_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 0)


@pytest.fixture
def one(db: Db, firm: Company) -> Iterator[ScopeIndex]:
    """All lists in this process, following the database."""
    with contextlib.closing(ScopeIndex(CodeReader(connect(db.url("search"), pool_size=2), BOOK), BOOK)) as lists:
        lists.load()
        lists.start(seconds=0.05)
        yield lists


def by(lists: VectorIndex, reader: ReaderSnapshot, query: NDArray[np.float32], depth: int) -> list[Near]:
    """The ten nearest by these lists, which must have answered."""
    found = nearest(reader, lists, query, limit=10, depth=depth)
    assert found.outcome == "lists"
    return found.near


def all_agree(firm: Company, lists: RemoteIndex, one: ScopeIndex, questions: int) -> None:
    """Every caller asks: at a depth where the bounds matter, and at one where the codes hide nothing."""
    for caller in firm.callers:
        for query in unit(firm.rng, questions):
            with firm.reading(caller) as reader:
                assert by(lists, reader, query, 40) == by(one, reader, query, 40)
                deep = min(DEPTH, reader.corpus.passages - 1)
                assert by(lists, reader, query, deep) == nearest(reader, NoIndex(), query, limit=10).near


def test_two_search_processes_answer_as_one_process_does(
    firm: Company, one: ScopeIndex, db: Db, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(search_process(tmp_path, db, Shard(n, 2))) for n in (1, 2)]
        lists = stack.enter_context(contextlib.closing(remote(db, [address for _, address in started])))
        loaded([made for made, _ in started], lists, firm)
        all_agree(firm, lists, one, 5)
        documents = []
        for _ in range(3):
            for collection in range(10):
                documents.append(firm.add(collection, unit(firm.rng, 15), scope=collection % 2))
            moved = documents[-5]
            all_agree(firm, lists, one, 1)
            firm.library.run("owner", "delete from document where id = any(:ids)", ids=documents[:4])
            firm.library.run("owner", "update document set scope_id = :s where id = :id", s=firm.scopes[5][0], id=moved)
            documents = documents[4:]
            all_agree(firm, lists, one, 1)
        all_agree(firm, lists, one, 5)


def test_the_api_process_holds_nothing_of_the_lists(
    firm: Company, db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lays out what a reader brings along, and no other entry."""
    made: list[int] = []

    class Counted(Segment):
        def __init__(self, book: object, entries: Entries) -> None:
            made.append(len(entries))
            super().__init__(BOOK, entries)

    monkeypatch.setattr(segment, "Segment", Counted)
    with threads(tmp_path, db, 2) as lists:
        for brought in ([], [7]):
            with firm.reading(firm.callers[0]) as reader:
                by(cast(VectorIndex, lists), reader, unit(firm.rng, 1)[0], 50)
            assert made == brought
            firm.add(0, unit(firm.rng, 7))


def test_a_search_process_reads_its_shard_alone(firm: Company, db: Db) -> None:
    """PostgreSQL deals the scopes as we do, to the ends of the numbers; base, changes and count agree."""
    numbers = np.array([0, 1, 2, 3, 5, 1_000, 65_537, 2**31 - 2, 2**31 - 1, *range(10**6, 10**6 + 500)], np.int32)
    for total in (2, 3, 4, 7, 256):
        owners = shard_of(numbers, total)
        for number in {1, 2, total}:
            given = text(
                "select scope_id from unnest(cast(:n as int[])) as s (scope_id) where " + Shard(number, total).condition
            )
            with firm.library.session("owner") as session:
                held = set(session.scalars(given, {"n": numbers.tolist()}))
            assert held == set(numbers[owners == number - 1].tolist())
    engine = connect(db.url("search"), pool_size=2)
    sources = [CodeReader(engine, BOOK, Shard(n, 3)) for n in (1, 2, 3)]
    parts = [source.load(lambda _: None) for source in sources]
    ids = np.concatenate([entries.ids for _, entries in parts])
    assert len(ids) == len(np.unique(ids)) == firm.library.value("owner", "select count(code) from vector_row")
    assert [source.count() for source in sources] == [len(entries) for _, entries in parts]
    for collection in range(10):
        firm.add(collection, unit(firm.rng, 3))
    for number, (source, (since, entries)) in enumerate(zip(sources, parts, strict=True), 1):
        _, news = source.changes(since)
        assert Shard(number, 3).holds(np.concatenate([entries.scopes, news.scopes]))
        assert len(news)
    engine.dispose()


def test_when_a_search_process_dies_postgres_answers_until_it_is_back(firm: Company, db: Db, tmp_path: Path) -> None:
    """The result is the same all the while."""
    query = unit(firm.rng, 1)[0]
    caller = firm.callers[0]

    def ask() -> dense.Nearest:
        with firm.reading(caller) as reader:
            found = nearest(reader, lists, query, limit=10, depth=DEPTH)
            assert found.near == nearest(reader, NoIndex(), query, limit=10, depth=DEPTH).near
            return found

    def answers_again() -> bool:
        return ask().outcome == "lists"

    with contextlib.ExitStack() as stack:
        started: list[tuple[Process, str]] = [
            stack.enter_context(search_process(tmp_path, db, Shard(n, 2))) for n in (1, 2)
        ]
        lists = stack.enter_context(contextlib.closing(remote(db, [address for _, address in started])))
        loaded([made for made, _ in started], lists, firm)
        assert ask().outcome == "lists"
        with firm.reading(caller) as reader:
            view = lists.view(reader.corpus.snapshot)
            assert view is not None
            started[1][0].kill()
            before = cast(VectorIndex, SimpleNamespace(view=lambda _: view))
            found = nearest(reader, before, query, limit=10, depth=DEPTH)
            assert found.outcome != "lists", "it died between the view and the scan"
            assert found.near == nearest(reader, NoIndex(), query, limit=10, depth=DEPTH).near
        for _ in range(3):
            assert ask().outcome != "lists"
        again, _ = stack.enter_context(search_process(tmp_path, db, Shard(2, 2)))
        wait_for(answers_again, seconds=PATIENCE, message=lambda: again.said)


def test_a_search_process_stops_when_it_is_told_to(firm: Company, db: Db, tmp_path: Path) -> None:
    """With connections open; the next one takes its socket over, and readers do not notice but for the time."""
    for _ in range(2):
        with search_process(tmp_path, db, Shard()) as (made, address):
            lists = remote(db, [address])
            loaded([made], lists, firm)
            assert len(lists._shards[0]._idle) == 1
            made.child.terminate()
            assert made.child.wait(60) == 0
            assert "lists.stopped" in made.said
            with firm.reading(firm.callers[0]) as reader:
                assert lists.view(reader.corpus.snapshot) is None
            lists.close()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CLEARANCE_LISTS__LISTEN", "127.0.0.1:0", "CLEARANCE_LISTS__CERTIFICATE is not set"),
        ("CLEARANCE_LISTS__SHARD", "5/4", "2/4"),
        ("CLEARANCE_LISTS__LISTEN", "", "CLEARANCE_LISTS__LISTEN is not set"),
        ("CLEARANCE_LISTS__LISTEN", "nowhere", "is no address"),
        ("CLEARANCE_DATABASE__SEARCH_URL", "", "CLEARANCE_DATABASE__SEARCH_URL is not set"),
    ],
)
def test_a_search_process_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, says: str
) -> None:
    given = {
        "CLEARANCE_DATABASE__SEARCH_URL": "postgresql+psycopg://clearance_search:x@127.0.0.1:1/none",
        "CLEARANCE_LISTS__LISTEN": str(tmp_path / "s" / "l.sock"),
    }
    for variable, text_ in (given | {name: value}).items():
        monkeypatch.setenv(variable, text_)
    with pytest.raises((ValueError, RuntimeError), match=says):
        search_process_main._run(SearchProcessSettings(), set())
