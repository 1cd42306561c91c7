"""The scope lists over a real database: every answer is the exact one of the reader's own snapshot."""

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import text

from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.db.session import Database
from app.retrieval import dense
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import nearest
from app.scope_index.protocol import NoIndex
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb
from tests.support.scope_index_world import BOOK, World, seen, world_in
from tests.support.service import database_at
from tests.support.vector_rows import unit


@pytest.fixture
def world(library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Callers count as large from the first passage on."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 0)
    with world_in(library, database) as made:
        yield made


def test_what_moves_out_of_sight_is_gone_and_what_moves_into_sight_is_found(world: World) -> None:
    rng = np.random.default_rng(4)
    query = unit(rng, 1)
    world.add("open", unit(rng, 900))
    moving = world.add("open", unit(rng, 600, near=query))
    world.lists.load()
    own = world.library.scope(world.collections["open"], OwnRule(inherits=False))
    move = "update document set scope_id = :scope where id = :id"
    for scope in (own, world.scopes["open"][1], own, world.scopes["open"][0]):
        world.library.run("owner", move, scope=scope, id=moving)
        near = world.check(query[0])
        assert (near[0].similarity > 0.8) == (scope != own)
    world.library.run("owner", "delete from document where id = :id", id=moving)
    by_lists, exact = world.ask(query[0])
    assert (by_lists.outcome, by_lists.near) == ("lists", exact.near)


def test_six_hundred_equal_passages_give_the_ten_lowest_ids(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the lists; a form letter beyond all bounds is for PostgreSQL."""
    rng = np.random.default_rng(5)
    query = unit(rng, 1)
    world.add("open", unit(rng, 800))
    world.add("open", np.repeat(query, 600, axis=0))
    near = world.check(query[0])
    ids = [n.chunk_id for n in near]
    assert ids == list(range(ids[0], ids[0] + 10))
    monkeypatch.setattr(dense, "MAX_TIES", 400)
    world.depth = 100
    by_lists, exact = world.ask(query[0])
    assert (by_lists.outcome, exact.outcome) == ("undecided", "unready")
    assert by_lists.near == exact.near


@pytest.mark.parametrize("few", [0, 100_000])
def test_a_search_that_admits_few_finds_the_nearest_of_these(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By the lists and by PostgreSQL alike: every hundredth passage is admitted, wherever it ranks."""

    def hundredth(chunks: Sequence[int]) -> set[int]:
        return {c for c in chunks if c % 100 == 0}

    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", few)
    rng = np.random.default_rng(13)
    query = unit(rng, 1)[0]
    for _ in range(3):
        world.add("open", unit(rng, 700))
    with world.database.reading(world.reader.user_id) as session:
        shown = seen(session, world.reader)
        every = nearest(shown, NoIndex(), query, limit=2_100).near
        wanted = [n for n in every if n.chunk_id % 100 == 0]
        found = nearest(shown, world.lists, query, limit=15, predicate=hundredth, depth=15)
        assert found.outcome == ("few" if few else "lists")
        assert len(set(wanted[:15]) & set(found.near)) >= 14, "codes may cost one of them"
        assert found.near == sorted(found.near, key=lambda n: (-n.similarity, n.chunk_id))
        monkeypatch.setattr(dense, "MAX_EXAMINED", 500)
        bounded = nearest(shown, world.lists, query, limit=15, predicate=hundredth, depth=15)
        assert 0 < len(bounded.near) < 15
        assert set(bounded.near) <= set(wanted)


def test_few_visible_passages_are_for_postgres(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice is made from what is visible: a thousand hidden passages do not change it."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 800)
    rng = np.random.default_rng(7)
    query = unit(rng, 1)[0]
    world.add("open", unit(rng, 800))
    world.add("closed", unit(rng, 1_000))
    assert world.ask(query)[0].outcome != "lists"
    world.add("open", unit(rng, 1))
    assert world.ask(query)[0].outcome == "lists"


def test_a_long_transaction_is_answered_from_its_own_snapshot(world: World) -> None:
    """Rows written, moved and deleted after it began, a base that was loaded after them: it sees the old world."""
    rng = np.random.default_rng(8)
    query = unit(rng, 1)
    old = world.add("open", unit(rng, 450, near=query))
    world.add("open", unit(rng, 900))
    with world.database.reading(world.reader.user_id) as long:
        before, exact = world.ask(query[0], session=long)
        assert before.near == exact.near
        world.add("open", unit(rng, 100, near=query))
        world.library.run("owner", "delete from document where id = :id", id=old)
        world.lists.follow()
        after, exact = world.ask(query[0], session=long)
        assert after == before
        assert world.ask(query[0])[0].near != before.near
        world.lists.load()
        after, exact = world.ask(query[0], session=long)
        assert after.outcome != "lists", "the new base has forgotten what this reader still sees"
        assert after.near == before.near
    assert world.ask(query[0])[0].outcome == "lists"


def test_a_late_commit_with_an_early_number_is_not_missed(world: World) -> None:
    """It began before the base was read and commits after it: order of numbers is no order of commits."""
    rng = np.random.default_rng(9)
    query = unit(rng, 1)
    world.add("open", unit(rng, 900))
    with world.library.session("admin") as slow:
        world.stacks.put(slow, world.collections["open"], world.scopes["open"][0], unit(rng, 20, near=query))
        world.add("open", unit(rng, 50))
        world.lists.load()
        assert world.ask(query[0])[0].outcome == "lists"
    near = world.check(query[0])
    assert near[0].similarity > 0.8


def test_the_database_role_of_the_lists_reads_codes_and_nothing_else(world: World) -> None:
    """Neither a vector, nor a text, nor a name; and it writes nothing."""
    with psycopg.connect(world.library.db.libpq("search"), autocommit=True) as connection:
        assert connection.execute("select count(chunk_id) from vector_row").fetchone() is not None
        for statement in (
            "select embedding from vector_row",
            "select terms from vector_row",
            "select * from chunk",
            "select * from document",
            "select * from original",
            "select * from posting",
            "select * from scope",
            "select * from scope_volume",
            "select * from app_user",
            "delete from vector_row",
            "update vector_row set code = null",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # fmt: skip


def test_numbers_of_another_cluster_do_no_harm(world: World) -> None:
    """After a dump is restored elsewhere the numbers of its transactions mean nothing: what stands there is found."""
    rng = np.random.default_rng(11)
    query = unit(rng, 1)
    world.add("open", unit(rng, 900))
    world.library.run("admin", "alter table vector_row disable trigger note_change")
    world.library.run("admin", "update vector_row set changed = '900000000'")
    world.library.run("admin", "alter table vector_row enable always trigger note_change")
    world.lists.load()
    world.add("open", unit(rng, 20, near=query))
    with world.database.reading(world.reader.user_id) as session:
        shown = seen(session, world.reader)
        view = world.lists.view(shown.corpus.snapshot)
        assert view is not None
        _, fresh = shown.similarities_and_delta(HalfVector(query[0]).to_text(), [], view.since, BOOK.width)
        assert len(fresh.entries) == 20
    for _ in range(2):
        world.check(query[0])
        world.lists.follow()
    assert world.lists._generation is not None
    assert world.lists._generation.tail_size == 20


def test_the_volume_of_a_scope_is_that_of_its_passages(world: World) -> None:
    """Whatever comes, moves and goes, before and after the sums are folded."""
    rng, chance = np.random.default_rng(12), random.Random(12)
    documents: list[int] = []
    count = text(
        "select coalesce(sum(n), 0), coalesce(sum(t), 0) from (select count(*) n, sum(terms) t from vector_row"
        " where scope_id = :scope) s"
    )
    kept = text("select coalesce(sum(chunks), 0), coalesce(sum(terms), 0) from scope_volume where scope_id = :scope")
    for step in range(40):
        if documents and chance.random() < 0.5:
            document = documents.pop(chance.randrange(len(documents)))
            scope = chance.choice(world.scopes["open"])
            if chance.random() < 0.5:
                world.library.run("owner", "delete from document where id = :id", id=document)
            else:
                world.library.run("owner", "update document set scope_id = :s where id = :id", s=scope, id=document)
                documents.append(document)
        else:
            documents.append(world.add("open", unit(rng, chance.randrange(1, 9)), scope=chance.randrange(2)))
        if step % 7 == 0:
            world.library.value("ingest", "select clearance.fold_volumes()")
        with world.library.session("owner") as session:
            for scope in world.scopes["open"]:
                given = {"scope": scope}
                assert tuple(session.execute(count, given).one()) == tuple(session.execute(kept, given).one())
    world.library.value("ingest", "select clearance.fold_volumes()")
    most = "select max(n) from (select count(*) n from scope_volume group by scope_id) s"
    assert world.library.value("owner", most) == 1
    with world.library.session("admin") as session:
        session.execute(text("delete from collection where id = :id"), {"id": world.collections["closed"]})


# --- Either lock holds alone, and what a reader narrows down is counted as it is.


def crowd(world: World, query: NDArray[np.float32]) -> None:
    """900 visible passages, and hidden ones nearer than all: one document has moved out of sight, another is new."""
    rng = np.random.default_rng(6)
    world.add("open", unit(rng, 900))
    moving = world.add("open", unit(rng, 20, near=query), scope=1)
    world.lists.load()
    move = "update document set scope_id = :s, collection_id = :c where id = :id"
    world.library.run("owner", move, s=world.scopes["closed"][0], c=world.collections["closed"], id=moving)
    world.add("closed", unit(rng, 20, near=query))


def test_the_scope_filter_holds_alone(world: World, db: Db) -> None:
    """As a database role that row-level security does not bind."""
    query = unit(np.random.default_rng(5), 1)
    crowd(world, query)
    unlocked = database_at(db.url("owner"), pool_size=1)
    with contextlib.closing(unlocked), unlocked.reading(world.reader.user_id) as session:
        assert session.scalar(text("select count(*) from vector_row")) >= 940, "nothing is locked here"
        by_lists, exact = world.ask(query[0], session=session)
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near
    assert max(n.similarity for n in by_lists.near) < 0.8


def test_row_level_security_holds_alone(world: World) -> None:
    """With every scope among those that the caller is said to see."""
    query = unit(np.random.default_rng(5), 1)
    crowd(world, query)
    every = tuple(n for scopes in world.scopes.values() for n in scopes)
    with world.database.reading(world.reader.user_id) as session:
        shown = seen(session, world.reader)
        wide = replace(shown, visible=replace(shown.visible, scope_ids=every))
        by_lists = nearest(wide, world.lists, query[0], limit=10, depth=world.depth)
        exact = nearest(shown, NoIndex(), query[0], limit=10)
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near
    assert max(n.similarity for n in by_lists.near) < 0.8


def test_some_of_the_scopes_have_the_volume_of_these_alone(world: World) -> None:
    """BM25 counts by it, and who answers is chosen by it."""
    rng = np.random.default_rng(7)
    world.add("open", unit(rng, 30))
    world.add("open", unit(rng, 12), scope=1)
    with world.database.reading(world.reader.user_id) as session:
        visible = visible_scopes(session, world.reader)
        narrow = visible.only(frozenset({world.scopes["open"][1]}))
        assert (visible_corpus(session, visible).passages, visible_corpus(session, narrow).passages) == (42, 12)
