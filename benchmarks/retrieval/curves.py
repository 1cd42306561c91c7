"""Curves over clients, over the size of the world, over the hidden volume, and the first searches from a cold cache."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.retrieval.cases import Caller, Case
from benchmarks.retrieval.measure import WARM_UPS
from benchmarks.retrieval.postgres import Server, restart
from benchmarks.retrieval.protocol import Retriever, Searcher
from benchmarks.retrieval.world import World

K = 10
COLD_QUESTIONS = 20
WARM_SECONDS = 0.2  # at most, for each client


def clients_curve(
    peer: str, retriever: Retriever, world: World, cases: Sequence[Case], counts: Sequence[int], seconds: float
) -> list[dict[str, Any]]:
    """Searches per second by number of clients (threads, a connection each), for each cell of the cases.

    The ceiling is the number of cores over the processor time of one search, as measured with one client.
    """
    made: list[dict[str, Any]] = []
    cores = len(os.sched_getaffinity(0))
    for cell in dict.fromkeys(case.cell for case in cases):
        inside = [case for case in cases if case.cell == cell]
        ceiling = float("nan")
        for count in counts:
            searches, took, cpu = _hammer(retriever, world, inside, count, seconds)
            if np.isnan(ceiling):
                ceiling = cores / cpu
            made.append(
                {
                    "peer": peer, "cell": cell, "clients": count, "per_second": searches / took,
                    "cpu_ms": 1000 * cpu, "ceiling": ceiling, "cores": cores,
                }
            )  # fmt: skip
    return made


def _hammer(
    retriever: Retriever, world: World, cases: Sequence[Case], count: int, seconds: float
) -> tuple[int, float, float]:
    """Searches made, seconds taken, and processor seconds for each search."""
    clients = [retriever.searcher() for _ in range(count)]
    for client in clients:
        until = time.perf_counter() + WARM_SECONDS
        for case in cases[:WARM_UPS]:
            client.search(world.questions[case.question], case.caller, K)
            if time.perf_counter() > until:
                break
    done, stop, start = [0] * count, threading.Event(), threading.Barrier(count + 1)

    def work(number: int, client: Searcher) -> None:
        rng = np.random.default_rng(number)
        start.wait()
        while not stop.is_set():
            case = cases[int(rng.integers(len(cases)))]
            client.search(world.questions[case.question], case.caller, K)
            done[number] += 1

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()
    files = [Path(f"/proc/{pid}/schedstat") for client in clients for pid in client.backends()]
    start.wait()
    before, began, here = _used(files), time.perf_counter(), time.process_time()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    used = time.process_time() - here + _used(files) - before
    for client in clients:
        client.close()
    return sum(done), took, used / max(1, sum(done))


def _used(files: Sequence[Path]) -> float:
    return sum(int(f.read_text().split()[0]) for f in files) / 1e9


def cold(peer: str, retriever: Retriever, world: World, cases: Sequence[Case], server: Server) -> list[dict[str, Any]]:
    """The first searches after the server was restarted and the kernel was told to forget its files; then warm ones."""
    made: list[dict[str, Any]] = []
    for cell in dict.fromkeys(case.cell for case in cases):
        inside = [case for case in cases if case.cell == cell][:COLD_QUESTIONS]
        dropped = restart(server, evict=True)
        client = retriever.searcher()
        passes = [_timed(client, world, inside) for _ in range(3)]
        client.close()
        made.append(
            {
                "peer": peer, "cell": cell, "evicted_bytes": dropped, "first_ms": passes[0][0],
                "cold_ms": passes[0], "warm_ms": passes[-1],
            }
        )  # fmt: skip
    return made


def _timed(client: Searcher, world: World, cases: Sequence[Case]) -> list[float]:
    """Milliseconds of each."""
    times = []
    for case in cases:
        began = time.perf_counter()
        client.search(world.questions[case.question], case.caller, K)
        times.append(1000 * (time.perf_counter() - began))
    return times


def hidden_worlds(
    world: World, visible: int, hidden: Sequence[int], questions: int, *, seed: int = 8
) -> list[tuple[int, World, list[Case]]]:
    """The same `visible` rows beside so many hidden ones: one scope is seen, all others are not."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(world.size)
    made = []
    for count in hidden:
        rows = order[: visible + count]
        scopes = np.asarray(rng.integers(1, 100, size=len(rows)), np.int32)
        scopes[:visible] = 0
        part = World(world.vectors[rows], scopes, np.ones(100, np.bool_), world.questions)
        cases = [
            Case(f"{count:,} hidden", Caller(n, (0,)), n % len(world.questions), visible) for n in range(questions)
        ]
        made.append((count, part, cases))
    return made


def answers_of(retriever: Retriever, world: World, cases: Sequence[Case]) -> list[list[int]]:
    """The ids that each case gets."""
    client = retriever.searcher()
    found = [client.search(world.questions[case.question], case.caller, K) for case in cases]
    client.close()
    return found


def in_postgres(retriever: Retriever) -> bool:
    """Whether a server works for this peer's clients."""
    client = retriever.searcher()
    try:
        return bool(client.backends())
    finally:
        client.close()
