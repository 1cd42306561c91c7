"""The stages of a run: build, search, clients, write, and search beside hidden volume."""

import argparse
import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.machine import Stopwatch
from benchmarks.search.cases import Caller, Case
from benchmarks.search.measure import K, measure
from benchmarks.search.peers.base import Batch, NotRun, Peer, Place, serve
from benchmarks.search.peers.registry import PEERS, RULERS
from benchmarks.search.results import Cost, Results
from benchmarks.search.vectors import Vectors
from benchmarks.tables import console

CURVE_CELLS = ("100 %", "10 % rand", "1 % rand")
VISIBLE, HIDDEN = 1_000, (0, 1_000, 100_000)  # rows of the worlds beside hidden volume
QUESTIONS = 100  # asked of each
SCOPE_ROWS = 1_000  # a scope of about this size is taken from a caller and given back
WARM_SECONDS = 0.2  # for each client


def search_and_write(given: argparse.Namespace, results: Results, vectors: Vectors, cases: Sequence[Case]) -> None:
    """All peers, interleaved; then clients, and what writing costs, which leaves traces."""
    curve = [case for case in cases if case.cell in CURVE_CELLS]
    with _ready(given, results, vectors, cases) as peers:
        results.cells = measure(peers, vectors, cases)
        results.save(given.out)
        for name, peer in peers.items() if given.clients else ():
            console.log(f"clients of {name}")
            results.clients += _clients(name, peer, vectors, curve, given)
        results.save(given.out)
        _measure_writes(peers, vectors, cases, results, rows=given.write)


def beside_hidden(given: argparse.Namespace, results: Results, vectors: Vectors) -> None:
    """1,000 visible rows beside more and more hidden ones: times, and answers that are not what they were."""
    rng, alone = np.random.default_rng(8), dict[str, list[list[int]]]()
    order, asked = rng.permutation(vectors.size), len(vectors.questions)
    for count in HIDDEN:
        console.log(f"{VISIBLE:,} visible beside {count:,} hidden")
        rows = order[: VISIBLE + count]
        # One scope is seen, all others are not.
        scopes = np.asarray(rng.integers(1, 100, size=len(rows)), np.int32)
        scopes[:VISIBLE] = 0
        part = Vectors(vectors.rows[rows], scopes, np.ones(100, np.bool_), vectors.questions)
        cases = [Case(f"{count:,} hidden", Caller(n, (0,)), n % asked, VISIBLE) for n in range(QUESTIONS)]
        with _ready(given, Results({}), part, cases) as peers:
            answers = {name: _answers(peer, part, cases) for name, peer in peers.items()}
            alone = alone or answers
            for cell in measure(peers, part, cases, deep_share=0):
                changed = sum(now != then for now, then in zip(answers[cell.peer], alone[cell.peer], strict=True))
                row = {"hidden": count, "peer": cell.peer, "ms": cell.ms, "asked": QUESTIONS, "changed": changed}
                results.hidden_volume.append(row)


@contextlib.contextmanager
def _ready(
    given: argparse.Namespace, results: Results, vectors: Vectors, cases: Sequence[Case]
) -> Iterator[dict[str, Peer]]:
    """The peers that could be built, on a server of their own; costs and reasons go to the results."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(workers=given.workers))
        peers: dict[str, Peer] = {}
        made: dict[str, float] = {}
        for name in given.peers:
            console.log(f"building {name}")
            own = Place(server, name, made)
            own.folder.mkdir()
            try:
                peers[name] = _built(name, own, vectors, cases, results)
            except NotRun as error:
                results.not_run[name] = str(error)
            except Exception as error:  # noqa: BLE001  # the edge to other people's software must not end the run
                results.not_run[name] = f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            else:
                stack.callback(peers[name].close)
        yield peers


def _built(name: str, place: Place, vectors: Vectors, cases: Sequence[Case], results: Results) -> Peer:
    """One peer, tried with one search of each cell: what fails there would fail in the middle of a run."""
    peer = PEERS[name](place)
    built = peer.build(vectors)
    peer.admit([case.caller for case in cases])
    _answers(peer, vectors, list({case.cell: case for case in cases}.values()))
    results.costs.append(Cost(name, peer.name, peer.settings, built.seconds, built.memory, built.disk))
    return peer


def _answers(peer: Peer, vectors: Vectors, cases: Sequence[Case]) -> list[list[int]]:
    client = peer.searcher()
    answers = [client.search(vectors.questions[case.question], case.caller, K) for case in cases]
    client.close()
    return answers


def _measure_writes(
    peers: Mapping[str, Peer], vectors: Vectors, cases: Sequence[Case], results: Results, *, rows: int
) -> None:
    """Rows per second with all indexes in place; and a re-grant."""
    seen = {scope for case in cases for scope in case.caller.scopes}
    scope = min(seen, key=lambda one: abs(int(vectors.volumes[one]) - SCOPE_ROWS))
    rng, written = np.random.default_rng(6), vectors.size
    for cost in (cost for cost in results.costs if cost.peer not in RULERS):
        like = rng.integers(vectors.size, size=rows)
        batch = Batch(np.arange(written, written + rows), vectors.rows[like], vectors.scopes[like])
        began, written = time.perf_counter(), written + rows
        with contextlib.suppress(NotRun):
            peers[cost.peer].write(batch)
            cost.rows_per_second = rows / (time.perf_counter() - began)
        if (done := peers[cost.peer].regrant(scope)) is not None:
            cost.regrant_rows, cost.regrant_ms = done[0], 1000 * done[1]


def _clients(
    name: str, peer: Peer, vectors: Vectors, cases: Sequence[Case], given: argparse.Namespace
) -> list[dict[str, Any]]:
    """Searches per second by number of clients (threads, a connection each), for each cell of the cases.

    The ceiling is the number of cores over the processor time of one search, as measured with the fewest clients.
    """
    made: list[dict[str, Any]] = []
    cores = len(os.sched_getaffinity(0))
    for cell in dict.fromkeys(case.cell for case in cases):
        inside, ceiling = [case for case in cases if case.cell == cell], None
        for count in given.clients:
            rate, cpu = _hammer(peer, vectors, inside, count, given.seconds)
            ceiling = ceiling or 1000 * cores / cpu
            made.append({"peer": name, "cell": cell, "clients": count, "per_second": rate, "ceiling": ceiling})
    return made


def _hammer(peer: Peer, vectors: Vectors, cases: Sequence[Case], count: int, seconds: float) -> tuple[float, float]:
    """Searches per second, and processor milliseconds for each."""
    clients = [peer.searcher() for _ in range(count)]
    watch = Stopwatch([pid for client in clients for pid in client.backends()])

    def work(number: int, until: float) -> int:
        rng, done = np.random.default_rng(number), 0
        while time.perf_counter() < until:
            case = cases[int(rng.integers(len(cases)))]
            clients[number].search(vectors.questions[case.question], case.caller, K)
            done += 1
        return done

    with ThreadPoolExecutor(count) as pool:

        def together(for_seconds: float) -> int:
            until = time.perf_counter() + for_seconds
            return sum(pool.map(work, range(count), [until] * count))

        together(WARM_SECONDS)
        done = watch.time(lambda: together(seconds))
    for client in clients:
        client.close()
    return 1000 * done / watch.ms, watch.cpu / max(1, done)
