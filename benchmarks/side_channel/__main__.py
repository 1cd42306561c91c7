"""Can a caller tell by the clock how much is hidden? `python -m benchmarks.side_channel --out FOLDER`.

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
import random
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import plots
from benchmarks.machine import load
from benchmarks.side_channel.surfaces import TWINS, Asked, Client, Round, Times, converse, measure, round_of
from benchmarks.side_channel.worlds import library, worlds
from benchmarks.stats import Interval, ks_distance, noise_line, p50_p95, ratio
from benchmarks.tables import Table
from benchmarks.world import ROOT, Db, api_process, database, server

SERVER = Path(__file__).with_name("server.py")
# Pages and statements are counted by an extension; the disk is not waited for.
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "shared_buffers": "512MB",
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
FORGET = "select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)"
COUNT = """
select coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int
from pg_stat_statements s join pg_database d on d.oid = s.dbid join pg_roles r on r.oid = s.userid
where d.datname = current_database() and r.rolname = 'clearance_app'
"""
BEFORE = "before: "
NONE, ABSENT = "none hidden", "absent / hidden"
COUNTED = 3  # rounds whose pages are counted
# Of a surface and a world.
Sample = tuple[str, str]


@dataclass(frozen=True)
class Result:
    """One comparison of one surface: two samples taken in pairs, and what chance gives."""

    surface: str
    between: str
    n: int
    distance: float  # of Kolmogorov and Smirnov
    line: float  # what chance exceeds in 5 % of cases
    twins: float  # the distance of two samples that differ in nothing
    p50_p95: tuple[str, str]
    p50_ratio: Interval
    p95_ratio: Interval
    pages: tuple[int, int]


def main() -> None:
    given = options()
    stock = library(given.visible, max(given.hidden))
    with contextlib.ExitStack() as stack:
        clients: dict[str, Client] = {}
        databases: dict[str, Db] = {}
        keys, made = worlds(database(stack.enter_context(server(SETTINGS)), "world"), stock, given.hidden)
        for label, root in ({"": ROOT} | ({BEFORE: given.before} if given.before else {})).items():
            # Of before, the two ends are enough.
            for name, db in {n: db for n, db in made.items() if not label or n in ("A", largest(made))}.items():
                url, _ = stack.enter_context(api_process(db, ("-P", str(SERVER), "{port}"), root=root))
                clients[label + name] = Client(int(url.rpartition(":")[2]), keys)
                databases[label + name] = db
        for client in clients.values():
            converse(client, stock)
        rng = random.Random(given.seed)
        rounds = [chosen(round_of(stock, rng), given.surfaces) for _ in range(given.warm + given.n)]
        measure(clients, rounds[: given.warm], rng)
        pages = {world: count(client, databases[world], rounds[:COUNTED]) for world, client in clients.items()}
        busy = [load()]
        times = measure(clients, rounds[given.warm :], rng, seconds=60 * given.minutes)
        busy.append(load())
    report(given, times, compared(times, pages), busy)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the figures, the table and the plots")
    add("--n", type=int, default=400, help="requests to each world for each surface")
    add("--minutes", type=float, default=60, help="begin no further round after so long")
    add("--warm", type=int, default=20, help="rounds before them that do not count")
    add("--visible", type=int, default=300, help="visible passages")
    add("--hidden", type=int, nargs="+", default=[1, 10, 100], help="hidden ones for each visible one")
    add("--surfaces", nargs="*", help="those whose names contain one of these; unset: all")
    add("--before", type=Path, help="root of another checkout to compare with")
    add("--seed", type=int, default=1)
    return parser.parse_args()


def chosen(one: Round, surfaces: Collection[str] | None) -> Round:
    """The groups of the surfaces that were asked for."""
    return {g: s for g, s in one.items() if not surfaces or any(part in name for part in surfaces for name in s)}


def count(client: Client, db: Db, rounds: Sequence[Mapping[str, Mapping[str, Asked]]]) -> dict[str, int]:
    """The median of the pages of tables and indexes that PostgreSQL looks at for a request of each surface."""
    seen: dict[str, list[int]] = {}
    with db.admin() as connection:
        connection.execute("create extension if not exists pg_stat_statements")
        for one in rounds:
            for surface, asked in [pair for group in one.values() for pair in group.items()]:
                seen.setdefault(surface, []).append(pages_of(connection, client, asked))
    return {surface: int(statistics.median(pages)) for surface, pages in seen.items()}


def pages_of(connection: psycopg.Connection[Any], client: Client, asked: Asked) -> int:
    connection.execute(FORGET)
    client.send(asked(client))
    (pages,) = connection.execute(COUNT).fetchone() or (0,)
    return int(pages)


def compared(times: Times, pages: Mapping[str, Mapping[str, int]]) -> list[Result]:
    """A against each B on each surface, and hidden against absent in the largest B; before and now by themselves."""
    results = []

    def add(name: str, a: Sample, b: Sample, equal: tuple[Sample, Sample]) -> None:
        """Compare two samples, next to a pair that differs in nothing."""
        first, second, one, other = (times[surface][world] for surface, world in (a, b, *equal))
        p50, p95 = (ratio(second, first, share, paired=True) for share in (0.5, 0.95))
        line, shown = noise_line(len(first), len(second)), (p50_p95(first), p50_p95(second))
        looked_at = (pages[a[1]][a[0]], pages[b[1]][b[0]])
        distance, twins = ks_distance(first, second), ks_distance(one, other)
        results.append(Result(b[0], name, len(first), distance, line, twins, shown, p50, p95, looked_at))

    for surface, by_world in sorted(times.items()):
        for world in sorted(by_world, key=lambda w: (w.startswith(BEFORE), len(w), w)):
            label = BEFORE if world.startswith(BEFORE) else ""
            a = f"{label}A"
            if world.removeprefix(label).startswith("B"):
                equal = ((surface, "A"), (surface, "A'"))
                add(f"{label}{NONE} / {world.split('×')[1]}×", (surface, a), (surface, world), equal)
            if world == largest(by_world, label) and surface in TWINS:
                absent = TWINS[surface]
                add(f"{label}{ABSENT}", (absent, world), (surface, world), ((absent, a), (surface, a)))
    return results


def largest(names: Collection[str], label: str = "") -> str:
    """The world with the most hidden documents."""
    return max((n for n in names if n.startswith(f"{label}B×")), key=lambda n: int(n.split("×")[1]))


def report(given: argparse.Namespace, times: Times, results: Sequence[Result], busy: Sequence[str]) -> None:
    """Write figures, raw times, table and plots; print the table."""
    given.out.mkdir(parents=True, exist_ok=True)
    head = {"visible": given.visible, "hidden": given.hidden, "load": busy, "results": [asdict(r) for r in results]}
    (given.out / "side_channel.json").write_text(json.dumps(head, indent=1) + "\n", "utf-8")
    (given.out / "times_ms.json").write_text(json.dumps(times) + "\n", "utf-8")
    table = Table(
        f"{results[0].n} answers each, {given.visible} visible passages; {' to '.join(busy)}",
        ("surface", "between", "p50 / p95 ms", "p50 / p95 ms", "p50 ratio", "p95 ratio", "KS", "chance 95 %",
         "equal worlds", "pages"),
        [
            (r.surface, r.between, *r.p50_p95, str(r.p50_ratio), str(r.p95_ratio),
             f"{'! ' if r.distance > r.line else ''}{r.distance:.3f}", f"{r.line:.3f}", f"{r.twins:.3f}",
             f"{r.pages[0]} / {r.pages[1]}")
            for r in results
        ],
        left=2,
    )  # fmt: skip
    table.show()
    (given.out / "side_channel.md").write_text(table.markdown(), "utf-8")
    draw(given, times, results)


def draw(given: argparse.Namespace, times: Times, results: Sequence[Result]) -> None:
    """Distances of the largest B by surface."""
    hidden = f"{NONE} / {max(given.hidden)}×"
    marks = {f"{BEFORE}{hidden}": "before", hidden: hidden, ABSENT: ABSENT}
    rows = []
    for surface in sorted(times):
        mine = [r for r in results if r.surface == surface and r.between in marks]
        equal = next(r.twins for r in mine if r.between == hidden)
        rows.append((surface, {marks[r.between]: r.distance for r in mine} | {"two equal worlds": equal}))
    title = f"Telling hidden documents by the clock, n = {results[0].n}"
    x = "Kolmogorov–Smirnov distance of the times (0: the same, 1: told apart by one answer)"
    plots.dots(given.out / "timing_worlds.svg", title, x, rows, band=results[0].line)


if __name__ == "__main__":
    main()
