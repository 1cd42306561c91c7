"""Can a caller tell by the clock how much is hidden? `python -m benchmarks.timing_worlds --out FOLDER`.

Worlds that differ in hidden documents alone, each with a server of its own over loopback: A has none, its twin A' has
none either, and each B has so many times the visible volume. One client asks all of them the same, in one random order
a round, so that what else the machine does falls on all alike. For each surface: medians, p95 and their ratios, the
Kolmogorov–Smirnov distance between A and B against the line that chance exceeds in 5 % of cases, and the distance
between A and A', which is chance as it is on this machine. Hidden and absent are compared within one world too.

Pages that PostgreSQL looks at are counted beside: they have no noise.

`--before FOLDER` adds servers that run the `app` of another checkout (of the same revision) over the same databases.
PostgreSQL does not wait for the disk here: waiting would only hide differences.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from app.db.bootstrap import prepare
from app.local.postgres import EmbeddedPostgres
from benchmarks.timing_plot import Row, rows_plot, times_plot
from benchmarks.timing_statistics import Compared, compare
from benchmarks.timing_surfaces import TWINS, Asked, Client, Times, converse, measure, round_of
from benchmarks.timing_work import SETTINGS as COUNTING
from benchmarks.timing_work import Work, count
from benchmarks.timings import load
from tests.support.cluster import AUDIT_KEY, FAST, IDENTITY_KEY, PASSWORDS, Cluster, Db
from tests.support.environment import REPOSITORY, free_port
from tests.support.hidden_volume import library, worlds
from tests.support.processes import is_ready, wait_for

SERVER = Path(__file__).with_name("timing_server.py")
SETTINGS = {
    "CLEARANCE_IDENTITY__KEY": IDENTITY_KEY,
    "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
    "CLEARANCE_EMBEDDER__KIND": "hashed",
    # No limit of ours is measured.
    "CLEARANCE_API__RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BULK_RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BURST": "100000",
    # What differs between two processes by their start alone.
    "PYTHONHASHSEED": "0",
}
PLAIN = ("PATH", "HOME", "LANG", "TMPDIR")
BEFORE = "before: "
NONE, ABSENT = "none hidden", "absent / hidden"
WORK = 3  # rounds whose work is counted
console = Console(width=160)


@dataclass(frozen=True)
class Result:
    """One comparison of one surface."""

    surface: str
    between: str
    twins: float  # the distance of two samples that differ in nothing
    compared: Compared
    work: tuple[Work, Work]


# By surface and world.
Worked = dict[str, dict[str, Work]]


def main() -> None:
    """Make the worlds, ask, compare, write."""
    given = options()
    given.out.mkdir(parents=True, exist_ok=True)
    stock = library(given.visible, max(given.hidden))
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as cluster, contextlib.ExitStack() as stack:
        clients: dict[str, Client] = {}
        databases: dict[str, Db] = {}
        keys, made = worlds(migrated(cluster), stock, given.hidden)
        for label, root in servers(given).items():
            # Of before, the two ends are enough.
            for name, db in {n: db for n, db in made.items() if not label or n in ("A", largest(made))}.items():
                port = stack.enter_context(serving(db, root, given.out / f"{len(clients)}.log"))
                clients[label + name], databases[label + name] = Client(port, keys), db
        for client in clients.values():
            converse(client, stock)
        rng = random.Random(given.seed)
        rounds = [chosen(round_of(stock, rng), given.surfaces) for _ in range(given.warm + given.n)]
        measure(clients, rounds[: given.warm], rng)
        work = count(clients, databases, rounds[:WORK])
        busy = [load()]
        times = measure(clients, rounds[given.warm :], rng, seconds=60 * given.minutes)
        busy.append(load())
    report(given, times, work, busy)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures, the table and the plots")
    parser.add_argument("--n", type=int, default=400, help="requests to each world for each surface")
    parser.add_argument("--minutes", type=float, default=60, help="begin no further round after so long")
    parser.add_argument("--warm", type=int, default=20, help="rounds before them that do not count")
    parser.add_argument("--visible", type=int, default=300, help="visible passages")
    parser.add_argument("--hidden", type=int, nargs="+", default=[1, 10, 100], help="hidden ones for each visible one")
    parser.add_argument("--surfaces", nargs="*", help="those whose names contain one of these; unset: all")
    parser.add_argument("--before", type=Path, help="root of another checkout to compare with")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Cluster]:
    """The server that holds all worlds."""
    settings = {**FAST, **COUNTING, "shared_buffers": "512MB"}
    with EmbeddedPostgres(folder / "pg", password="bench", settings=settings) as server:
        yield Cluster(server, server.url("postgres", "bench", "postgres"))


def migrated(cluster: Cluster) -> Db:
    """An empty database."""
    prepare(admin_url=cluster.admin_url, database="world", passwords=PASSWORDS, identity_key=IDENTITY_KEY)
    return Db(cluster, "world")


def servers(given: argparse.Namespace) -> dict[str, Path]:
    """The checkouts whose `app` is served, by what stands before their worlds' names."""
    return {"": REPOSITORY} | ({BEFORE: given.before} if given.before else {})


@contextlib.contextmanager
def serving(db: Db, root: Path, log: Path) -> Iterator[int]:
    """The port of a server over this database that runs the `app` of the checkout at `root`."""
    port = free_port()
    plain = {name: os.environ[name] for name in PLAIN if name in os.environ}
    environ = {**plain, **SETTINGS, "CLEARANCE_DATABASE__APP_URL": db.url("app"), "PYTHONPATH": str(root)}
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-P", str(SERVER), str(port)], cwd=root, env=environ, stdout=out, stderr=out
        )
        try:
            wait_for(lambda: is_ready(f"http://127.0.0.1:{port}"), seconds=60, message=log.read_text)
            yield port
        finally:
            child.terminate()
            child.wait(20)


def chosen(one: dict[str, dict[str, Asked]], surfaces: Collection[str] | None) -> dict[str, dict[str, Asked]]:
    """The groups of the surfaces that were asked for."""
    return {g: s for g, s in one.items() if not surfaces or any(part in name for part in surfaces for name in s)}


def compared(times: Times, work: Worked) -> list[Result]:
    """A against each B on each surface, and hidden against absent in the largest B; before and now by themselves."""
    rng, results = np.random.default_rng(1), []

    def add(name: str, a: tuple[str, str], b: tuple[str, str], equal: tuple[tuple[str, str], tuple[str, str]]) -> None:
        """Compare two pairs of surface and world, next to a pair that differs in nothing."""
        first, second, one, other = (times[surface][world] for surface, world in (a, b, *equal))
        figures = compare(first, second, rng)
        done = (work[a[0]][a[1]], work[b[0]][b[1]])
        results.append(Result(b[0], name, compare(one, other, rng).distance, figures, done))

    for surface, by_world in sorted(times.items()):
        for world in sorted(by_world, key=lambda w: (w.startswith(BEFORE), len(w), w)):
            label = BEFORE if world.startswith(BEFORE) else ""
            a = f"{label}A"
            if world.removeprefix(label).startswith("B"):
                add(f"{label}{NONE} / {world.split('×')[1]}×", (surface, a), (surface, world), twins(surface))
            if world == largest(by_world, label) and surface in TWINS:
                absent = TWINS[surface]
                add(f"{label}{ABSENT}", (absent, world), (surface, world), ((absent, a), (surface, a)))
    return results


def twins(surface: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Two equal worlds."""
    return (surface, "A"), (surface, "A'")


def largest(names: Collection[str], label: str = "") -> str:
    """The world with the most hidden documents."""
    return max((n for n in names if n.startswith(f"{label}B×")), key=lambda n: int(n.split("×")[1]))


def report(given: argparse.Namespace, times: Times, work: Worked, busy: Sequence[str]) -> None:
    """Write figures, raw times, table and plots; print the table."""
    results = compared(times, work)
    figures = [asdict(r) | {"above": r.compared.above} for r in results]
    n = results[0].compared.n
    head = {"n": n, "visible": given.visible, "hidden": given.hidden, "load": busy}
    (given.out / "timing_worlds.json").write_text(json.dumps(head | {"results": figures}, indent=1) + "\n", "utf-8")
    (given.out / "times_ms.json").write_text(json.dumps(times) + "\n", "utf-8")
    shown = table(results, f"{n} answers each, {given.visible} visible passages; {' to '.join(busy)}")
    console.print(shown)
    with (given.out / "timing_worlds.txt").open("w", encoding="utf-8") as out:
        Console(width=170, file=out).print(shown)
    draw(given, times, results)


def table(results: Sequence[Result], title: str) -> Table:
    """One row a comparison."""
    shown = Table(title=title)
    for name in (
        "surface",
        "between",
        "p50 ms",
        "p95 ms",
        "p50 ratio",
        "p95 ratio",
        "KS",
        "chance 95 %",
        "equal worlds",
    ):
        shown.add_column(name, justify="left" if name in {"surface", "between"} else "right")
    for r in results:
        c = r.compared
        shown.add_row(
            r.surface,
            r.between,
            f"{c.medians[0]:.2f} / {c.medians[1]:.2f}",
            f"{c.p95s[0]:.2f} / {c.p95s[1]:.2f}",
            str(c.median_ratio),
            str(c.p95_ratio),
            f"{'! ' if c.above else ''}{c.distance:.3f}",
            f"{c.line:.3f}",
            f"{r.twins:.3f}",
            f"{r.work[0].pages} / {r.work[1].pages}",
        )
    return shown


def draw(given: argparse.Namespace, times: Times, results: Sequence[Result]) -> None:
    """Distances of the largest B by surface, and the times of the surface that differs most."""
    hidden = f"{NONE} / {max(given.hidden)}×"
    marks = {f"{BEFORE}{hidden}": "before", hidden: hidden, ABSENT: ABSENT}
    rows = []
    for surface in sorted(times):
        mine = [r for r in results if r.surface == surface and r.between in marks]
        equal = next(r.twins for r in mine if r.between == hidden)
        rows.append(Row(surface, {marks[r.between]: r.compared.distance for r in mine}, equal))
    line = results[0].compared.line
    rows_plot(
        given.out / "timing_worlds.svg",
        f"Telling hidden documents by the clock, n = {results[0].compared.n}",
        rows,
        line,
    )
    worst = max((r for r in results if r.between == hidden), key=lambda r: r.compared.distance)
    times_plot(given.out / "timing_worst.svg", f"The surface that differs most: {worst.surface}", times[worst.surface])


if __name__ == "__main__":
    main()
