"""The stages of a run, in order: build, search, write, curves. Each saves what it found."""

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console

from benchmarks.retrieval.build import build_all, measure_writes
from benchmarks.retrieval.cases import Case, make_cases
from benchmarks.retrieval.curves import answers_of, clients_curve, cold, hidden_worlds, in_postgres
from benchmarks.retrieval.measure import Plan, measure
from benchmarks.retrieval.peers.registry import FLOOR, YARDSTICK
from benchmarks.retrieval.postgres import Server, serve
from benchmarks.retrieval.protocol import Place, Retriever
from benchmarks.retrieval.results import Results, load
from benchmarks.retrieval.world import World

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
CURVE_FRACTIONS = (1.0, 0.1, 0.01)
CURVE_CELLS = ("100 %", "10 % rand", "1 % rand")
VISIBLE = 1_000  # rows that the caller of the hidden-volume curve sees
HIDDEN = (0, 1_000, 100_000)
RULERS = (FLOOR, YARDSTICK)
SHALLOW = Plan(deep_share=0.0)


@dataclass
class Run:
    """What was asked for, how to make worlds of other sizes, and what was found so far."""

    given: argparse.Namespace
    make: Callable[[int], World]
    results: Results
    console: Console

    def main(self, world: World, cases: Sequence[Case]) -> None:
        """All peers, interleaved; then what writing costs."""
        with self._ready(world, cases, self.given.peers, self.results) as (ready, _):
            self.results.cells = measure(ready, world, cases, Plan(), self._searched)
            self.results.about["load_after"] = os.getloadavg()[0]
            self.save()
            measure_writes(ready, world, cases, self.results, rows=self.given.write, tell=self.console.log)
            self.save()

    def clients(self, world: World, cases: Sequence[Case]) -> None:
        """Throughput by clients."""
        self.results.clients = []
        inside = _curve_cases(cases)
        with self._ready(world, cases, self._curve_peers(), Results({})) as (ready, _):
            for name, peer in ready.items():
                self.console.log(f"clients of {name}")
                made = clients_curve(name, peer, world, inside, self.given.clients, self.given.seconds)
                self.results.clients += made
                self.save()

    def cold(self, world: World, cases: Sequence[Case]) -> None:
        """First searches, of the peers inside PostgreSQL."""
        self.results.cold = []
        with self._ready(world, cases, self._curve_peers(), Results({})) as (ready, server):
            for name, peer in ready.items():
                if name not in RULERS and in_postgres(peer):
                    self.console.log(f"cold {name}")
                    self.results.cold += cold(name, peer, world, _curve_cases(cases), server)
                    self.save()

    def growth(self) -> None:
        """The same questions at several sizes, in worlds of their own."""
        self.results.growth = []
        for size in self.given.growth or SIZES:
            self.console.log(f"growth: {size:,} vectors")
            world = self.make(size)
            cases = make_cases(world, fractions=(*CURVE_FRACTIONS, VISIBLE / size), regimes=("rand",), questions=20)
            # At some size both are the same share.
            cases = list({(case.cell, case.question): case for case in cases}.values())
            found = Results({})
            with self._ready(world, cases, self._curve_peers(), found) as (ready, _):
                cells = measure(ready, world, cases, SHALLOW, self._searched)
            builds = {cost.peer: cost.build_seconds for cost in found.costs}
            thousand = next(case.cell for case in reversed(cases))
            for cell in cells:
                row = {"size": size, "peer": cell.peer, "ms": cell.ms, "build_seconds": builds[cell.peer]}
                row |= {"cell": cell.cell, "recall": _average(cell.recall)}
                self.results.growth += [row] if cell.cell in CURVE_CELLS else []
                self.results.growth += [row | {"cell": "1,000 rows"}] if cell.cell == thousand else []
            self.save()

    def hidden(self, world: World) -> None:
        """1,000 visible rows beside more and more hidden ones: times, and answers that are not what they were."""
        self.results.hidden_volume = []
        alone: dict[str, list[list[int]]] = {}
        for count, part, cases in hidden_worlds(world, VISIBLE, HIDDEN, 100):
            self.console.log(f"{VISIBLE:,} visible beside {count:,} hidden")
            with self._ready(part, cases, self._curve_peers(), Results({})) as (ready, _):
                answers = {name: answers_of(peer, part, cases) for name, peer in ready.items()}
                alone = alone or answers
                for cell in measure(ready, part, cases, SHALLOW, self._searched):
                    pairs = zip(answers[cell.peer], alone[cell.peer], strict=True)
                    row = {"hidden": count, "peer": cell.peer, "ms": cell.ms, "cpu": cell.cpu}
                    row |= {"recall": _average(cell.recall), "changed": sum(now != then for now, then in pairs)}
                    self.results.hidden_volume.append(row | {"asked": len(cases)})
            self.save()

    def save(self) -> None:
        """What is known so far."""
        self.results.save(self.given.out)

    def _searched(self, done: int, of: int) -> None:
        if done % 1_000 == 0:
            self.console.log(f"searched {done} of {of}")

    def _curve_peers(self) -> list[str]:
        return list(dict.fromkeys([*RULERS, *(self.given.curve_peers or self.given.peers)]))

    @contextlib.contextmanager
    def _ready(
        self, world: World, cases: Sequence[Case], names: Sequence[str], results: Results
    ) -> Iterator[tuple[dict[str, Retriever], Server]]:
        """A server and built peers, in the folder of this world."""
        folder = self.given.cache / world.digest
        folder.mkdir(parents=True, exist_ok=True)
        with serve(folder / "pg", workers=self.given.workers) as server:
            with server.owner() as connection:
                versions = (
                    "select current_setting('server_version'), extversion from pg_extension where extname = 'vector'"
                )
                postgres, vector = connection.execute(versions).fetchone() or ("", "")
            self.results.about |= {"postgres": postgres, "pgvector": vector}
            ready = build_all(names, world, cases, Place(folder, server), results, tell=self.console.log)
            self.results.not_run |= results.not_run
            try:
                yield ready, server
            finally:
                for peer in ready.values():
                    peer.close()


def resume(results: Results, earlier: Results) -> None:
    """Keep what an earlier run of the same world measured."""
    if results.about["world"] != earlier.about["world"]:
        raise SystemExit("the file of results is of another world; name another one with --out")
    results.about = earlier.about
    results.cells, results.costs = earlier.cells, earlier.costs
    results.growth, results.clients = earlier.growth, earlier.clients
    results.cold, results.hidden_volume = earlier.cold, earlier.hidden_volume


def earlier_or_none(given: argparse.Namespace) -> Results | None:
    """What --out holds, if the main stage is to be skipped."""
    return load(given.out) if given.skip_main and given.out.exists() else None


def _curve_cases(cases: Sequence[Case]) -> list[Case]:
    """Of three shares; of all where there are none such (a real matrix)."""
    return [case for case in cases if case.cell in CURVE_CELLS] or list(cases)


def _average(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
