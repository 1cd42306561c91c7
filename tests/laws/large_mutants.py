"""The law of `tests.laws.large` must fail where retrieval is built as others build it: a thousand visible passages
beside a hundred thousand hidden ones, and what tells the two worlds apart.

    python -m tests.laws.large_mutants [--questions 300] [--times 100]

Prints how many of the questions differ under each mutation, and under none.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import Engine, text

from app.db.engine import connect
from app.indexing.quantizer import ProductQuantizer
from app.retrieval import dense
from app.retrieval import search as retrieval
from app.retrieval.dense import Nearest, nearest
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries, NoIndex
from app.scope_index.snapshot import Snapshot
from tests.laws.large import FEW, VISIBLE, Side, questions, side
from tests.laws.worlds.search_mutants import THROUGH_HNSW, count_all_rows
from tests.support.cluster import FAST, Db, database_in
from tests.support.hidden_volume import EMBEDDER, draw_books, worlds

SHALLOW = 10
NOTHING: Any = NoIndex()
Vectors = NDArray[np.float32]
# pgvector's own parameters, for everyone's rows; without sorting, the planner must use it.
MAKE_HNSW = (
    f"create index shared_hnsw on vector_row using hnsw ((embedding::halfvec({EMBEDDER.dimensions})) halfvec_ip_ops)"
    f" where vector_dims(embedding) = {EMBEDDER.dimensions}"
)
SETTINGS = {"enable_sort": "off", "hnsw.ef_search": "60", "hnsw.iterative_scan": "relaxed_order"}


class TrainedBook(ProductQuantizer):
    """Sixteen centres for every two dimensions, as k-means finds them in the vectors at hand."""

    def __init__(self, vectors: Vectors) -> None:
        super().__init__(vectors.shape[1])
        self._quantizer = faiss.ProductQuantizer(self.dimensions, self.dimensions // 2, 4)
        self._quantizer.train(self.rotate(vectors))

    @property
    def centroids(self) -> Vectors:
        found: Vectors = faiss.vector_to_array(self._quantizer.centroids).reshape(self.dimensions // 2, 16, 2)
        return found

    def encode(self, vectors: Vectors) -> NDArray[np.uint8]:
        codes: NDArray[np.uint8] = self._quantizer.compute_codes(self.rotate(vectors))
        return codes


class Recoded:
    """A `Source` of all rows, coded by a book that was trained on them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            self._snapshot = Snapshot.parse(connection.execute(text("select pg_current_snapshot()::text")).scalar_one())
            rows = connection.execute(
                text("select chunk_id, scope_id, embedding::text from vector_row where vector_dims(embedding) = :d"),
                {"d": EMBEDDER.dimensions},
            ).all()
        vectors = np.array([np.fromstring(row[2][1:-1], np.float32, sep=",") for row in rows])
        self.book = TrainedBook(vectors)
        ids, scopes = np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.int32)
        self._entries = Entries(ids, scopes, self.book.encode(vectors))

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        del progress
        return self._snapshot, self._entries

    def changes(self, since: Snapshot) -> tuple[Snapshot, Entries]:
        return since, self._entries.pick(np.zeros(len(self._entries), np.bool_))

    def count(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        self._engine.dispose()


@dataclass(frozen=True)
class Town:
    a: Db
    b: Db


Sides = contextlib.AbstractContextManager[tuple[Side, Side]]
Mutation = Callable[[Town, pytest.MonkeyPatch], Sides]


@contextlib.contextmanager
def both(town: Town, *, role: str = "app") -> Iterator[tuple[Side, Side]]:
    """The product in both worlds; in B as this database role."""
    with side("A", town.a) as bare, side("B", town.b, role=role) as full:
        yield bare, full


def shallow(town: Town, patch: pytest.MonkeyPatch) -> Sides:
    """No mutation, but legs so short that what one of them loses the other does not always bring."""

    def few(*given: Any, **options: Any) -> Nearest:
        return nearest(*given, **{**options, "depth": SHALLOW})

    patch.setattr(retrieval, "FUSION_DEPTH", SHALLOW)
    patch.setattr(retrieval, "nearest", few)
    return both(town)


@contextlib.contextmanager
def trained(town: Town, patch: pytest.MonkeyPatch) -> Iterator[tuple[Side, Side]]:
    """The same, by a codebook trained on all rows of its world."""
    with shallow(town, patch) as sides, contextlib.ExitStack() as stack:
        made = []
        for one, db in zip(sides, (town.a, town.b), strict=True):
            source = Recoded(connect(db.url("owner"), pool_size=1))
            lists = stack.enter_context(contextlib.closing(ScopeIndex(source, source.book)))
            lists.load()
            made.append(replace(one, lists=lists))
        yield made[0], made[1]


@contextlib.contextmanager
def hnsw(town: Town, patch: pytest.MonkeyPatch) -> Iterator[tuple[Side, Side]]:
    """One HNSW index over all rows, iterative scan, under row-level security and the filter; legs as long as ours."""
    for db in (town.a, town.b):
        with psycopg.connect(db.libpq("admin"), autocommit=True) as connection:
            connection.execute(MAKE_HNSW)
            for name, value in SETTINGS.items():
                connection.execute(f"alter database {db.name} set {name} = {value}".encode())
    patch.setattr(dense, "NEAREST", THROUGH_HNSW)
    with both(town) as (bare, full):
        yield replace(bare, lists=NOTHING), replace(full, lists=NOTHING)


def counting(statistic: str) -> Mutation:
    def mutation(town: Town, patch: pytest.MonkeyPatch) -> Sides:
        count_all_rows(patch, statistic)
        return both(town, role="owner")

    return mutation


# The last one changes the databases.
MUTATIONS: dict[str, tuple[Mutation, bool]] = {
    "as it is": (lambda town, _patch: both(town), False),
    f"as it is, legs of {SHALLOW}": (shallow, False),
    f"a codebook trained on all rows, legs of {SHALLOW}": (trained, True),
    "BM25's volume over all rows": (counting("volume"), True),
    "BM25's frequencies over all rows": (counting("frequencies"), True),
    "one HNSW index for everyone, under both filters": (hnsw, True),
}


def main() -> None:
    """Ask under each mutation; print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--questions", type=int, default=300)
    options.add_argument("--times", type=int, default=100)
    given = options.parse_args()
    console = Console(width=120)
    dense.EXACT_SCAN_LIMIT = FEW
    stock = draw_books(VISIBLE, given.times)
    asked = questions(stock, given.questions, seed=5)
    table = Table("", "questions", "differ", title=f"{VISIBLE:,} visible beside {given.times * VISIBLE:,} hidden")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, database_in(Path(folder), FAST) as empty:
        _, made = worlds(empty, stock, [given.times])
        town = Town(made["A"], made[f"B×{given.times}"])
        for name, (mutation, shows) in MUTATIONS.items():
            with pytest.MonkeyPatch.context() as patch, mutation(town, patch) as (bare, full):
                told = sum(bare.look(q) != full.look(q) for q in track(asked, name, console=console))
            wrong += (told > 0) != shows
            table.add_row(name, str(len(asked)), str(told))
    console.print(table)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
