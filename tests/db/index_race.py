"""Writers, movers, deleters and readers of one collection at once."""

import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.support.scope_index_world import World
from tests.support.vector_rows import unit


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
