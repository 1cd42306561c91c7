"""Writers, movers, deleters and readers at once: each answer is the exact one of the reader's own snapshot."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from app.acl.rules import OwnRule
from app.db.session import Database
from app.retrieval import dense
from tests.support.library_db import LibraryDb
from tests.support.scope_index_world import World, world_in
from tests.support.vector_rows import unit


@pytest.fixture
def world(library: LibraryDb, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Callers count as large from the first passage on."""
    monkeypatch.setattr(dense, "FEW", 0)
    with world_in(library, database) as made:
        yield made


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
                        self.failures.append(f"{set(by_lists.near) ^ set(exact.near)} by {by_lists.by}")
                    self.done["asked"] += 1
                    self.done["by lists"] += by_lists.by == "lists"
                    time.sleep(chance.random() * 0.01)

    def renew(self) -> None:
        for n in itertools.count():
            if self.stop.wait(0.03):
                return
            self.world.lists.follow()
            if n % 15 == 14:
                self.world.lists.load()
                self.done["loaded"] += 1


@pytest.mark.slow
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
