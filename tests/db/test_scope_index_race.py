"""Writers, movers, deleters and readers at once: each answer is the exact one of the reader's own snapshot."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from app.acl.rules import OwnRule
from app.db.session import Database
from app.retrieval import dense
from app.scope_index.index import ScopeIndex
from app.scope_index.sharding import shard_of
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow
from tests.support.scope_index_world import World, world_in
from tests.support.search_processes import threads
from tests.support.vector_rows import unit

pytestmark = pytest.mark.alone


@dataclass
class Race:
    """Writers, movers, deleters and readers of one collection, and the lists renewed meanwhile."""

    world: World
    centre: NDArray[np.float32]
    own: int
    stop: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def write(self, seed: int) -> None:
        drawn, chance = np.random.default_rng(seed), random.Random(seed)
        while not self.stop.is_set():
            if len(self.documents) > 40 or (self.documents and chance.random() < 0.4):
                self._change(self.documents.pop(chance.randrange(len(self.documents))), chance)
                continue
            with self.world.library.session("admin") as session:
                near = unit(drawn, chance.randrange(1, 60), near=self.centre)
                scope = chance.choice(self.world.scopes["open"])
                made = self.world.stacks.put(session, self.world.collections["open"], scope, near)
                time.sleep(chance.random() * 0.02)
            self.documents.append(made)
            self.done["written"] += 1

    def _change(self, document: int, chance: random.Random) -> None:
        if chance.random() < 0.5:
            self.world.library.run("owner", "delete from document where id = :id", id=document)
            self.done["deleted"] += 1
            return
        scope = chance.choice([self.own, *self.world.scopes["open"]])
        self.world.library.run("owner", "update document set scope_id = :s where id = :id", s=scope, id=document)
        self.documents.append(document)
        self.done["moved"] += 1

    def read(self, seed: int) -> None:
        drawn, chance = np.random.default_rng(seed), random.Random(seed)
        while not self.stop.is_set():
            with self.world.database.reading(self.world.reader.user_id) as session:
                for _ in range(chance.choice([1, 1, 5])):
                    by_lists, exact = self.world.ask(unit(drawn, 1, near=self.centre)[0], session=session)
                    if by_lists.near != exact.near:
                        self.failures.append(f"{set(by_lists.near) ^ set(exact.near)} by {by_lists.outcome}")
                    self.done["asked"] += 1
                    self.done["by lists"] += by_lists.outcome == "lists"
                    time.sleep(chance.random() * 0.01)

    def renew(self) -> None:
        for n in itertools.count():
            if self.stop.wait(0.03):
                return
            self.world.lists.follow()
            if n % 15 == 14:
                self.world.lists.load()
                self.done["loaded"] += 1

    @property
    def enough(self) -> bool:
        """Whether everything has happened often enough, however slow the machine is."""
        least = min(self.done[what] for what in ("written", "deleted", "moved", "asked", "loaded"))
        return least > 5 and self.done["by lists"] >= 150


@pytest.fixture
def world(library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Callers count as large from the first passage on."""
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", 0)
    with world_in(library, database) as made:
        yield made


@pytest.fixture
def sharded(world: World, db: Db, tmp_path: Path) -> Iterator[World]:
    """Over two search processes that are read in turn, never at the same time; the open scopes lie in both."""
    with threads(tmp_path, db, 2) as shards:
        world.lists = cast(ScopeIndex, shards)
        while len(set(shard_of(np.array(world.scopes["open"], np.int32), 2).tolist())) < 2:
            another = world.library.person(f"another {len(world.scopes['open'])}")
            also = OwnRule(frozenset({allow("user", world.reader.user_id), allow("user", another)}))
            world.scopes["open"].append(world.library.scope(world.collections["open"], also))
        yield world


@pytest.mark.parametrize("where", ["world", "sharded"])
def test_writers_movers_and_deleters_race_readers(request: pytest.FixtureRequest, where: str) -> None:
    """Long transactions among them, the base renewed meanwhile; what moves from shard to shard is found once."""
    world: World = request.getfixturevalue(where)
    rng = np.random.default_rng(10)
    world.depth = 1_800  # the crowd about the centre is too dense for its codes to tell one from another
    for n in range(4):
        world.add("open", unit(rng, 600), scope=n % len(world.scopes["open"]))
    race = Race(world, unit(rng, 1), world.library.scope(world.collections["open"], OwnRule(inherits=False)))
    running = [threading.Thread(target=race.write, args=(n,)) for n in (1, 2)]
    running += [threading.Thread(target=race.read, args=(n,)) for n in (3, 4, 5)]
    running += [threading.Thread(target=race.renew)]
    for thread in running:
        thread.start()
    deadline = time.monotonic() + 120
    while not race.enough:
        assert time.monotonic() < deadline, dict(race.done)
        time.sleep(0.1)
    race.stop.set()
    for thread in running:
        thread.join()
    print(dict(race.done))
    assert not race.failures, race.failures[:2]
