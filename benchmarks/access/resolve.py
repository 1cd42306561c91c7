"""How long it takes to resolve what a caller with 30 roles may read: `python -m benchmarks.access.resolve`.

10 roles are held, 20 come by nesting, among thousands of scopes with denies, times and labels: `visible_scopes()` of
the API and `clearance.visible_scopes()` of row-level security, each in a transaction of its own on a warm pooled
connection. (That both equal `decide()` holds `tests/laws/test_n0_rules_equal_sql.py`.)
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import Database, ReadSession
from app.identity.subject import Subject
from benchmarks.access.rules import mixed
from benchmarks.machine import Stopwatch, load
from benchmarks.plots import draw
from benchmarks.tables import show
from benchmarks.world import World, database, server

RESOLVE = text("select clearance.visible_scopes()")
CALLERS = 50
PER_ROLE = 5  # scopes; matrices of real organisations have one and a half to six
WARM = 30  # rounds that do not count
# Milliseconds by what was timed, shape (rounds, 2): by the clock, and of processor time.
Times = dict[str, NDArray[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scopes", type=int, nargs="+", default=[500, 5_000, 50_000], help="sizes of the worlds")
    parser.add_argument("--rounds", type=int, default=1_000, help="resolutions of each size")
    parser.add_argument("--plot", type=Path, help="write the curve there, as SVG")
    given = parser.parse_args()
    rows, lines = [], defaultdict[str, list[float]](list)
    for scopes in given.scopes:
        visible, times = resolve(scopes, given.rounds)
        for name, took in times.items():
            clock, processor = np.quantile(took, (0.5, 0.95, 0.99), axis=0).T
            rows.append((name, f"{scopes:,}", f"{visible:,.0f}", *(f"{ms:.2f}" for ms in (*clock, *processor))))
            lines[f"{name}, clock, p50"].append(clock[0])
            lines[f"{name}, processor, p95"].append(processor[1])
    quantiles = (f"{by} {name}" for by in ("clock", "processor") for name in ("p50", "p95", "p99"))
    title = f"Effective scopes of callers with 30 roles, ms; {load()}"
    show(title, ("what", "scopes", "visible (mean)", *quantiles), rows)
    if given.plot:
        labels = ("Resolving what a caller with 30 roles may read", "scopes in all", "milliseconds")
        curves = {name: (given.scopes, ms) for name, ms in lines.items() if "round trip" not in name}
        draw(given.plot, labels, curves, rulers={"2 ms": 2.0}, log="xy")


def resolve(scopes: int, rounds: int) -> tuple[float, Times]:
    """Make a world of so many scopes and time the resolutions of random callers; first, how many they see."""
    with server() as running:
        db = database(running)
        world = World(db)
        with world.session() as session:
            people = mixed(session, scopes, callers=CALLERS, per_role=PER_ROLE)
        subjects = [world.subject(user) for user in people]
        world.settle()
        assert all(len(subject.roles) == 30 for subject in subjects)
        api, rng = db.api(), random.Random(2)
        seen = [visible(api, subject) for subject in subjects]
        every = [once(api, rng.choice(subjects)) for _ in track(range(WARM + rounds), description=f"{scopes:,} scopes")]
        api.close()
    return sum(seen) / len(seen), {name: np.array([took[name] for took in every[WARM:]]) for name in every[0]}


def visible(api: Database, subject: Subject) -> int:
    with api.reading(subject.user_id) as session:
        return len(visible_scopes(session, subject).scope_ids)


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


if __name__ == "__main__":
    main()
