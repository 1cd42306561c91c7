"""Effective scopes and what a change of rules writes: `python -m benchmarks.scopes`.

1. How long it takes to resolve what a caller with 30 roles (10 held, 20 by nesting) may read among thousands of scopes
   with denies, times and labels: `visible_scopes()` of the API and `clearance.visible_scopes()` of row-level security,
   each in a transaction of its own on a warm pooled connection. Both are first held against `decide()`.
2. Which rows a re-grant writes: of a shelf of 100,000 passages and of one of 100, counted by PostgreSQL.
3. The same for one document that moves to another rule with its passages, vectors and postings.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import func, select, text

from app.acl.rules import decide
from app.acl.visible import visible_scopes
from app.db.session import Database, Signer, connect
from app.evaluation.plot import Axis, Series, plot
from app.identity.subject import Subject
from benchmarks.scopes_world import SCOPES_PER_ROLE, World, build
from benchmarks.scopes_writes import measure_writes
from benchmarks.timings import Processor, load, quantile
from tests.support.cluster import IDENTITY_KEY, Db, database_in
from tests.support.library_db import House, house_of

RESOLVE = text("select clearance.visible_scopes()")
TRIP = text("select 1")
BACKEND = select(func.pg_backend_pid())
MARKS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
CALLERS = 50
WARM = 30  # rounds that do not count
console = Console(width=130)


class Took(NamedTuple):
    """Milliseconds by the clock, and of processor time on both sides of the connection."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Resolved:
    """Each round for one number of scopes, by what was timed."""

    scopes: int
    visible: float
    times: dict[str, list[Took]]
    load: str


def main() -> None:
    """Measure, print, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scopes", type=int, nargs="+", default=[500, 5_000, 50_000], help="sizes of the worlds")
    parser.add_argument("--rounds", type=int, default=1_000, help="resolutions of each size")
    parser.add_argument("--per-role", type=int, default=SCOPES_PER_ROLE, help="scopes for each role there is")
    parser.add_argument("--chunks", type=int, default=100_000, help="passages on the large shelf; 0: no shelf")
    parser.add_argument("--plot", type=Path, help="write the curve there, as SVG")
    given = parser.parse_args()
    curve = []
    for scopes in given.scopes:
        with tempfile.TemporaryDirectory() as folder, database_in(Path(folder)) as db:
            curve.append(resolve(db, scopes, given.rounds, given.per_role))
    console.print(table(curve))
    if given.plot:
        draw(curve, given.plot)
    if given.chunks:
        with tempfile.TemporaryDirectory() as folder, database_in(Path(folder)) as db, house_of(db) as house:
            console.print(measure_writes(house, database_of(db), given.chunks))


def database_of(db: Db) -> Database:
    """The API's way to it."""
    return Database(connect(db.url("app"), pool_size=2), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=60_000)


def resolve(db: Db, scopes: int, rounds: int, per_role: int) -> Resolved:
    """Build a world of so many scopes, check it, and time the resolutions of random callers."""
    with house_of(db) as house:
        with house.session("owner") as session:
            world = build(session, scopes, callers=CALLERS, per_role=per_role)
        db_vacuum(house)
        subjects = {user: house.subject(user) for user in world.callers}
        assert all(len(s.roles) == 30 for s in subjects.values())
    database = database_of(db)
    seen = [check(database, world, subject) for subject in list(subjects.values())[: max(1, 250_000 // scopes)]]
    times: dict[str, list[Took]] = {"round trip": [], "Python": [], "SQL function": []}
    rng = random.Random(2)
    for number in track(range(WARM + rounds), description=f"{scopes:,} scopes"):
        subject = subjects[rng.choice(world.callers)]
        took = once(database, subject)
        for name in times if number >= WARM else ():
            times[name].append(took[name])
    database.engine.dispose()
    return Resolved(scopes, sum(seen) / len(seen), times, load())


def db_vacuum(house: House) -> None:
    """Statistics and a clean heap, as autovacuum leaves them."""
    with house.engine("admin").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def check(database: Database, world: World, subject: Subject) -> int:
    """Raise AssertionError unless both filters equal the oracle for this caller; returns how many scopes he sees."""
    with database.reading(subject.user_id) as session:
        here = visible_scopes(session, subject)
        there = session.scalar(RESOLVE)
    oracle = sorted(scope for scope, rule in world.rules.items() if decide(subject, rule, here.at).allowed)
    assert list(here.scope_ids) == oracle == there, f"{subject.user_id}: the three disagree"
    return len(oracle)


def once(database: Database, subject: Subject) -> dict[str, Took]:
    """One transaction as this caller."""
    with database.reading(subject.user_id) as session:
        processor = Processor(session.scalars(BACKEND).one())
        return {
            "round trip": timed(processor, lambda: session.scalar(TRIP)),
            "Python": timed(processor, lambda: visible_scopes(session, subject)),
            "SQL function": timed(processor, lambda: session.scalar(RESOLVE)),
        }


def timed(processor: Processor, act: Callable[[], object]) -> Took:
    """Milliseconds by the clock and by the processor."""
    used, began = processor.milliseconds(), time.perf_counter()
    act()
    return Took(1000 * (time.perf_counter() - began), processor.milliseconds() - used)


def table(curve: list[Resolved]) -> Table:
    """One row for each size and each thing timed."""
    shown = Table(title=f"Effective scopes of callers with 30 roles, ms; {curve[-1].load}")
    figures = [f"{by} {mark}" for by in Took._fields for mark in MARKS]
    for column in ("scopes", "visible (mean)", "what", *figures):
        shown.add_column(column, justify="left" if column == "what" else "right")
    for one in curve:
        for name, times in one.times.items():
            cells = [
                f"{quantile(values, share):.2f}" for values in zip(*times, strict=True) for share in MARKS.values()
            ]
            shown.add_row(f"{one.scopes:,}", f"{one.visible:,.0f}", name, *cells)
        shown.add_section()
    return shown


def draw(curve: list[Resolved], path: Path) -> None:
    """The medians by the clock, and p95 of processor time, over the number of scopes."""
    sizes = [float(one.scopes) for one in curve]
    series = []
    for name in ("Python", "SQL function"):
        clock = [quantile([t.clock for t in one.times[name]], 0.5) for one in curve]
        processor = [quantile([t.processor for t in one.times[name]], 0.95) for one in curve]
        series += [
            Series(f"{name}, clock, p50", sizes, clock, points=True, dashed=True),
            Series(f"{name}, processor, p95", sizes, processor, points=True),
        ]
    series.append(Series("2 ms", [sizes[0], sizes[-1]], [2.0, 2.0]))
    title = "Resolving what a caller with 30 roles may read"
    plot(path, title, Axis("scopes in all", log=True), Axis("milliseconds", log=True), series)


if __name__ == "__main__":
    main()
