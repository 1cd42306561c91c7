"""Can a caller tell by the clock how much is hidden? `python -m benchmarks.side_channel --out FOLDER`.

Worlds that differ in hidden documents alone, each with a server of its own over loopback: A has none, its twin A' has
none either, and each B has so many times the visible volume. One client asks all of them the same, in one random order
a round, so that what else the machine does falls on all alike. For each surface: medians, p95 and their ratios, the
Kolmogorov–Smirnov distance between A and B against the line that chance exceeds in 5 % of cases, and the distance
between A and A', which is chance as it is on this machine. Hidden and absent are compared within one world too.

Pages that PostgreSQL looks at are counted beside: they have no noise. It does not wait for the disk here: waiting would
only hide differences.
"""

import argparse
import contextlib
import json
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import plots
from benchmarks.machine import load
from benchmarks.side_channel.surfaces import TWINS, Asked, Client, Round, Times, converse, measure, round_of
from benchmarks.side_channel.worlds import library, worlds
from benchmarks.stats import Interval, ks_distance, noise_line, p50_p95, ratio
from benchmarks.tables import show
from benchmarks.world import Db, api_process, database, server

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
ABSENT = "absent / hidden"
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

    def cells(self) -> tuple[str, ...]:
        mark = "! " if self.distance > self.line else ""
        distances = (f"{mark}{self.distance:.3f}", f"{self.line:.3f}", f"{self.twins:.3f}")
        ratios = (str(self.p50_ratio), str(self.p95_ratio))
        return (self.surface, self.between, *self.p50_p95, *ratios, *distances, "{} / {}".format(*self.pages))


COLUMNS = (
    *("surface", "between", "p50 / p95 ms", "p50 / p95 ms", "p50 ratio", "p95 ratio"),
    *("KS", "chance 95 %", "equal worlds", "pages"),
)


def main() -> None:
    given = options()
    stock, rng = library(given.visible, max(given.hidden)), random.Random(1)
    with contextlib.ExitStack() as stack:
        keys, made = worlds(database(stack.enter_context(server(SETTINGS)), "world"), stock, given.hidden)
        clients: dict[str, Client] = {}
        for name, db in made.items():
            url, _ = stack.enter_context(api_process(db, "benchmarks.side_channel.server"))
            clients[name] = Client(url, keys)
            converse(clients[name], stock)
        rounds = [round_of(stock, rng) for _ in range(given.warm + given.n)]
        measure(clients, rounds[: given.warm], rng)
        pages = {world: count(client, made[world], rounds[:COUNTED]) for world, client in clients.items()}
        before = load()
        times = measure(clients, rounds[given.warm :], rng, seconds=60 * given.minutes)
    results = compared(times, pages)
    title = f"{results[0].n} answers each, {given.visible} visible passages; {before} to {load()}"
    show(title, COLUMNS, map(Result.cells, results), left=2)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "side_channel.json").write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", "utf-8")
    (given.out / "times_ms.json").write_text(json.dumps(times) + "\n", "utf-8")
    draw(given.out / "timing_worlds.svg", max(given.hidden), results)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the figures and the plot")
    add("--n", type=int, default=400, help="requests to each world for each surface")
    add("--minutes", type=float, default=60, help="begin no further round after so long")
    add("--warm", type=int, default=20, help="rounds before them that do not count")
    add("--visible", type=int, default=300, help="visible passages")
    add("--hidden", type=int, nargs="+", default=[1, 10, 100], help="hidden ones for each visible one")
    return parser.parse_args()


def count(client: Client, db: Db, rounds: Sequence[Round]) -> dict[str, int]:
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
    """A against each B on each surface, and hidden against absent in the largest B."""

    def compare(name: str, a: Sample, b: Sample, equal: tuple[Sample, Sample]) -> Result:
        """Two samples, next to a pair that differs in nothing."""
        first, second, one, other = (times[surface][world] for surface, world in (a, b, *equal))
        p50, p95 = (ratio(second, first, share, paired=True) for share in (0.5, 0.95))
        line, shown = noise_line(len(first), len(second)), (p50_p95(first), p50_p95(second))
        looked_at = (pages[a[1]][a[0]], pages[b[1]][b[0]])
        distance, twins = ks_distance(first, second), ks_distance(one, other)
        return Result(b[0], name, len(first), distance, line, twins, shown, p50, p95, looked_at)

    results = []
    for surface, by_world in sorted(times.items()):
        a, equal = (surface, "A"), ((surface, "A"), (surface, "A'"))
        largest = sorted((world for world in by_world if world.startswith("B")), key=hidden_in)
        results += [compare(f"none hidden / {hidden_in(b)}×", a, (surface, b), equal) for b in largest]
        if surface in TWINS:
            absent, b = TWINS[surface], largest[-1]
            results.append(compare(ABSENT, (absent, b), (surface, b), ((absent, "A"), a)))
    return results


def hidden_in(world: str) -> int:
    """How many documents are hidden in a B for each visible one."""
    return int(world.removeprefix("B×"))


def draw(path: Path, most: int, results: Sequence[Result]) -> None:
    rows: dict[str, dict[str, float]] = {}
    for r in results:
        if r.between == f"none hidden / {most}×":
            rows.setdefault(r.surface, {}).update({r.between: r.distance, "two equal worlds": r.twins})
        elif r.between == ABSENT:
            rows.setdefault(r.surface, {})[ABSENT] = r.distance
    x = "Kolmogorov–Smirnov distance of the times (0: the same, 1: told apart by one answer)"
    plots.dots(path, f"Telling hidden documents by the clock, n = {results[0].n}", x, rows, band=results[0].line)


if __name__ == "__main__":
    main()
