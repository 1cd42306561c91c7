"""The run itself: peers and questions interleaved in random order."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from benchmarks.machine import Stopwatch
from benchmarks.search.cases import Case, Truth, truth_of
from benchmarks.search.peers.base import Peer, Searcher
from benchmarks.search.peers.registry import RULERS, YARDSTICK
from benchmarks.search.results import Cell
from benchmarks.search.vectors import Vectors

K, DEEP = 10, 50
WARM_UPS = 7  # PostgreSQL settles on a plan after five or six executions
RULER_ROUNDS = 5  # how often the rulers answer each question
SLOW_MS, SLOW_QUESTIONS = 150.0, 10  # a peer slower than this is asked fewer questions; its n is stated
DEEP_SHARE = 0.25  # of the questions are asked for fifty too


@dataclass(frozen=True)
class Task:
    """One search to be timed."""

    peer: str
    case: Case
    k: int


def truths_of(vectors: Vectors, cases: Sequence[Case]) -> dict[int, Truth]:
    """Exact answers by caller. The scores of all vectors are kept for each question: 4 bytes each."""
    truths: dict[int, Truth] = {}
    for question in sorted({case.question for case in cases}):
        scores = vectors.rows @ vectors.questions[question]
        truths |= {c.caller.id: truth_of(vectors, c, scores, DEEP) for c in cases if c.question == question}
    return truths


def tasks_of(peers: Iterable[str], cases: Sequence[Case], slow: set[str], deep_share: float) -> list[Task]:
    made: list[Task] = []
    for peer in peers:
        if peer in RULERS:
            whole = [case for case in cases if case.cell == "100 %"] or list(cases)
            made += [Task(peer, case, K) for case in whole for _ in range(RULER_ROUNDS)]
            continue
        limit = SLOW_QUESTIONS if peer in slow else 1 + max(case.question for case in cases)
        made += [Task(peer, case, K) for case in cases if case.question < limit]
        made += [Task(peer, case, DEEP) for case in cases if case.question < round(limit * deep_share)]
    return [made[n] for n in np.random.default_rng(4).permutation(len(made))]


def warm_up(clients: Mapping[str, Searcher], vectors: Vectors, cases: Sequence[Case]) -> set[str]:
    """Ask each peer some questions of each cell; returns the slow ones."""
    first = list({case.cell: case for case in reversed(cases)}.values())
    slow: set[str] = set()
    for peer, client in clients.items():
        for turn in range(1 + WARM_UPS):
            began = time.perf_counter()
            for case in first:
                client.search(vectors.questions[case.question], case.caller, K)
            if turn == 0 and 1000 * (time.perf_counter() - began) / len(first) > SLOW_MS:
                slow.add(peer)
                break
    return slow


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
    peers: Mapping[str, Peer],
    vectors: Vectors,
    cases: Sequence[Case],
    tell: Callable[[str], None],
    *,
    deep_share: float = DEEP_SHARE,
) -> list[Cell]:
    """Time every search once. `tell` hears how far it is."""
    truths = truths_of(vectors, cases)
    clients = {name: peer.searcher() for name, peer in peers.items()}
    tasks = tasks_of(peers, cases, warm_up(clients, vectors, cases), deep_share)
    watches = {name: Stopwatch(client.backends()) for name, client in clients.items()}
    cells: dict[tuple[str, str, int], Cell] = {}
    with quiet():
        for done, task in enumerate(tasks):
            client, watch, case = clients[task.peer], watches[task.peer], task.case
            question = vectors.questions[case.question]
            answer = watch.time(lambda c=client, q=question, t=task: c.search(q, t.case.caller, t.k))  # type: ignore[misc]
            cell = cells.setdefault((task.peer, case.cell, task.k), Cell(task.peer, case.cell, task.k))
            cell.note(watch.ms, watch.cpu, case.rows)
            # What the yardstick finds is judged where everything is visible.
            if not peers[task.peer].unfiltered or (task.peer, case.cell) == (YARDSTICK, "100 %"):
                cell.judge(truths[case.caller.id].judge(vectors, case, answer, task.k))
            if done % 500 == 0:
                tell(f"searched {done} of {len(tasks)}")
                gc.collect()
    for client in clients.values():
        client.close()
    names = list(dict.fromkeys(case.cell for case in cases))
    return sorted(cells.values(), key=lambda cell: names.index(cell.cell))
