"""Writers, movers, deleters and readers at once: each answer is the exact one of the reader's own snapshot."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from app.acl.rules import OwnRule
from app.db.session import Database
from app.retrieval import dense
from tests.db.index_race import Race
from tests.support.library_db import LibraryDb
from tests.support.scope_index_world import World, world_in
from tests.support.vector_rows import unit

pytestmark = pytest.mark.alone


@pytest.fixture
def world(library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Callers count as large from the first passage on."""
    monkeypatch.setattr(dense, "FEW", 0)
    with world_in(library, database) as made:
        yield made


def test_writers_movers_and_deleters_race_readers(world: World) -> None:
    """Each answer is the exact one of its own snapshot, long transactions among them, the base renewed meanwhile."""
    rng = np.random.default_rng(10)
    world.depth = 1_800  # the crowd about the centre is too dense for its codes to tell one from another
    for _ in range(4):
        world.add("open", unit(rng, 600))
    race = Race(world, unit(rng, 1), world.library.scope(world.collections["open"], OwnRule(inherits=False)))
    threads = [threading.Thread(target=race.write, args=(n,)) for n in (1, 2)]
    threads += [threading.Thread(target=race.read, args=(n,)) for n in (3, 4, 5)]
    threads += [threading.Thread(target=race.renew)]
    for thread in threads:
        thread.start()
    time.sleep(12)
    race.stop.set()
    for thread in threads:
        thread.join()
    print(dict(race.done))
    assert not race.failures, race.failures[:2]
    assert race.done["by lists"] > 30
    assert min(race.done.values()) > 5
