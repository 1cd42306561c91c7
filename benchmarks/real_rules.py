"""Access rules of real organisations: `python -m benchmarks.real_rules --data FOLDER [--only NAME] [--sample N]`.

FOLDER holds matrices of users and permissions (`NAME.upa.csv.gz`) with mined roles (`NAME.roles.json.gz`). Each matrix
becomes a database of its own: users with keys, roles, and a document a permission, allowed to the roles that hold it.
Every pair of user and document is put to the oracle, to the API's filter, to the database's function and to a plain
SELECT under row-level security; a seeded sample, half of it visible as far as that goes, to GET /documents/{id}.
"""

import argparse
import csv
import gzip
import json
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from app import log
from app.db.bootstrap import prepare
from app.db.session import Database, Signer, connect
from app.local.postgres import EmbeddedPostgres
from benchmarks.real_rules_times import Times, measure
from benchmarks.scopes import db_vacuum
from benchmarks.timings import load as machine
from benchmarks.timings import p50_p95
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, Db
from tests.support.company import client_of, parts_of
from tests.support.library_db import house_of
from tests.support.mined_roles import Loaded, Matrix, MinedRole, check_user, load, sample

NAMES = ("healthcare", "domino", "emea", "fire1", "americas_small")  # the small ones first
console = Console(width=150)


@dataclass
class Result:
    """What one matrix gave."""

    loaded: Loaded
    load_seconds: float
    wrong: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    asked_visible: int = 0
    answered_wrong: int = 0
    check_seconds: float = 0.0
    times: Times | None = None
    machine: str = ""


def main() -> None:
    """Check all matrices, print; exit with 1 on a mismatch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the matrices")
    parser.add_argument("--only", choices=NAMES, nargs="+", default=list(NAMES), help="some of the matrices")
    parser.add_argument("--sample", type=int, default=20_000, help="pairs asked over HTTP, spread over the matrices")
    parser.add_argument("--rounds", type=int, default=300, help="how often each thing is timed")
    given = parser.parse_args()
    matrices = [read(given.data, name) for name in given.only]
    shares = spread(matrices, given.sample)
    results = []
    with tempfile.TemporaryDirectory() as folder, server_in(Path(folder)) as cluster:
        for matrix in matrices:
            results.append(run(cluster, matrix, shares[matrix.name], given.rounds))
            console.print(checks([results[-1]]))
    console.print(checks(results))
    console.print(timings(results))
    if any(result.wrong or result.answered_wrong for result in results):
        raise SystemExit("Some pairs disagree with the matrix.")


def read(folder: Path, name: str) -> Matrix:
    """A matrix and its roles."""
    may: dict[int, set[int]] = defaultdict(set)
    with gzip.open(folder / f"{name}.upa.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            may[int(row["user"])].add(int(row["permission"]))
    with gzip.open(folder / f"{name}.roles.json.gz", "rt", encoding="utf-8") as text:
        mined = [MinedRole(frozenset(r["users"]), frozenset(r["permissions"])) for r in json.load(text)]
    objects = tuple(sorted(set().union(*may.values())))
    return Matrix(name, {user: frozenset(held) for user, held in may.items()}, objects, tuple(mined))


def spread(matrices: list[Matrix], count: int) -> dict[str, int]:
    """So many pairs in all, as evenly as the matrices have them."""
    shares, left = {}, count
    ordered = sorted(matrices, key=lambda m: m.pairs)
    for number, matrix in enumerate(ordered):
        shares[matrix.name] = min(matrix.pairs, left // (len(ordered) - number))
        left -= shares[matrix.name]
    return shares


@contextmanager
def server_in(folder: Path) -> Iterator[Cluster]:
    """A server of its own, with normal durability."""
    with EmbeddedPostgres(folder / "pg", password="own-superuser") as server:
        yield Cluster(server, server.url("postgres", "own-superuser", "postgres"))


def run(cluster: Cluster, matrix: Matrix, asked: int, rounds: int) -> Result:
    """Load one matrix into a fresh database, check it and time it."""
    name = f"m_{matrix.name}"
    prepare(admin_url=cluster.admin_url, database=name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
    db = Db(cluster, name)
    signer = Signer(IDENTITY_KEY, seconds=60)
    database = Database(connect(db.url("app"), pool_size=2), signer, statement_timeout_ms=60_000)
    with house_of(db) as house:
        began = time.perf_counter()
        with console.status(f"{matrix.name}: loading"):
            loaded = load(house, matrix)
            result = Result(loaded, time.perf_counter() - began)
            db_vacuum(house)
        began = time.perf_counter()
        for user in track(sorted(matrix.may), description=f"{matrix.name}: every pair"):
            result.wrong += check_user(database, loaded, user)
        result.check_seconds = time.perf_counter() - began
        ask(db, result, asked)
        result.times = measure(house, database, loaded, rounds)
        result.machine = machine()
    database.engine.dispose()
    return result


def ask(db: Db, result: Result, count: int) -> None:
    """Open a sample of documents over HTTP: 200 with the document's own words, or 404 without them."""
    loaded = result.loaded
    pairs = sample(loaded.matrix, count, random.Random(3))
    with client_of(parts_of(db)) as client:
        log.configure(json=True, level="WARNING")  # a line for each request would drown the progress
        for user, o, seen in track(pairs, description=f"{loaded.matrix.name}: over HTTP"):
            key = {"Authorization": f"Bearer {loaded.keys[user]}"}
            answer = client.get(f"/api/v1/documents/{loaded.documents[o]}", headers=key)
            right = answer.status_code == (200 if seen else 404) and (f"Record r{o}x " in answer.text) == seen
            result.answered_wrong += not right
    result.asked, result.asked_visible = len(pairs), sum(seen for _, _, seen in pairs)


def checks(results: list[Result]) -> Table:
    """What was loaded and compared."""
    table = Table(title="Every pair of user and document, four ways; a sample over HTTP", show_footer=len(results) > 1)
    pairs, asked = (sum(values) for values in zip(*((r.loaded.matrix.pairs, r.asked) for r in results), strict=True))
    wrong, answered = sum(r.wrong.total() for r in results), sum(r.answered_wrong for r in results)
    footers = {"pairs": f"{pairs:,}", "mismatches": str(wrong), "HTTP": f"{asked:,}", "HTTP wrong": str(answered)}
    columns = ("matrix", "users", "objects", "roles", "roles/user p50, most", "user grants", "scopes", "visible",
               "pairs", "mismatches", "HTTP", "HTTP wrong", "load s", "check s")  # fmt: skip
    for column in columns:
        table.add_column(column, justify="left" if column == "matrix" else "right", footer=footers.get(column, ""))
    for r in results:
        matrix = r.loaded.matrix
        held = Counter(dict.fromkeys(matrix.may, 0))
        held.update(user for role in matrix.roles for user in role.users)
        visible = sum(map(len, matrix.may.values()))
        table.add_row(
            matrix.name,
            f"{len(matrix.may):,}",
            f"{len(matrix.objects):,}",
            str(len(matrix.roles)),
            f"{statistics.median(held.values()):.0f}, {max(held.values())}",
            str(r.loaded.direct),
            f"{len(r.loaded.rules):,}",
            f"{100 * visible / matrix.pairs:.1f} %",
            f"{matrix.pairs:,}",
            str(r.wrong.total()) if not r.wrong else str(dict(r.wrong)),
            f"{r.asked:,} ({r.asked_visible:,} visible)",
            str(r.answered_wrong),
            f"{r.load_seconds:.1f}",
            f"{r.check_seconds:.0f}",
        )
    return table


def timings(results: list[Result]) -> Table:
    """What it takes, p50 / p95 in milliseconds."""
    table = Table(title="p50 / p95, ms; random users")
    table.add_column("matrix")
    for name in Times.__dataclass_fields__:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("machine")
    for r in results:
        assert r.times is not None
        cells = [p50_p95(getattr(r.times, name)) for name in Times.__dataclass_fields__]
        table.add_row(r.loaded.matrix.name, *cells, r.machine)
    return table


if __name__ == "__main__":
    main()
