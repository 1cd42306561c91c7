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
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from rich.console import Console
from rich.table import Table

from app.db.bootstrap import prepare
from app.local.postgres import EmbeddedPostgres
from tests.laws.worlds import run_worker
from tests.laws.worlds.outcomes import upper_bound
from tests.laws.worlds.run_state import Result, State, Total
from tests.laws.worlds.world import Spec
from tests.support.cluster import FAST, IDENTITY_KEY, PASSWORDS, TEMPLATE
from tests.support.environment import REPOSITORY

MIN_THREATENED = 0.8
PASSWORD = "laws-superuser"  # of a server that lives as long as the run, on loopback
SHOWN = 20  # mismatches; the state file has them all


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    worlds: int
    http: int
    state: Path
    processes: int
    batch: int
    only: str | None

    @property
    def sizes(self) -> dict[str, int]:
        """Worlds of a batch, by phase: what is lost of each process when a run is killed."""
        return {"quick": self.batch, "http": max(1, self.batch // 25)}

    @property
    def wanted(self) -> list[tuple[str, int, int]]:
        """The batches to be done, in order: phase, number, size."""
        counts = {"quick": self.worlds, "http": self.http}
        return [
            (phase, run_worker.FIRST_BATCH + n, size)
            for phase, size in self.sizes.items()
            for n in range(-(-counts[phase] // size))
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, report, and say by the exit code whether all is well."""
    options = _options(arguments)
    # Ended from elsewhere is as good as Ctrl-C, and Ctrl-C counts also where a shell started this in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console()
    options.state.parent.mkdir(parents=True, exist_ok=True)
    with _alone(options.state):
        if options.only is not None:
            with _serving(options.state.with_suffix(".pg")) as server:
                return _one(console, server, Spec.from_json(options.only), over_http=bool(options.http))
        state = State.load(options.state, options.sizes)
        finished = _run(console, options, state)
    _show(console, state)
    if state.mismatches or not _threatening(state):
        return 1
    return 0 if finished else 130


def _run(console: Console, options: Options, state: State) -> bool:
    """Do the batches that are missing; False if it was interrupted."""
    missing = [batch for batch in options.wanted if not state.has(*batch[:2])]
    if not missing:
        return True
    total = sum(size for _, _, size in options.wanted)
    done = total - sum(size for _, _, size in missing)
    code = _code()
    try:
        with (
            _serving(options.state.with_suffix(".pg")) as server,
            _workers(server, options.processes) as pool,
        ):
            for result in _results(pool, missing, options.processes):
                state.add(result, code)
                state.save(options.state)
                done += result.tally.worlds
                console.print(f"{done}/{total} worlds, {len(state.mismatches)} mismatches", highlight=False)
    except KeyboardInterrupt:
        console.print(f"\nInterrupted; the same command goes on. What is done is in {options.state}.")
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
    pool: concurrent.futures.Executor, missing: list[tuple[str, int, int]], processes: int
) -> Iterator[Result]:
    """Results as they come, with no more batches under way than there are processes to do them."""
    waiting = iter(missing)
    running = {pool.submit(run_worker.batch, *b) for _, b in zip(range(processes), waiting, strict=False)}
    while running:
        done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in done:
            if (following := next(waiting, None)) is not None:
                running.add(pool.submit(run_worker.batch, *following))
            yield future.result()


def _show(console: Console, state: State) -> None:
    totals = state.totals()
    table = Table(title="Two worlds", title_justify="left", box=None)
    table.add_column("")
    for phase in totals:
        name = {"quick": "search and prompt", "http": "over HTTP, real embedder"}[phase]
        table.add_column(name, justify="right")
    rows: dict[str, Callable[[Total], str]] = {
        "worlds": lambda t: f"{t.tally.worlds:,}",
        "questions": lambda t: f"{t.tally.questions:,}",
        "threatened": lambda t: f"{t.tally.share:.1%}",
        "answers compared": lambda t: f"{t.compared:,}",
        "worlds that differ": lambda t: f"{t.wrong:,}",
        "share at most (95 %)": lambda t: f"{upper_bound(t.wrong, t.tally.worlds):.2e}",
        "a second and process": lambda t: f"{t.tally.worlds / t.seconds:.1f}",
    }
    for head, cell in rows.items():
        table.add_row(head, *(cell(total) for total in totals.values()))
    console.print(table)
    console.print(f"Versions of the code that did it: {', '.join(sorted(state.codes))}")
    for phase, line in state.mismatches[:SHOWN]:
        over = " --http 1" if phase == "http" else ""
        console.print(f"MISMATCH  python -m tests.laws.run{over} --only '{line}'", markup=False, soft_wrap=True)


def _threatening(state: State) -> bool:
    return all(total.tally.share >= MIN_THREATENED for total in state.totals().values())


def _one(console: Console, server: run_worker.Server, spec: Spec, *, over_http: bool) -> int:
    """Look at one world, and say where it differs."""
    worker = run_worker.Worker(server)
    with worker.stack:
        seen = worker.hear(spec) if over_http else worker.quick.compare(spec)
    for n in seen.differing:
        for name, shown in (("without", seen.bare[n]), ("with", seen.full[n])):
            console.print(f"{n}, {name} the hidden documents: {shown}", markup=False, soft_wrap=True)
    counts = f"{len(seen.bare)} compared, {sum(seen.threatened)} questions threatened, {len(seen.differing)} differ"
    console.print(counts)
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


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.laws.run", description="Two worlds as a law.")
    parser.add_argument("--worlds", type=int, default=100_000, help="through search and prompt, hashed embedder")
    parser.add_argument("--http", type=int, default=0, help="over HTTP, with the real embedder")
    parser.add_argument("--state", type=Path, default=Path(".clearance/laws.json"), help="what is done, for going on")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch", type=int, default=250, help="worlds of a batch; stays as a state began")
    parser.add_argument("--only", metavar="SPEC", help="one world, as a failing one prints it")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
