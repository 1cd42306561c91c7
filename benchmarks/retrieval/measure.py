"""The run itself: peers and questions interleaved in random order."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.retrieval.cases import Case
from benchmarks.retrieval.peers.registry import FLOOR, YARDSTICK
from benchmarks.retrieval.protocol import Retriever, Searcher
from benchmarks.retrieval.results import Cell
from benchmarks.retrieval.truth import Truth, truth_of
from benchmarks.retrieval.world import World

DEPTH = 50  # the largest k
WARM_UPS = 7  # PostgreSQL settles on a plan after five or six executions
RULER_ROUNDS = 5  # how often the rulers answer each question
SLOW_MS = 150.0  # a peer slower than this is asked fewer questions; its n is stated
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """How much to ask: questions a cell at k = 10, a part of them at k = 50, and of slow peers."""

    deep_share: float = 0.25
    slow_questions: int = 10
    seed: int = 4


@dataclass(frozen=True)
class Task:
    """One search to be timed."""

    peer: str
    case: Case
    k: int


class Clock:
    """Wall-clock and processor milliseconds of a search: this process and the server's backends."""

    def __init__(self, client: Searcher) -> None:
        self._files = [Path(f"/proc/{pid}/schedstat") for pid in client.backends()]
        self.ms = self.cpu = 0.0

    def time(self, call: Callable[[], T]) -> T:
        """Run it; `ms` and `cpu` are of the last call."""
        before = self._elsewhere()
        here, began = time.process_time_ns(), time.perf_counter_ns()
        answer = call()
        ended, used = time.perf_counter_ns(), time.process_time_ns()
        self.ms = (ended - began) / 1e6
        self.cpu = (used - here) / 1e6 + self._elsewhere() - before
        return answer

    def _elsewhere(self) -> float:
        return sum(int(f.read_text().split()[0]) for f in self._files) / 1e6


@dataclass
class Truths:
    """Exact answers by caller. The scores of all vectors are kept for each question: 4 bytes each."""

    world: World
    kept: dict[int, Truth] = field(default_factory=dict)

    def prepare(self, cases: Sequence[Case]) -> None:
        """Compute what is missing, question by question."""
        for question in sorted({case.question for case in cases}):
            scores = self.world.vectors @ self.world.questions[question]
            for case in cases:
                if case.question == question:
                    self.kept[case.caller.id] = truth_of(self.world, case, scores, DEPTH)


def tasks_of(peers: Sequence[str], cases: Sequence[Case], plan: Plan, slow: set[str]) -> list[Task]:
    """All searches in random order."""
    made: list[Task] = []
    for peer in peers:
        if peer in (FLOOR, YARDSTICK):
            whole = [case for case in cases if case.cell == "100 %"] or list(cases)
            made += [Task(peer, case, 10) for case in whole for _ in range(RULER_ROUNDS)]
            continue
        most = plan.slow_questions if peer in slow else 1 + max(case.question for case in cases)
        made += [Task(peer, case, 10) for case in cases if case.question < most]
        made += [Task(peer, case, DEPTH) for case in cases if case.question < round(most * plan.deep_share)]
    rng = np.random.default_rng(plan.seed)
    return [made[n] for n in rng.permutation(len(made))]


def warm_up(clients: dict[str, Searcher], world: World, cases: Sequence[Case]) -> set[str]:
    """Ask each peer some questions of each cell; returns the slow ones."""
    first: dict[str, Case] = {}
    for case in cases:
        first.setdefault(case.cell, case)
    slow: set[str] = set()
    for peer, client in clients.items():
        began = time.perf_counter()
        _ask_all(client, world, first.values())
        if 1000 * (time.perf_counter() - began) / len(first) > SLOW_MS:
            slow.add(peer)
            continue
        for _ in range(WARM_UPS):
            _ask_all(client, world, first.values())
    return slow


def _ask_all(client: Searcher, world: World, cases: Iterable[Case]) -> None:
    for case in cases:
        client.search(world.questions[case.question], case.caller, 10)


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection inside a timed call."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def measure(
    retrievers: dict[str, Retriever],
    world: World,
    cases: Sequence[Case],
    plan: Plan,
    tell: Callable[[int, int], None],
) -> list[Cell]:
    """Time every search once. `tell` hears how far it is."""
    truths = Truths(world)
    truths.prepare(cases)
    clients = {name: peer.searcher() for name, peer in retrievers.items()}
    slow = warm_up(clients, world, cases)
    clocks = {name: Clock(client) for name, client in clients.items()}
    cells = {(p, c, k): Cell(p, c, k) for p in retrievers for c in _names(cases) for k in (10, DEPTH)}
    tasks = tasks_of(list(retrievers), cases, plan, slow)
    with quiet():
        for done, task in enumerate(tasks):
            found = _ask(clients[task.peer], clocks[task.peer], world, task)
            _note(cells[task.peer, task.case.cell, task.k], clocks[task.peer], task)
            if not retrievers[task.peer].unfiltered:
                _judge(cells[task.peer, task.case.cell, task.k], world, truths, task, found)
            elif task.peer == YARDSTICK and task.case.cell == "100 %":
                whole = truths.kept[task.case.caller.id]
                cells[task.peer, task.case.cell, task.k].recall.append(whole.judge(world, task.case, found, 10).recall)
            if done % 200 == 0:
                tell(done, len(tasks))
                gc.collect()
    for client in clients.values():
        client.close()
    return [cell for cell in cells.values() if cell.ms]


def _names(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(case.cell for case in cases))


def _ask(client: Searcher, clock: Clock, world: World, task: Task) -> list[int]:
    question = world.questions[task.case.question]
    return clock.time(lambda: client.search(question, task.case.caller, task.k))


def _note(cell: Cell, clock: Clock, task: Task) -> None:
    cell.ms.append(round(clock.ms, 4))
    cell.cpu.append(round(clock.cpu, 4))
    cell.rows.append(task.case.rows)


def _judge(cell: Cell, world: World, truths: Truths, task: Task, found: Sequence[int]) -> None:
    judged = truths.kept[task.case.caller.id].judge(world, task.case, found, task.k)
    cell.recall.append(round(judged.recall, 4))
    cell.hidden += judged.hidden
    cell.short += judged.short > 0
