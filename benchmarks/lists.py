"""The dense leg of the product by its steps: resolve, volume, follow, scan, exact; beside `select 1`.

    python -m benchmarks.lists --embeddings FILE.npy [FILE.npy …] --queries FILE.npy [--n 1000000] [--queries-each 200]

The embeddings are unit vectors of real texts; the world is blended from them. Prints, for callers who see from all to one
in ten thousand, the time and the CPU of each step, and recall against exact.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.acl.rules import Capability, Label, Subject
from app.acl.subject import roles_of
from app.acl.visible import visible_scopes
from app.db.bootstrap import LOGIN_ROLES, prepare
from app.db.session import Database, Signer, connect
from app.embedding.codebook import Codebook
from app.local.postgres import EmbeddedPostgres
from app.retrieval import dense
from app.retrieval.dense import Seen, nearest
from app.retrieval.lists.protocol import NoLists
from app.retrieval.lists.rows import StoredCodes
from app.retrieval.lists.store import ScopeLists
from app.retrieval.volume import volume
from benchmarks.lists_world import Caller, write

KEY = "5c" * 32
SETTINGS = {"shared_buffers": "4GB", "max_wal_size": "8GB", "fsync": "off", "maintenance_work_mem": "1GB"}
console = Console(width=140)


class Timed:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, list[float]] = defaultdict(list)
        self._mark = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.steps[step].append((now - self._mark) * 1e3)
        self._mark = now

    def start(self) -> None:
        self._mark = time.perf_counter()


def main() -> None:
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
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "pg", password="bench", settings=SETTINGS) as server:
        passwords = dict.fromkeys(LOGIN_ROLES, "bench")
        prepare(admin_url=server.url("postgres", "bench", "postgres"), database="lists", passwords=passwords, identity_key=KEY)
        callers = write(server.url("postgres", "bench", "lists"), texts, n=given.n, scopes=given.scopes)
        database = Database(connect(server.url("clearance_app", "bench", "lists"), pool_size=2), Signer(KEY, seconds=60), statement_timeout_ms=60_000)
        book = Codebook(texts.shape[1])
        lists = ScopeLists(StoredCodes(connect(server.url("clearance_search", "bench", "lists"), pool_size=2), book), book)
        started = time.perf_counter()
        lists.load()
        console.print(f"lists loaded in {time.perf_counter() - started:.1f} s")
        for depth in given.depth:
            show(database, lists, callers, queries, depth)


def show(database: Database, lists: ScopeLists, callers: list[Caller], queries: NDArray[np.float32], depth: int) -> None:
    table = Table(title=f"dense leg, ms p50 / p95, depth {depth}")
    steps = ("select 1", "resolve", "volume", "scan", "nearest", "exact in Postgres")
    for column in ("visible", "passages", "scopes", *steps, "recall@10", "recall@50", "by"):
        table.add_column(column, justify="right")
    for caller in callers:
        timed = Timed()
        found: list[float] = []
        found50: list[float] = []
        by = set()
        subject = subject_of(database, caller)
        for query in queries:
            with database.reading(caller.user) as session:
                timed.start()
                session.execute(text("select 1")).scalar_one()
                timed.lap("select 1")
                visible = visible_scopes(session, subject)
                timed.lap("resolve")
                seen = Seen(session, visible, volume(session, visible))
                timed.lap("volume")
                if seen.volume.passages > dense.FEW:
                    scopes = np.array(visible.scope_ids, np.int32)
                    timed.start()
                    lists.candidates(query, scopes, snapshot=seen.volume.snapshot, depth=depth + dense.SPARE)
                    timed.lap("scan")
                timed.start()
                got = nearest(seen, lists, query, limit=50, depth=depth)
                timed.lap("nearest")
                by.add(got.by)
                if len(found) < 50:
                    timed.start()
                    exact = nearest(seen, NoLists(), query, limit=50)
                    timed.lap("exact in Postgres")
                    want = [n.chunk_id for n in exact.near]
                    have = {n.chunk_id for n in got.near}
                    have10 = {n.chunk_id for n in got.near[:10]}
                    found.append(len(have10 & set(want[:10])) / max(len(want[:10]), 1))
                    found50.append(len(have & set(want)) / max(len(want), 1))
        cells = [f"{np.median(timed.steps[s]):.2f} / {np.quantile(timed.steps[s], 0.95):.2f}" if s in timed.steps else "–" for s in steps]
        table.add_row(f"{caller.share:.2%}", f"{caller.passages:,}", str(caller.scopes), *cells, f"{np.mean(found):.4f}", f"{np.mean(found50):.4f}", ",".join(sorted(by)))
    console.print(table)


def subject_of(database: Database, caller: Caller) -> Subject:
    with database.reading(caller.user) as session:
        return Subject(
            user_id=caller.user, name="caller", roles=roles_of(session, caller.user), clearance=Label.INTERNAL,
            capabilities=frozenset({Capability.ASK}), curates=frozenset(), key_id=caller.user, key_prefix="",
        )


if __name__ == "__main__":
    main()
