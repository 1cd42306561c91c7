"""The dense leg of the product by its steps, beside `select 1`.

    python -m benchmarks.lists --embeddings FILE.npy [FILE.npy …] --queries FILE.npy [--n 1000000] [--queries-each 200]

The embeddings are unit vectors of real texts; the world is blended from them. Prints the time of each step and recall
against exact, for callers who see from all to one in ten thousand.
"""

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from pgvector import HalfVector
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.bootstrap import LOGIN_ROLES, prepare
from app.db.session import Database, ReadSession, Signer, connect
from app.identity.authenticate import roles_of
from app.identity.subject import Capability, Label, Subject
from app.indexing.quantizer import Codebook
from app.local.postgres import EmbeddedPostgres
from app.retrieval import dense
from app.retrieval.corpus_size import volume
from app.retrieval.dense import nearest
from app.retrieval.reader import Seen
from app.scope_index.database_reader import StoredCodes
from app.scope_index.index import ScopeLists
from app.scope_index.protocol import NoLists
from benchmarks.lists_world import Caller, write

KEY = "5c" * 32
NAME = "lists"
Vectors = NDArray[np.float32]
SETTINGS = {"shared_buffers": "4GB", "max_wal_size": "8GB", "fsync": "off", "maintenance_work_mem": "1GB"}
console = Console(width=150)
STEPS = ("select 1", "open", "resolve", "scan", "exact step", "nearest", "in all", "exact in Postgres")
# So many questions of each caller are compared with exact: at a million passages that takes a second each.
COMPARED = 50


@dataclass
class Timed:
    """Milliseconds by step, and the shares of the ten and fifty nearest that were found."""

    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    recall: dict[int, list[float]] = field(default_factory=lambda: {10: [], 50: []})
    by: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What happens inside takes its time."""
        started = time.perf_counter()
        yield
        self.steps[name].append((time.perf_counter() - started) * 1e3)

    def cell(self, step: str) -> str:
        """p50 and p95."""
        if step not in self.steps:
            return "–"
        return f"{np.median(self.steps[step]):.2f} / {np.quantile(self.steps[step], 0.95):.2f}"


def main() -> None:
    """Build the world, load the lists, ask."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--embeddings", type=Path, nargs="+", required=True)
    options.add_argument("--queries", type=Path, nargs="+", required=True)
    options.add_argument("--n", type=int, default=1_000_000)
    options.add_argument("--scopes", type=int, default=1_500)
    options.add_argument("--queries-each", type=int, default=200)
    options.add_argument("--depth", type=int, nargs="+", default=[dense.DEPTH])
    given = options.parse_args()
    texts = np.concatenate([np.load(f) for f in given.embeddings])
    queries = np.concatenate([np.load(f) for f in given.queries])[: given.queries_each]
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "pg", password="bench", settings=SETTINGS) as server,
    ):
        admin = server.url("postgres", "bench", "postgres")
        prepare(admin_url=admin, database=NAME, passwords=dict.fromkeys(LOGIN_ROLES, "bench"), identity_key=KEY)
        callers = write(server.url("postgres", "bench", NAME), texts, n=given.n, scopes=given.scopes)
        app, search = (
            connect(server.url(f"clearance_{r}", "bench", NAME), pool_size=1, prepare=True) for r in ("app", "search")
        )
        database = Database(app, Signer(KEY, seconds=60), statement_timeout_ms=60_000)
        book = Codebook(texts.shape[1])
        lists = ScopeLists(StoredCodes(search, book), book)
        before = psutil.Process().memory_info().rss
        started = time.perf_counter()
        lists.load()
        grown = (psutil.Process().memory_info().rss - before) / given.n
        console.print(f"lists loaded in {time.perf_counter() - started:.1f} s, {grown:.0f} bytes of memory a passage")
        touch(database, callers[0], queries[0])
        for depth in given.depth:
            show(database, lists, callers, queries, depth)
        lists.close()
        app.dispose()


def touch(database: Database, caller: Caller, query: Vectors) -> None:
    """Let the connection look at every row once, as one that has served for a while: memory is mapped by then."""
    subject = subject_of(database, caller)
    with database.reading(caller.user) as session:
        visible = visible_scopes(session, subject)
        nearest(Seen(session, visible, volume(session, visible)), NoLists(), query, limit=1)


def show(database: Database, lists: ScopeLists, callers: list[Caller], queries: Vectors, depth: int) -> None:
    """A table with a line for each caller."""
    table = Table(title=f"dense leg, ms p50 / p95, depth {depth}")
    for column in ("visible", "passages", "scopes", *STEPS, "recall@10", "recall@50", "by"):
        table.add_column(column, justify="right")
    for caller in callers:
        timed = Timed()
        subject = subject_of(database, caller)
        for number, query in enumerate(queries):
            with contextlib.ExitStack() as stack:
                with timed.step("open"):
                    session = stack.enter_context(database.reading(caller.user))
                ask(timed, session, subject, lists, query, depth, compare=number < COMPARED)
        recalls = (f"{np.mean(timed.recall[k]):.4f}" for k in (10, 50))
        size = (f"{caller.share:.2%}", f"{caller.passages:,}", str(caller.scopes))
        table.add_row(*size, *map(timed.cell, STEPS), *recalls, ", ".join(sorted(timed.by)))
    console.print(table)


def ask(
    timed: Timed,
    session: ReadSession,
    subject: Subject,
    lists: ScopeLists,
    query: Vectors,
    depth: int,
    *,
    compare: bool,
) -> None:
    """One question, step by step, and the whole of it."""
    with timed.step("select 1"):
        session.execute(text("select 1")).scalar_one()
    with timed.step("resolve"):
        visible = visible_scopes(session, subject)
    seen = Seen(session, visible, volume(session, visible))
    if seen.volume.passages > dense.FEW:
        view = lists.view(seen.volume.snapshot)
        assert view is not None
        with timed.step("scan"):
            deep = dense.depth_of(seen.volume.passages, depth) + dense.SPARE
            near = view.candidates(query, seen.scopes, depth=deep)
        with timed.step("exact step"):
            seen.among_and_fresh(HalfVector(query).to_text(), near.ids.tolist(), view.since, len(query) // 4)
    with timed.step("nearest"):
        got = nearest(seen, lists, query, limit=50, depth=depth)
    timed.by.add(got.by)
    timed.steps["in all"].append(sum(timed.steps[step][-1] for step in ("open", "resolve", "nearest")))
    if compare:
        with timed.step("exact in Postgres"):
            exact = nearest(seen, NoLists(), query, limit=50)
        for k, found in timed.recall.items():
            wanted = {n.chunk_id for n in exact.near[:k]}
            found.append(len(wanted & {n.chunk_id for n in got.near[:k]}) / max(len(wanted), 1))


def subject_of(database: Database, caller: Caller) -> Subject:
    """The caller as the service would know them."""
    with database.reading(caller.user) as session:
        return Subject(
            user_id=caller.user,
            name="caller",
            roles=roles_of(session, caller.user),
            clearance=Label.INTERNAL,
            capabilities=frozenset({Capability.ASK}),
            curates=frozenset(),
            key_id=caller.user,
            key_prefix="",
        )


if __name__ == "__main__":
    main()
