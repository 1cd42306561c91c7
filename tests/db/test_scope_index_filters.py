"""Through the scope lists either lock holds alone, and what a reader narrows down is counted as it is."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import Database, Signer, connect
from app.retrieval import dense
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.protocol import NoIndex
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.library_db import LibraryDb
from tests.support.scope_index_world import World, world_in
from tests.support.vector_rows import unit


@pytest.fixture
def world(library: LibraryDb, db: Db, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A small one, where the lists answer all the same."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 0)
    engine = connect(db.url("app"), pool_size=2)
    with world_in(library, Database(engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=60_000)) as made:
        yield made
    engine.dispose()


def crowd(world: World, query: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    """900 visible passages, and hidden ones nearer than all: one document has moved out of sight, another is new."""
    rng = np.random.default_rng(6)
    world.add("open", unit(rng, 900))
    moving = world.add("open", unit(rng, 20, near=query), scope=1)
    world.lists.load()
    world.library.run(
        "owner",
        "update document set scope_id = :s, collection_id = :c where id = :id",
        s=world.scopes["closed"][0],
        c=world.collections["closed"],
        id=moving,
    )
    world.add("closed", unit(rng, 20, near=query))


def test_the_scope_filter_holds_alone(world: World, db: Db) -> None:
    """As a database role that row-level security does not bind."""
    query = unit(np.random.default_rng(5), 1)
    crowd(world, query)
    engine = connect(db.url("owner"), pool_size=1)
    unlocked = Database(engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=60_000)
    with unlocked.reading(world.reader.user_id) as session:
        assert session.scalar(text("select count(*) from vector_row")) >= 940, "nothing is locked here"
        by_lists, exact = world.ask(query[0], session=session)
    unlocked.close()
    assert by_lists.outcome == "lists"
    assert by_lists.near == exact.near
    assert max(n.similarity for n in by_lists.near) < 0.8


def test_row_level_security_holds_alone(world: World) -> None:
    """With every scope among those that the caller is said to see."""
    query = unit(np.random.default_rng(5), 1)
    crowd(world, query)
    every = tuple(n for scopes in world.scopes.values() for n in scopes)
    with world.database.reading(world.reader.user_id) as session:
        visible = visible_scopes(session, world.reader)
        seen = ReaderSnapshot(session, replace(visible, scope_ids=every), visible_corpus(session, visible))
        by_lists = nearest(seen, world.lists, query[0], limit=10, depth=world.depth)
        exact = nearest(replace(seen, visible=visible), NoIndex(), query[0], limit=10)
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
