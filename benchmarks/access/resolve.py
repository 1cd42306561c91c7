"""How long it takes to resolve what a caller with 30 roles may read: `python -m benchmarks.access.resolve`.

10 roles are held, 20 come by nesting, among thousands of scopes with denies, times and labels: `visible_scopes()` of
the API and `clearance.visible_scopes()` of row-level security, each in a transaction of its own on a warm pooled
connection. Both are first held against `decide()`.
"""

import argparse
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track
from sqlalchemy import text

from app.acl.rules import Rule, decide
from app.acl.visible import visible_scopes
from app.db.session import Database, ReadSession
from app.identity.subject import Subject
from benchmarks import plots
from benchmarks.access.rules import mixed
from benchmarks.machine import Stopwatch, load
from benchmarks.tables import show
from benchmarks.world import World, database, server

RESOLVE = text("select clearance.visible_scopes()")
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
CALLERS = 50
PER_ROLE = 5  # scopes; real matrices have one and a half to six (`benchmarks.access.matrices`)
WARM = 30  # rounds that do not count
CHECKED = 250_000  # scopes, times callers


@dataclass(frozen=True)
class Resolved:
    """Milliseconds of each round by what was timed: by the clock, and of processor time."""

    scopes: int
    visible: float
    times: dict[str, list[tuple[float, float]]]

    def quantile(self, name: str, share: float, processor: bool) -> float:
        """Of one thing that was timed."""
        return float(np.quantile([took[processor] for took in self.times[name]], share))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scopes", type=int, nargs="+", default=[500, 5_000, 50_000], help="sizes of the worlds")
    parser.add_argument("--rounds", type=int, default=1_000, help="resolutions of each size")
    parser.add_argument("--plot", type=Path, help="write the curve there, as SVG")
    given = parser.parse_args()
    curve = [resolve(scopes, given.rounds) for scopes in given.scopes]
    kinds = {f"{by} {name}": (q, by == "processor") for by in ("clock", "processor") for name, q in QUANTILES.items()}
    rows = []
    for one in curve:
        for name in one.times:
            figures = (f"{one.quantile(name, *kind):.2f}" for kind in kinds.values())
            rows.append((name, f"{one.scopes:,}", f"{one.visible:,.0f}", *figures))
    title = f"Effective scopes of callers with 30 roles, ms; {load()}"
    show(title, ("what", "scopes", "visible (mean)", *kinds), rows)
    if given.plot:
        draw(curve, given.plot)


def resolve(scopes: int, rounds: int) -> Resolved:
    """Make a world of so many scopes, check it, and time the resolutions of random callers."""
    with server() as running:
        db = database(running)
        world = World(db)
        with world.session() as session:
            people, rules = mixed(session, scopes, callers=CALLERS, per_role=PER_ROLE)
        subjects = [world.subject(user) for user in people]
        world.settle()
        assert all(len(subject.roles) == 30 for subject in subjects)
        api, rng = db.api(), random.Random(2)
        seen = [check(api, rules, subject) for subject in subjects[: max(1, CHECKED // scopes)]]
        times: dict[str, list[tuple[float, float]]] = {}
        for number in track(range(WARM + rounds), description=f"{scopes:,} scopes"):
            for name, took in once(api, rng.choice(subjects)).items() if number >= WARM else ():
                times.setdefault(name, []).append(took)
        api.close()
    return Resolved(scopes, sum(seen) / len(seen), times)


def check(api: Database, rules: Mapping[int, Rule], subject: Subject) -> int:
    """Raise AssertionError unless both filters equal the oracle for this caller; returns how many scopes he sees."""
    with api.reading(subject.user_id) as session:
        here = visible_scopes(session, subject)
        there = session.scalar(RESOLVE)
    oracle = sorted(scope for scope, rule in rules.items() if decide(subject, rule, here.at).allowed)
    assert list(here.scope_ids) == oracle == there, f"{subject.user_id}: the three disagree"
    return len(oracle)


def once(api: Database, subject: Subject) -> dict[str, tuple[float, float]]:
    ways: dict[str, Callable[[ReadSession], object]] = {
        "round trip": lambda session: session.scalar(text("select 1")),
        "Python": lambda session: visible_scopes(session, subject),
        "SQL function": lambda session: session.scalar(RESOLVE),
    }
    took = {}
    with api.reading(subject.user_id) as session:
        watch = Stopwatch([session.scalar(text("select pg_backend_pid()")) or 0])
        for name, way in ways.items():
            watch.time(lambda way=way: way(session))  # type: ignore[misc]
            took[name] = (watch.ms, watch.cpu)
    return took


def draw(curve: list[Resolved], path: Path) -> None:
    """The medians by the clock, and p95 of processor time, over the number of scopes."""
    sizes = [float(one.scopes) for one in curve]
    lines = [
        plots.Line(f"{name}, {words}", sizes, [one.quantile(name, q, processor) for one in curve])
        for name in ("Python", "SQL function")
        for words, q, processor in (("clock, p50", 0.5, False), ("processor, p95", 0.95, True))
    ]
    lines.append(plots.Line("2 ms", [sizes[0], sizes[-1]], [2.0, 2.0], ruler=True))
    title = "Resolving what a caller with 30 roles may read"
    plots.draw(path, title, "scopes in all", "milliseconds", lines, log="xy")


if __name__ == "__main__":
    main()
