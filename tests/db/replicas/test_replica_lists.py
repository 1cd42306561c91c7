"""The standby finds what the primary finds, by the lists too, which are always the primary's."""

import contextlib
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.engine import connect
from app.db.session import ReadSession
from app.embedding.hashed import HashedEmbedder
from app.identity.subject import Subject
from app.retrieval import dense
from app.retrieval.search import Query, search
from app.scope_index.database_reader import CodeReader, NotThePrimary
from app.scope_index.protocol import NoIndex
from app.scope_index.snapshot import Snapshot
from tests.db.replicas.replicated_db import Pair, on_standby
from tests.support.scope_index_world import BOOK, World, world_in
from tests.support.vector_rows import unit

pytestmark = pytest.mark.alone


@pytest.fixture
def world(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Lists beside it; callers count as large from the first passage on."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 0)
    with world_in(pair.library, pair.database) as made:
        yield made


def test_the_standby_finds_what_the_primary_finds(pair: Pair, world: World) -> None:
    """Passages, order and scores; by the lists, which are always the primary's, and without them; words too."""
    rng = np.random.default_rng(21)
    for _ in range(3):
        world.add("open", unit(rng, 400))
        world.add("closed", unit(rng, 400))
    world.lists.load()
    world.add("open", unit(rng, 30), scope=1)
    for query in unit(rng, 10):
        with on_standby(pair, world.reader.user_id) as there:
            by_lists, exact = world.ask(query, session=there)
        assert (by_lists.outcome, exact.outcome) == ("lists", "unready")
        assert (by_lists, exact) == world.ask(query)
        assert by_lists.near == exact.near
    found = {}
    embedder = HashedEmbedder()
    query = Query("the alder note", embedder.embed_query("the alder note"), 10)
    ada = pair.library.subject(pair.ada)
    with on_standby(pair, pair.ada) as there:
        found["standby"] = _hits(there, ada, query)
    with pair.database.reading(pair.ada) as here:
        found["primary"] = _hits(here, ada, query)
    assert found["standby"] == found["primary"]
    assert len(found["primary"]) == 1


def _hits(session: ReadSession, subject: Subject, query: Query) -> list[tuple[uuid.UUID, float]]:
    visible = visible_scopes(session, subject)
    return [(h.passage.chunk, h.score) for h in search(session, visible, NoIndex(), query).best().hits]


def test_a_standby_does_not_say_who_is_running_and_the_lists_do_not_believe_it(
    pair: Pair, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion that runs while the reader begins, and a later transaction that is through: the reader sees the
    document until the end. Its snapshot, as the standby tells it, claims to see the deletion.
    """
    rng = np.random.default_rng(22)
    query = unit(rng, 1)
    gone = world.add("open", unit(rng, 20, near=query))
    world.add("open", unit(rng, 600))
    with contextlib.ExitStack() as later:
        with world.library.session("admin") as deleting:
            deleting.execute(text("delete from document where id = :id"), {"id": gone})
            number = int(str(deleting.scalar(text("select pg_current_xact_id()::text"))))
            world.library.run("admin", "select pg_current_xact_id()")
            reader = later.enter_context(on_standby(pair, world.reader.user_id))
            visible = visible_scopes(reader, world.reader)
            told = visible.snapshot
        # Committed, and the lists have forgotten the document.
        world.lists.load()
        known = world.lists._generation
        assert known is not None
        assert Snapshot.parse(told).sees(number), "the standby claims to see it"
        assert Snapshot.parse(told).covers(known.snapshots[-1]), "so that it seems to cover this reading of the lists"
        assert reader.scalar(text("select count(*) from document where id = :id"), {"id": gone}) == 1, "it does not"

        by_lists, exact = world.ask(query[0], session=reader)
        assert by_lists.near == exact.near
        assert by_lists.near[0].similarity > 0.8
        assert by_lists.outcome != "lists"
        monkeypatch.setattr(ReadSession, "on_standby", False)
        reader.on_standby = False
        naive, exact = world.ask(query[0], session=reader)
        assert naive.outcome == "lists"
        assert naive.near != exact.near, "as told, the nearest passages are missing"


def test_fresh_passages_come_up_to_what_the_standby_sees(pair: Pair, world: World) -> None:
    """Written after one that still runs: in no reading of the lists that the reader covers, and brought along."""
    rng = np.random.default_rng(23)
    query = unit(rng, 1)
    world.add("open", unit(rng, 600))
    world.lists.load()
    with world.library.session("admin") as running:
        running.execute(text("select pg_current_xact_id()"))
        # So that the standby knows of it.
        running.execute(text("insert into role (name) values ('later')"))
        world.add("open", unit(rng, 20, near=query))
        world.lists.follow()
        with on_standby(pair, world.reader.user_id) as reader:
            near = world.check(query[0], session=reader)
            assert near[0].similarity > 0.8


def test_lists_are_not_read_from_a_standby(pair: Pair, world: World) -> None:
    """Nor followed there: a passage of a transaction that runs would be lost for good."""
    rng = np.random.default_rng(24)
    world.add("open", unit(rng, 20))
    primary = CodeReader(pair.library.engine("search"), BOOK)
    snapshot, entries = primary.load(lambda _: None)
    assert len(entries) == 20
    pair.standby.catch_up()
    standby = CodeReader(connect(pair.url("search"), pool_size=1), BOOK)
    try:
        with pytest.raises(NotThePrimary):
            standby.load(lambda _: None)
        with pytest.raises(NotThePrimary):
            standby.changes(snapshot)
        assert standby.count() == primary.count()
    finally:
        standby.close()
