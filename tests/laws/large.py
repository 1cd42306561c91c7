"""Two worlds through the scope lists, at the size where they answer: a thousand visible passages beside none hidden,
as many, and a hundred times as many.

    python -m tests.laws.large [--questions 10000] [--times 1 100]

compares every hit, score, neighbour and prompt of so many questions and prints the table; the suite asks fewer.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import text

from app import log
from app.acl.visible import visible_scopes
from app.db.engine import connect
from app.db.session import Database, Signer
from app.identity.subject import Subject
from app.indexing.quantizer import ProductQuantizer
from app.retrieval import dense
from app.retrieval.neighbors import find_neighbors
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from tests.laws.worlds.savepoint_worlds import Look, look
from tests.support.cluster import FAST, IDENTITY_KEY, Db, database_in
from tests.support.hidden_volume import EMBEDDER, Books, draw_books, worlds
from tests.support.library_db import library_of
from tests.support.sealing import SEALER

VISIBLE = 1_000
# PostgreSQL alone would answer so few; here the lists do.
FEW = 500
SHOWN = 10
# The nearest of all rows: which of them a search without filters would show.
UNFILTERED = text(
    "select c.public_id from vector_row v join chunk c on c.id = v.chunk_id"
    " where vector_dims(v.embedding) > 1 order by v.embedding <#> cast(:query as halfvec) limit :limit"
)


@dataclass
class Side:
    """One world: its database as one database role sees it, its reader, and lists of its own."""

    name: str
    database: Database
    reader: Subject
    lists: ScopeIndex

    def look(self, question: str) -> tuple[Look, tuple[tuple[str, ...], ...]]:
        """What the product shows: hits, scores, prompt; and the texts beside each of the first hits."""
        with self.database.reading(self.reader.user_id) as session:
            visible = visible_scopes(session, self.reader)
            shown = look(session, visible, EMBEDDER, question, self.lists)
            hits = [uuid.UUID(chunk) for chunk, *_ in shown.hits[:SHOWN]]
            found = find_neighbors(session, visible, hits, reach=1)
            return shown, tuple(
                tuple(b.text for b in (*found[hit].before, *found[hit].after)) for hit in hits if hit in found
            )

    def unfiltered(self, question: str) -> set[str]:
        """The ten nearest of all passages, for a database role that sees all."""
        query = str(EMBEDDER.embed_query(question).tolist())
        with self.database.reading(self.reader.user_id) as session:
            return {str(i) for i in session.scalars(UNFILTERED, {"query": query, "limit": SHOWN})}


@contextlib.contextmanager
def side(name: str, db: Db, *, role: str = "app") -> Iterator[Side]:
    """A world, its lists loaded; as `owner` without row-level security."""
    # A service of an earlier test may have left the log with an output that is closed by now.
    log.configure(json=True)
    engine, search = connect(db.url(role), pool_size=1), connect(db.url("search"), pool_size=2)
    book = ProductQuantizer(EMBEDDER.dimensions)
    with contextlib.closing(ScopeIndex(CodeReader(search, book), book)) as lists, library_of(db) as library:
        lists.load()
        reader = library.subject(uuid.UUID(library.text("select id::text from app_user where name = 'reader'")))
        database = Database(engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=60_000, sealer=SEALER)
        try:
            yield Side(name, database, reader, lists)
        finally:
            engine.dispose()


def questions(stock: Books, count: int, *, seed: int = 3) -> list[str]:
    """Questions of three to nine words, most of them from one visible passage."""
    rng = random.Random(seed)
    texts = [i.passage.text for book in stock.visible for i in book.passages]
    made = []
    for _ in range(count):
        words = rng.choice(texts).rstrip(".").split() + rng.choice(texts).split()[:3]
        made.append(f"What is said of {' '.join(rng.sample(words, rng.randint(3, 9)))}?")
    return made


def differing(one: Side, other: Side, asked: Sequence[str]) -> list[str]:
    return [question for question in asked if one.look(question) != other.look(question)]


def threatened(all_of: Side, visible: set[str], asked: Sequence[str]) -> int:
    """To how many questions a search without filters would show a hidden passage."""
    return sum(not all_of.unfiltered(question) <= visible for question in asked)


def names(stock: Books) -> set[str]:
    return {str(uuid.uuid5(book.id, str(o))) for book in stock.visible for o in range(len(book.passages))}


def main() -> None:
    """The law at full size."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--questions", type=int, default=10_000)
    options.add_argument("--times", type=int, nargs="+", default=[1, 100])
    given = options.parse_args()
    console = Console(width=120)
    dense.EXACT_SCAN_LIMIT = FEW
    stock = draw_books(VISIBLE, max(given.times))
    asked = questions(stock, given.questions)
    with tempfile.TemporaryDirectory() as folder, database_in(Path(folder), FAST) as empty:
        _, made = worlds(empty, stock, given.times)
        table = Table("hidden passages", "questions", "would show hidden", "differ", "seconds", title="two worlds")
        failed = 0
        with contextlib.ExitStack() as stack:
            bare = stack.enter_context(side("A", made["A"]))
            for k in given.times:
                full = stack.enter_context(side(f"B×{k}", made[f"B×{k}"]))
                everything = stack.enter_context(side("all", made[f"B×{k}"], role="owner"))
                sample = asked[:200]
                threat = threatened(everything, names(stock), sample) / len(sample)
                started = time.perf_counter()
                told = [q for q in track(asked, console=console) if bare.look(q) != full.look(q)]
                failed += len(told)
                seconds = f"{time.perf_counter() - started:.0f}"
                table.add_row(f"{k * VISIBLE:,}", f"{len(asked):,}", f"{threat:.0%}", str(len(told)), seconds)
                for question in told[:3]:
                    console.print(f"[red]told:[/] {question}")
        console.print(table)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
