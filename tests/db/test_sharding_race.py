"""The race of writers and readers over two search processes: each answer is the exact one of the reader's snapshot."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from app.acl.rules import OwnRule
from app.db.session import Database
from app.retrieval import dense
from app.scope_index.index import ScopeLists
from app.scope_index.sharding import shard_of
from tests.db.index_race import Race
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow
from tests.support.scope_index_world import World, world_in
from tests.support.search_processes import threads
from tests.support.vector_rows import unit

pytestmark = pytest.mark.alone


@pytest.fixture
def world(
    library: LibraryDb, database: Database, db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Callers count as large from the first passage on; two shards that are read in turn, never at the same time."""
    monkeypatch.setattr(dense, "FEW", 0)
    with world_in(library, database) as made, threads(tmp_path, db, 2) as shards:
        made.lists = cast(ScopeLists, shards)
        while len(set(shard_of(np.array(made.scopes["open"], np.int32), 2).tolist())) < 2:
            another = library.person(f"another {len(made.scopes['open'])}")
            also = OwnRule(frozenset({allow("user", made.reader.user_id), allow("user", another)}))
            made.scopes["open"].append(library.scope(made.collections["open"], also))
        yield made


def test_writers_movers_and_deleters_race_readers_of_two_shards(world: World) -> None:
    """What moves from shard to shard is found once, in the one or in the other."""
    rng = np.random.default_rng(30)
    world.depth = 1_800  # the crowd about the centre is too dense for its codes to tell one from another
    for n in range(4):
        world.add("open", unit(rng, 600), scope=n % len(world.scopes["open"]))
    race = Race(world, unit(rng, 1), world.library.scope(world.collections["open"], OwnRule(inherits=False)))
    running = [threading.Thread(target=race.write, args=(n,)) for n in (31, 32)]
    running += [threading.Thread(target=race.read, args=(n,)) for n in (33, 34, 35)]
    running += [threading.Thread(target=race.renew)]
    for thread in running:
        thread.start()
    # However slow the machine is: until enough has happened.
    deadline = time.monotonic() + 120
    while _least(race) <= 5 or race.done["by lists"] < 150:
        assert time.monotonic() < deadline, dict(race.done)
        time.sleep(0.1)
    race.stop.set()
    for thread in running:
        thread.join()
    print(dict(race.done))
    assert not race.failures, race.failures[:2]


def _least(race: Race) -> int:
    return min(race.done[what] for what in ("written", "deleted", "moved", "asked", "loaded"))
