"""The stages of a run: build, search, write, and the curves over clients, size and hidden volume."""

import argparse
import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import Stopwatch
from benchmarks.search.cases import Caller, Case, make_cases
from benchmarks.search.measure import WARM_UPS, K, measure
from benchmarks.search.peers.base import Batch, NotRun, Peer, Place, Searcher, serve
from benchmarks.search.peers.registry import PEERS, RULERS
from benchmarks.search.results import Cost, Results
from benchmarks.search.vectors import Floats, Vectors, make
from benchmarks.tables import console

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
CURVE_FRACTIONS, CURVE_CELLS = (1.0, 0.1, 0.01), ("100 %", "10 % rand", "1 % rand")
VISIBLE, HIDDEN = 1_000, (0, 1_000, 100_000)  # rows of the curve over the hidden volume
SHORT_SECONDS, MORE = 0.3, 10  # where writing took less, ten times as many rows are written
SCOPE_ROWS = 1_000  # a scope of about this size is taken from a caller and given back
COLD_QUESTIONS = 20
WARM_SECONDS = 0.2  # at most, for each client


@dataclass
class Run:
    """What was asked for, what vectors are made from, and what was measured so far."""

    given: argparse.Namespace
    source: Floats
    questions: Floats
    results: Results

    def main(self, vectors: Vectors, cases: Sequence[Case]) -> None:
        """All peers, interleaved; then clients, the cold start, and what writing costs, which leaves traces."""
        results, curve = self.results, [case for case in cases if case.cell in CURVE_CELLS]
        with self._ready(vectors, cases, results) as (peers, place):
            results.cells = measure(peers, vectors, cases, console.log)
            results.about["load_after"] = os.getloadavg()[0]
            self.save()
            for name, peer in peers.items() if self.given.clients else ():
                console.log(f"clients of {name}")
                results.clients += _clients(name, peer, vectors, curve, self.given)
            for name, peer in peers.items() if self.given.cold else ():
                console.log(f"cold {name}")
                results.cold += _cold(name, peer, vectors, curve, place)
            self.save()
            _measure_writes(peers, vectors, cases, results, rows=self.given.write)
            self.save()

    def hidden(self, vectors: Vectors) -> None:
        """1,000 visible rows beside more and more hidden ones: times, and answers that are not what they were."""
        alone: dict[str, list[list[int]]] = {}
        for count, part, cases in hidden_worlds(vectors, VISIBLE, HIDDEN, 100):
            console.log(f"{VISIBLE:,} visible beside {count:,} hidden")
            with self._ready(part, cases, Results({})) as (peers, _):
                answers = {name: _answers(peer, part, cases) for name, peer in peers.items()}
                alone = alone or answers
                for cell in measure(peers, part, cases, console.log, deep_share=0):
                    pairs = zip(answers[cell.peer], alone[cell.peer], strict=True)
                    row = {"hidden": count, "peer": cell.peer, "ms": cell.ms, "asked": len(cases)}
                    self.results.hidden_volume.append(row | {"changed": sum(now != then for now, then in pairs)})
            self.save()

    def growth(self, sizes: Sequence[int]) -> None:
        """The same questions at several sizes."""
        for size in sizes:
            console.log(f"growth: {size:,} vectors")
            vectors, few = make(self.source, self.questions, size), VISIBLE / size
            fractions = dict.fromkeys((*CURVE_FRACTIONS, few))  # at some size two are the same
            cases = make_cases(vectors, fractions=list(fractions), regimes=("rand",), questions=20)
            built = Results({})
            with self._ready(vectors, cases, built) as (peers, _):
                cells = measure(peers, vectors, cases, console.log, deep_share=0)
            seconds = {cost.peer: cost.build_seconds for cost in built.costs}
            thousand = next(case.cell for case in cases if abs(case.rows - VISIBLE) < VISIBLE / 5)
            for cell in cells:
                row = {"size": size, "peer": cell.peer, "ms": cell.ms, "build_seconds": seconds[cell.peer]}
                names = [cell.cell] * (cell.cell in CURVE_CELLS) + ["1,000 rows"] * (cell.cell == thousand)
                self.results.growth += [row | {"cell": name} for name in names]
            self.save()

    def save(self) -> None:
        self.results.save(self.given.out)

    @contextlib.contextmanager
    def _ready(
        self, vectors: Vectors, cases: Sequence[Case], results: Results
    ) -> Iterator[tuple[dict[str, Peer], Place]]:
        """A server of its own, and the peers that could be built; costs and reasons go to the results."""
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            Path(folder).chmod(0o755)  # PostgreSQL runs as another user than root
            server = stack.enter_context(serve(Path(folder) / "pg", workers=self.given.workers))
            place = Place(Path(folder), server)
            peers: dict[str, Peer] = {}
            for name in self.given.peers:
                console.log(f"building {name}")
                own = Place(place.folder / name, server, place.made)
                own.folder.mkdir()
                try:
                    peers[name] = _built(name, own, vectors, cases, results)
                except NotRun as error:
                    results.not_run[name] = str(error)
                except Exception as error:  # noqa: BLE001  # the edge to other people's software must not end the run
                    results.not_run[name] = f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
                else:
                    stack.callback(peers[name].close)
            self.results.not_run |= results.not_run
            yield peers, place


def _built(name: str, place: Place, vectors: Vectors, cases: Sequence[Case], results: Results) -> Peer:
    """One peer, tried with one search of each cell: what fails there would fail in the middle of a run."""
    peer = PEERS[name](place)
    built = peer.build(vectors)
    peer.admit([case.caller for case in cases])
    client = peer.searcher()
    for case in {case.cell: case for case in cases}.values():
        client.search(vectors.questions[case.question], case.caller, K)
    client.close()
    results.costs.append(Cost(name, peer.name, peer.settings, built.seconds, built.memory, built.disk))
    return peer


def _measure_writes(
    peers: Mapping[str, Peer], vectors: Vectors, cases: Sequence[Case], results: Results, *, rows: int
) -> None:
    """Rows per second with all indexes in place, and a re-grant of a scope."""
    held = [(case.caller, scope) for case in cases for scope in case.caller.scopes]
    caller, scope = min(held, key=lambda pair: abs(int(vectors.volumes[pair[1]]) - SCOPE_ROWS))
    for cost in (cost for cost in results.costs if cost.peer not in RULERS):
        console.log(f"writing to {cost.peer}")
        cost.rows_per_second = _write_rate(peers[cost.peer], vectors, rows)
        if (done := peers[cost.peer].regrant(caller, scope)) is not None:
            cost.regrant_rows, cost.regrant_ms = done[0], 1000 * done[1]


def _write_rate(peer: Peer, vectors: Vectors, rows: int) -> float:
    """Rows per second; ten times as many where the first writing was too short to say."""
    rng, begin, batches, rate = np.random.default_rng(6), vectors.size, [], 0.0
    for count in (rows, MORE * rows):
        like = rng.integers(vectors.size, size=count)
        batches.append(Batch(np.arange(begin, begin + count), vectors.rows[like], vectors.scopes[like]))
        began = time.perf_counter()
        peer.write(batches[-1])
        took = time.perf_counter() - began
        rate, begin = count / took, begin + count
        if took > SHORT_SECONDS:
            break
    for batch in reversed(batches):
        peer.remove(batch)
    return rate


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
            row = {"peer": name, "cell": cell, "clients": count, "per_second": rate, "ceiling": ceiling}
            made.append(row | {"cpu_ms": cpu, "cores": cores})
    return made


def _hammer(peer: Peer, vectors: Vectors, cases: Sequence[Case], count: int, seconds: float) -> tuple[float, float]:
    """Searches per second, and processor milliseconds for each."""
    clients = [peer.searcher() for _ in range(count)]
    for client in clients:
        until = time.perf_counter() + WARM_SECONDS
        for case in cases[:WARM_UPS]:
            if time.perf_counter() < until:
                client.search(vectors.questions[case.question], case.caller, K)
    done, stop, start = [0] * count, threading.Event(), threading.Barrier(count + 1)

    def work(number: int, client: Searcher) -> None:
        rng = np.random.default_rng(number)
        start.wait()
        while not stop.is_set():
            case = cases[int(rng.integers(len(cases)))]
            client.search(vectors.questions[case.question], case.caller, K)
            done[number] += 1

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()

    def wait() -> None:
        start.wait()
        time.sleep(seconds)
        stop.set()
        for thread in threads:
            thread.join()

    watch = Stopwatch([pid for client in clients for pid in client.backends()])
    watch.time(wait)
    for client in clients:
        client.close()
    return 1000 * sum(done) / watch.ms, watch.cpu / max(1, sum(done))


def _cold(name: str, peer: Peer, vectors: Vectors, cases: Sequence[Case], place: Place) -> list[dict[str, Any]]:
    """The first searches after the server was restarted and the kernel was told to forget its files; then warm ones."""
    made: list[dict[str, Any]] = []
    for cell in dict.fromkeys(case.cell for case in cases):
        client = peer.searcher()
        inside_postgres = client.backends()
        client.close()
        if name in RULERS or not inside_postgres:
            return []
        place.server.stop()
        _evict(place.server.folder / "data")
        place.server.start()
        client, watch = peer.searcher(), Stopwatch()
        passes: list[list[float]] = []
        for _ in range(3):
            passes.append([])
            for case in [case for case in cases if case.cell == cell][:COLD_QUESTIONS]:
                watch.time(lambda c=client, a=case: c.search(vectors.questions[a.question], a.caller, K))  # type: ignore[misc]
                passes[-1].append(watch.ms)
        client.close()
        made.append({"peer": name, "cell": cell, "cold_ms": passes[0], "warm_ms": passes[-1]})
    return made


def _evict(folder: Path) -> None:
    """Ask the kernel to forget the pages of all files below the folder. They must be closed."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())  # pages that are not written yet cannot be dropped
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def hidden_worlds(
    vectors: Vectors, visible: int, hidden: Sequence[int], questions: int
) -> Iterator[tuple[int, Vectors, list[Case]]]:
    """The same `visible` rows beside so many hidden ones: one scope is seen, all others are not."""
    rng = np.random.default_rng(8)
    order = rng.permutation(vectors.size)
    for count in hidden:
        rows = order[: visible + count]
        scopes = np.asarray(rng.integers(1, 100, size=len(rows)), np.int32)
        scopes[:visible] = 0
        part = Vectors(vectors.rows[rows], scopes, np.ones(100, np.bool_), vectors.questions)
        asked = len(vectors.questions)
        yield count, part, [Case(f"{count:,} hidden", Caller(n, (0,)), n % asked, visible) for n in range(questions)]


def _answers(peer: Peer, vectors: Vectors, cases: Sequence[Case]) -> list[list[int]]:
    """The ids that each case gets."""
    client = peer.searcher()
    answers = [client.search(vectors.questions[case.question], case.caller, K) for case in cases]
    client.close()
    return answers
