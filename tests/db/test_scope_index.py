"""The scope lists over a real database: every answer is the exact one of the reader's own snapshot."""

import random
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest
from pgvector import HalfVector
from sqlalchemy import text

from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.db.session import Database
from app.retrieval import dense
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.protocol import NoIndex
from tests.support.library_db import LibraryDb
from tests.support.scope_index_world import BOOK, World, world_in
from tests.support.vector_rows import unit


@pytest.fixture
def world(library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Callers count as large from the first passage on."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 0)
    with world_in(library, database) as made:
        yield made


def test_the_lists_answer_as_postgres_does(world: World) -> None:
    rng = np.random.default_rng(1)
    for n in range(8):
        world.add("open" if n % 2 else "closed", unit(rng, 400), scope=n % 3 % 2)
    for query in unit(rng, 20):
        by_lists, exact = world.ask(query)
        assert (by_lists.outcome, exact.outcome) == ("lists", "unready")
        assert by_lists.near == exact.near
    world.lists.load()
    by_lists, exact = world.ask(unit(rng, 1)[0])
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near


def test_hidden_passages_change_neither_ids_nor_scores(world: World) -> None:
    """Hidden near-copies of the nearest, in the base and in the tail; then all of them gone."""
    rng = np.random.default_rng(2)
    query = unit(rng, 1)
    world.add("open", unit(rng, 900))
    before, _ = world.ask(query[0])
    hidden = [world.add("closed", unit(rng, 400, near=query))]
    assert world.ask(query[0])[0] == before
    world.lists.load()
    hidden.append(world.add("closed", unit(rng, 400, near=query)))
    assert world.ask(query[0])[0] == before
    world.library.run("owner", "delete from document where id = any(:ids)", ids=hidden)
    assert world.ask(query[0])[0] == before


def test_after_six_hundred_near_duplicates_are_deleted_the_next_query_is_exact(world: World) -> None:
    rng = np.random.default_rng(3)
    query = unit(rng, 1)
    world.add("open", unit(rng, 700))
    gone = world.add("open", unit(rng, 600, near=query))
    world.lists.load()
    assert world.ask(query[0])[0].outcome == "lists"
    world.library.run("owner", "delete from document where id = :id", id=gone)
    by_lists, exact = world.ask(query[0])
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near


def test_what_moves_out_of_sight_is_gone_and_what_moves_into_sight_is_found(world: World) -> None:
    rng = np.random.default_rng(4)
    query = unit(rng, 1)
    world.add("open", unit(rng, 900))
    moving = world.add("open", unit(rng, 350, near=query))
    world.lists.load()
    own = world.library.scope(world.collections["open"], OwnRule(inherits=False))
    move = "update document set scope_id = :scope where id = :id"
    for scope in (own, world.scopes["open"][1], own, world.scopes["open"][0]):
        world.library.run("owner", move, scope=scope, id=moving)
        by_lists, exact = world.ask(query[0])
        assert by_lists.outcome == "lists"
        assert by_lists.near == exact.near
        assert (by_lists.near[0].similarity > 0.8) == (scope != own)


def test_six_hundred_equal_passages_give_the_ten_lowest_ids(world: World) -> None:
    rng = np.random.default_rng(5)
    query = unit(rng, 1)
    world.add("open", unit(rng, 800))
    world.add("open", np.repeat(query, 600, axis=0))
    by_lists, exact = world.ask(query[0])
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near
    ids = [n.chunk_id for n in by_lists.near]
    assert ids == list(range(ids[0], ids[0] + 10))


def test_a_form_letter_beyond_all_bounds_is_for_postgres(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "MAX_TIES", 400)
    rng = np.random.default_rng(6)
    query = unit(rng, 1)
    world.add("open", unit(rng, 500))
    world.add("open", np.repeat(query, 1_500, axis=0))
    by_lists, exact = world.ask(query[0])
    assert (by_lists.outcome, exact.outcome) == ("undecided", "unready")
    assert by_lists.near == exact.near


@pytest.mark.parametrize("few", [0, 100_000])
def test_a_search_that_admits_few_finds_the_nearest_of_these(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By the lists and by PostgreSQL alike: every hundredth passage is admitted, wherever it ranks."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", few)
    rng = np.random.default_rng(13)
    query = unit(rng, 1)[0]
    for _ in range(3):
        world.add("open", unit(rng, 700))
    with world.database.reading(world.reader.user_id) as session:
        visible = visible_scopes(session, world.reader)
        seen = ReaderSnapshot(session, visible, visible_corpus(session, visible))
        every = nearest(seen, NoIndex(), query, limit=2_100).near
        wanted = [n for n in every if n.chunk_id % 100 == 0]
        found = nearest(
            seen, world.lists, query, limit=15, predicate=lambda chunks: {c for c in chunks if c % 100 == 0}, depth=15
        )
        assert found.outcome == ("few" if few else "lists")
        assert len(set(wanted[:15]) & set(found.near)) >= 14, "codes may cost one of them"
        assert found.near == sorted(found.near, key=lambda n: (-n.similarity, n.chunk_id))
        monkeypatch.setattr(dense, "MAX_EXAMINED", 500)
        bounded = nearest(
            seen, world.lists, query, limit=15, predicate=lambda chunks: {c for c in chunks if c % 100 == 0}, depth=15
        )
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


def test_what_came_and_went_between_two_readings_is_still_seen_by_whom_it_concerns(world: World) -> None:
    """Written after the base was read, deleted before the lists were read again, seen by a reader in between."""
    rng = np.random.default_rng(14)
    query = unit(rng, 1)
    world.add("open", unit(rng, 900))
    world.lists.load()
    brief = world.add("open", unit(rng, 20, near=query))
    with world.database.reading(world.reader.user_id) as between:
        visible_scopes(between, world.reader)
        world.library.run("owner", "delete from document where id = :id", id=brief)
        world.lists.follow()
        by_lists, exact = world.ask(query[0], session=between)
        assert by_lists.outcome == "lists"
        assert by_lists.near == exact.near
        assert by_lists.near[0].similarity > 0.8


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
    by_lists, exact = world.ask(query[0])
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near
    assert by_lists.near[0].similarity > 0.8


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
        visible = visible_scopes(session, world.reader)
        seen = ReaderSnapshot(session, visible, visible_corpus(session, visible))
        view = world.lists.view(seen.corpus.snapshot)
        assert view is not None
        _, fresh = seen.similarities_and_delta(HalfVector(query[0]).to_text(), [], view.since, BOOK.width)
        assert len(fresh.entries) == 20
    for _ in range(2):
        by_lists, exact = world.ask(query[0])
        assert by_lists.outcome == "lists"
        assert by_lists.near == exact.near
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
            change = chance.choice(
                ["delete from document where id = :id", "update document set scope_id = :scope where id = :id"]
            )
            world.library.run("owner", change.replace(":scope", str(scope)), id=document)
            documents += [document] if change.startswith("update") else []
        else:
            documents.append(world.add("open", unit(rng, chance.randrange(1, 9)), scope=chance.randrange(2)))
        if step % 7 == 0:
            world.library.value("ingest", "select clearance.fold_volumes()")
        with world.library.session("owner") as session:
            for scope in world.scopes["open"]:
                given = {"scope": scope}
                assert tuple(session.execute(count, given).one()) == tuple(session.execute(kept, given).one())
    world.library.value("ingest", "select clearance.fold_volumes()")
    assert (
        world.library.value("owner", "select max(n) from (select count(*) n from scope_volume group by scope_id) s")
        == 1
    )
    with world.library.session("admin") as session:
        session.execute(text("delete from collection where id = :id"), {"id": world.collections["closed"]})
