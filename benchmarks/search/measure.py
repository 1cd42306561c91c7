"""The run itself: peers and questions interleaved in random order."""

import gc
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from benchmarks.machine import Stopwatch, quiet
from benchmarks.search.cases import Case, Truth, truth_of
from benchmarks.search.peers.base import Peer, Searcher
from benchmarks.search.peers.registry import RULERS, YARDSTICK
from benchmarks.search.results import Cell
from benchmarks.search.vectors import Vectors
from benchmarks.tables import console

K, DEEP = 10, 50
WARM_UPS = 7  # PostgreSQL settles on a plan after five or six executions
RULER_ROUNDS = 5  # how often the rulers answer each question
SLOW_MS, SLOW_QUESTIONS = 150.0, 10  # a peer slower than this is asked fewer questions; its n is stated
DEEP_SHARE = 0.25  # of the questions are asked for fifty too
# One search to be timed: the peer, the case, k.
Task = tuple[str, Case, int]


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
            made += [(peer, case, K) for case in whole for _ in range(RULER_ROUNDS)]
            continue
        limit = SLOW_QUESTIONS if peer in slow else 1 + max(case.question for case in cases)
        made += [(peer, case, K) for case in cases if case.question < limit]
        made += [(peer, case, DEEP) for case in cases if case.question < round(limit * deep_share)]
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


def measure(
    peers: Mapping[str, Peer], vectors: Vectors, cases: Sequence[Case], *, deep_share: float = DEEP_SHARE
) -> list[Cell]:
    """Time every search once."""
    truths = truths_of(vectors, cases)
    clients = {name: peer.searcher() for name, peer in peers.items()}
    tasks = tasks_of(peers, cases, warm_up(clients, vectors, cases), deep_share)
    watches = {name: Stopwatch(client.backends()) for name, client in clients.items()}
    cells: dict[tuple[str, str, int], Cell] = {}
    with quiet():
        for done, (peer, case, k) in enumerate(tasks):
            client, watch, question = clients[peer], watches[peer], vectors.questions[case.question]
            answer = watch.time(lambda c=client, q=question, a=case.caller, k=k: c.search(q, a, k))  # type: ignore[misc]
            cell = cells.setdefault((peer, case.cell, k), Cell(peer, case.cell, k))
            cell.ms.append(round(watch.ms, 4))
            cell.cpu.append(round(watch.cpu, 4))
            cell.rows.append(case.rows)
            # What the yardstick finds is judged where everything is visible.
            if not peers[peer].unfiltered or (peer, case.cell) == (YARDSTICK, "100 %"):
                judged = truths[case.caller.id].judge(vectors, case, answer, k)
                cell.recall.append(round(judged.recall, 4))
                cell.hidden += judged.hidden
                cell.short += judged.short > 0
            if done % 500 == 0:
                console.log(f"searched {done} of {len(tasks)}")
                gc.collect()
    for client in clients.values():
        client.close()
    names = list(dict.fromkeys(case.cell for case in cases))
    return sorted(cells.values(), key=lambda cell: names.index(cell.cell))
