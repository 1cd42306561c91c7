"""A whole search at size, and its parts: embedding, words, and all of it from the rules to the texts of the hits.

    python -m benchmarks.hybrid DATASET… --embeddings FILE.npy… [--n 1000000] [--questions-each 100]

The datasets are those of `clearance eval`; `benchmarks.retrieval.embed` writes their embeddings. Their pages are
written again and again until there are so many passages, and their questions asked, one at a time, by callers who see
from all to one in ten thousand.
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
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.bootstrap import LOGIN_ROLES, prepare
from app.db.session import Database, Signer, connect
from app.embedding.onnx import OnnxEmbedder
from app.evaluation.datasets import read
from app.indexing.quantizer import Codebook
from app.indexing.terms import query_terms
from app.local.postgres import EmbeddedPostgres
from app.retrieval.lexical import match
from app.retrieval.search import DEPTH, Query, search
from app.scope_index.database_reader import StoredCodes
from app.scope_index.index import ScopeLists
from benchmarks.hybrid_world import pages_of, write
from benchmarks.lists import KEY, SETTINGS, subject_of
from benchmarks.lists_world import Caller

NAME = "hybrid"
STEPS = ("select 1", "embed", "words", "search", "in all")
console = Console(width=140)


@dataclass
class Steps:
    """Milliseconds by step."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What happens inside takes its time."""
        started = time.perf_counter()
        yield
        self.taken[name].append((time.perf_counter() - started) * 1e3)

    def cell(self, name: str) -> str:
        """p50 and p95."""
        return " / ".join(f"{np.quantile(self.taken[name], share):.1f}" for share in (0.5, 0.95))


def main() -> None:
    """Build the world, load the lists, ask."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("datasets", type=Path, nargs="+")
    options.add_argument("--embeddings", type=Path, nargs="+", required=True)
    options.add_argument("--n", type=int, default=1_000_000)
    options.add_argument("--scopes", type=int, default=1_500)
    options.add_argument("--questions-each", type=int, default=100)
    given = options.parse_args()
    pages = pages_of(given.datasets, given.embeddings)
    asked = [q.text for folder in given.datasets for q in read(folder).answerable().questions]
    chosen = np.random.default_rng(2).permutation(len(asked))[: given.questions_each]
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "pg", password="bench", settings=SETTINGS) as server,
    ):
        admin = server.url("postgres", "bench", "postgres")
        prepare(admin_url=admin, database=NAME, passwords=dict.fromkeys(LOGIN_ROLES, "bench"), identity_key=KEY)
        callers = write(server.url("postgres", "bench", NAME), pages, n=given.n, scopes=given.scopes)
        app, codes = (server.url(f"clearance_{role}", "bench", NAME) for role in ("app", "search"))
        engine = connect(app, pool_size=1, prepare=True)
        database = Database(engine, Signer(KEY, seconds=60), statement_timeout_ms=60_000)
        book = Codebook(pages.vectors.shape[1])
        with contextlib.closing(ScopeLists(StoredCodes(connect(codes, pool_size=1), book), book)) as lists:
            lists.load()
            show(database, lists, callers, [asked[n] for n in chosen])
        engine.dispose()


def show(database: Database, lists: ScopeLists, callers: list[Caller], questions: list[str]) -> None:
    """A table with a line for each caller."""
    embedder = OnnxEmbedder(threads=1)
    table = Table(title=f"a whole search, ms p50 / p95, {len(questions)} questions each")
    for column in ("visible", "passages", "scopes", *STEPS):
        table.add_column(column, justify="right")
    for caller in callers:
        steps = Steps()
        for question in questions:
            ask(steps, database, lists, embedder, caller, question)
        table.add_row(f"{caller.share:.2%}", f"{caller.passages:,}", str(caller.scopes), *map(steps.cell, STEPS))
    console.print(table)


def ask(
    steps: Steps, database: Database, lists: ScopeLists, embedder: OnnxEmbedder, caller: Caller, question: str
) -> None:
    """One question: its words alone, then all of it in a transaction of its own, as the service does it."""
    subject = subject_of(database, caller)
    with database.reading(caller.user) as session:
        visible = visible_scopes(session, subject)
        with steps.step("select 1"):
            session.execute(text("select 1")).scalar_one()
        with steps.step("words"):
            match(session, visible, query_terms(question), limit=DEPTH)
    with steps.step("embed"):
        vector = embedder.embed_query(question)
    with steps.step("search"), database.reading(caller.user) as session:
        search(session, visible_scopes(session, subject), lists, Query(question, vector), limit=10)
    steps.taken["in all"].append(steps.taken["embed"][-1] + steps.taken["search"][-1])


if __name__ == "__main__":
    main()
