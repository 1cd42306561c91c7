"""`make laws`: two worlds, a hundred thousand times. Goes on where it was stopped, however it was stopped.

    python -m tests.laws.run --worlds 100000 --http 1000 --state .clearance/laws.json
    python -m tests.laws.run --only '{"salt":…}'        one world alone, as a failing one prints itself

Exit code: 0 if all worlds agree, 1 on a mismatch or if the worlds threaten too little, 130 if it was interrupted.
"""

import argparse
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from psycopg import sql
from rich.console import Console
from rich.table import Table

from app.db.bootstrap import prepare
from app.local.postgres import EmbeddedPostgres
from tests.laws.worlds import run_worker
from tests.laws.worlds.outcomes import Tally, upper_bound
from tests.laws.worlds.world import Spec
from tests.support.cluster import FAST, IDENTITY_KEY, PASSWORDS, TEMPLATE
from tests.support.environment import REPOSITORY

Batch = tuple[str, int, int]  # phase, number, size

MIN_THREATENED = 0.8
PASSWORD = "laws-superuser"  # of a server that lives as long as the run, on loopback
SHOWN = 20  # mismatches of a phase; the state file has them all


@dataclass
class State:
    """Tallies of batches by phase and number, each of `sizes` worlds, with the code that they were done by.

    A batch is in it or not: half a batch is done again.
    """

    path: Path
    sizes: dict[str, int]
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, sizes: dict[str, int]) -> Self:
        """What the file says; nothing done if there is none. Raises ValueError for one that this run cannot go on."""
        value: dict[str, Any] = {"batch_sizes": sizes, "batches": {}}
        if path.exists():
            value = json.loads(path.read_text("utf-8"))
        if value.get("batch_sizes") != sizes:
            raise ValueError(f"{path} is not the state of a run with batches of {sizes}; name another --state")
        return cls(path, sizes, value["batches"])

    def add(self, phase: str, number: int, tally: Tally, code: str) -> None:
        """Take up a batch, and replace the file in one step: a kill at any moment leaves the old or the new one."""
        self.batches[f"{phase}:{number}"] = {"code": code, "tally": asdict(tally)}
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"batch_sizes": self.sizes, "batches": self.batches}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def totals(self) -> dict[str, Tally]:
        totals: dict[str, Tally] = {}
        for name, batch in self.batches.items():
            phase = name.partition(":")[0]
            totals[phase] = totals.get(phase, Tally()) + Tally(**batch["tally"])
        return totals


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, report, and say by the exit code whether all is well."""
    given = _options(arguments)
    # Ended from elsewhere is as good as Ctrl-C, and Ctrl-C counts also where a shell started this in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console()
    given.state.parent.mkdir(parents=True, exist_ok=True)
    # What is lost of each process when a run is killed.
    sizes = {"quick": given.batch, "http": max(1, given.batch // 25)}
    with _alone(given.state):
        if given.only is not None:
            with _serving(given.state.with_suffix(".pg")) as server:
                return _one(console, server, Spec.from_json(given.only), "http" if given.http else "quick")
        state = State.load(given.state, sizes)
        wanted = {"quick": given.worlds, "http": given.http}
        missing = [
            (phase, number, size)
            for phase, size in sizes.items()
            for number in range(-(-wanted[phase] // size))
            if f"{phase}:{number}" not in state.batches
        ]
        finished = not missing or _run(console, state, missing, given.processes)
    totals = state.totals()
    _show(console, state, totals)
    if any(total.wrong or total.share < MIN_THREATENED for total in totals.values()):
        return 1
    return 0 if finished else 130


def _run(console: Console, state: State, missing: list[Batch], processes: int) -> bool:
    """Do the batches that are missing; False if it was interrupted."""
    code = _code()
    left = sum(size for _, _, size in missing)
    try:
        with _serving(state.path.with_suffix(".pg")) as server, _workers(server, processes) as pool:
            for phase, number, tally in _results(pool, missing, processes):
                state.add(phase, number, tally, code)
                left -= tally.worlds
                console.print(f"{left} worlds to go, {len(tally.wrong)} of these differ", highlight=False)
    except KeyboardInterrupt:
        console.print(f"\nInterrupted; the same command goes on. What is done is in {state.path}.")
        return False
    return True


@contextlib.contextmanager
def _workers(server: run_worker.Server, processes: int) -> Iterator[concurrent.futures.Executor]:
    """Processes that are ended, not waited for, when something goes wrong: what they were at is done again."""
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(processes, context, run_worker.begin, (server,))
    try:
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _results(
    pool: concurrent.futures.Executor, missing: list[Batch], processes: int
) -> Iterator[tuple[str, int, Tally]]:
    """Results as they come, with no more batches under way than there are processes to do them."""
    waiting = iter(missing)
    running = {pool.submit(run_worker.batch, *b) for _, b in zip(range(processes), waiting, strict=False)}
    while running:
        done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in done:
            if (following := next(waiting, None)) is not None:
                running.add(pool.submit(run_worker.batch, *following))
            yield future.result()


def _show(console: Console, state: State, totals: dict[str, Tally]) -> None:
    table = Table("", title="Two worlds", title_justify="left", box=None)
    for phase in totals:
        name = {"quick": "search and prompt", "http": "over HTTP, real embedder"}[phase]
        table.add_column(name, justify="right")
    rows: dict[str, Callable[[Tally], str]] = {
        "worlds": lambda t: f"{t.worlds:,}",
        "questions": lambda t: f"{t.questions:,}",
        "threatened": lambda t: f"{t.share:.1%}",
        "answers compared": lambda t: f"{t.compared:,}",
        "worlds that differ": lambda t: f"{len(t.wrong):,}",
        "share at most (95 %)": lambda t: "–" if t.wrong else f"{upper_bound(t.worlds):.2e}",
        "a second and process": lambda t: f"{t.worlds / t.seconds:.1f}",
    }
    for head, cell in rows.items():
        table.add_row(head, *(cell(total) for total in totals.values()))
    console.print(table)
    console.print(f"Versions of the code that did it: {', '.join({b['code'] for b in state.batches.values()})}")
    for phase, total in totals.items():
        over = " --http 1" if phase == "http" else ""
        for line in total.wrong[:SHOWN]:
            console.print(f"MISMATCH  python -m tests.laws.run{over} --only '{line}'", markup=False, soft_wrap=True)


def _one(console: Console, server: run_worker.Server, spec: Spec, phase: str) -> int:
    worker = run_worker.Worker(server)
    with worker.stack:
        seen = worker.compare(phase, spec)
    for n in seen.differing:
        for name, shown in (("without", seen.bare[n]), ("with", seen.full[n])):
            console.print(f"{n}, {name} the hidden documents: {shown}", markup=False, soft_wrap=True)
    console.print(
        f"{len(seen.bare)} compared, {sum(seen.threatened)} questions threatened, {len(seen.differing)} differ"
    )
    return 1 if seen.differing else 0


def _code() -> str:
    """A digest of all that the law is about and of the law itself: results are of one version of the code."""
    digest = hashlib.sha256()
    for folder in ("app", "ingest", "migrations", "tests/laws", "tests/support"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.suffix in {".py", ".sql", ".md"}:
                digest.update(f"{path.relative_to(REPOSITORY)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    """No other run writes the same state."""
    with state.with_suffix(".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another run uses {state}; stop it or name another --state")
        yield


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[run_worker.Server]:
    """A server of this run's own, with a fresh template; what a killed run left is taken over."""
    settings = {**FAST, "autovacuum": "off"}  # the runs sweep for themselves
    with EmbeddedPostgres(folder, password=PASSWORD, settings=settings) as postgres:
        server = run_worker.Server(folder, postgres.port, PASSWORD)
        cluster = server.cluster()
        for name in run_worker.databases(cluster.admin_url):
            cluster.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        prepare(admin_url=cluster.admin_url, database=TEMPLATE, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield server


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.laws.run", description="Two worlds as a law.")
    parser.add_argument("--worlds", type=int, default=100_000, help="through search and prompt, hashed embedder")
    parser.add_argument("--http", type=int, default=0, help="over HTTP, with the real embedder")
    parser.add_argument("--state", type=Path, default=Path(".clearance/laws.json"), help="what is done, for going on")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch", type=int, default=250, help="worlds of a batch; stays as a state began")
    parser.add_argument("--only", metavar="SPEC", help="one world, as a failing one prints it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
