"""A whole search by its steps, words and meaning, asked by callers who see from all passages to one in a thousand.

    python -m benchmarks.search.whole DATASET … [--n 1000000]

Texts are made of the datasets' passages, vectors of synthetic ones; questions are the datasets'. By the clock and, in
brackets, of processor time, of this process and PostgreSQL: what other work on the machine changes little.
"""

import argparse
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import Database
from app.identity.subject import Subject
from app.indexing.terms import query_terms
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.lexical import load_lists
from app.retrieval.search import FUSION_DEPTH, Query, search
from benchmarks.machine import Stopwatch, load
from benchmarks.search.cases import Caller, visible
from benchmarks.search.library import in_documents, read_source, write_texts
from benchmarks.search.peers.base import Place, serve
from benchmarks.search.peers.product import Product
from benchmarks.search.vectors import Floats, make, sources
from benchmarks.stats import p50_p95
from benchmarks.tables import show

FRACTIONS = (1.0, 0.1, 0.01, 0.001)
HITS, WARM = 10, 5
# Milliseconds by step: by the clock, and of processor time.
Taken = defaultdict[str, list[tuple[float, float]]]
Result = TypeVar("Result")


def main() -> None:
    """Fill the product's tables, ask: a line for each caller."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--n", type=int, default=1_000_000, help="passages")
    parser.add_argument("--questions-each", type=int, default=200)
    given = parser.parse_args()
    source = read_source(given.datasets)
    vectors, documents = in_documents(make(*sources(None, None), given.n))
    with serve() as server, contextlib.closing(Product(Place(server, "product"))) as product:
        began = time.perf_counter()
        product.build(vectors)
        write_texts(product, vectors, documents, source)
        print(f"{vectors.size:,} passages written in {time.perf_counter() - began:.0f} s; {size_of(product)}")
        rng, rows = np.random.default_rng(2), []
        seen = [visible(vectors, fraction, "rand", vectors.questions[0], rng).tolist() for fraction in FRACTIONS]
        product.admit([Caller(number, tuple(scopes)) for number, scopes in enumerate(seen)])
        for caller, fraction in enumerate(FRACTIONS):
            taken = asked(
                product, product.subjects[caller], source.questions[: given.questions_each], vectors.questions
            )
            cells = (f"{p50_p95([t[0] for t in one], 1)} ({p50_p95([t[1] for t in one], 1)})" for one in taken.values())
            rows.append((f"{fraction:.1%}", *cells))
        show(f"a search without embedding its question, ms p50 / p95 (CPU); {load()}", ("visible", *taken), rows)


def size_of(product: Product) -> str:
    """How large the inverted lists are."""
    with product.db.admin() as connection:
        sizes = "select pg_total_relation_size('posting') / (select count(*) from vector_row)"
        return f"inverted lists take {connection.execute(sizes).fetchone()[0]:,} bytes a passage"  # type: ignore[index]


def asked(product: Product, subject: Subject, questions: Sequence[str], vectors: Floats) -> Taken:
    """The same questions for one caller, after some that are not counted."""
    taken, api = Taken(list), product.db.api()
    with api.anonymous() as session:
        watch = Stopwatch([int(session.execute(text("select pg_backend_pid()")).scalar_one())])
    for number, question in enumerate([*questions[:WARM], *questions]):
        if number == WARM:
            taken.clear()
        ask(taken, watch, product, api, subject, Query(question, vectors[number % len(vectors)], HITS))
    api.close()
    return taken


def ask(taken: Taken, watch: Stopwatch, product: Product, api: Database, subject: Subject, query: Query) -> None:
    """One question: its words alone, then the whole search, which reads them again."""

    def step(name: str, call: Callable[[], Result]) -> Result:
        result = watch.time(call)
        taken[name].append((watch.ms, watch.cpu))
        return result

    with contextlib.ExitStack() as stack:
        session = step("open", lambda: stack.enter_context(api.reading(subject.user_id)))
        scopes = step("resolve", lambda: visible_scopes(session, subject))
        words = query_terms(query.text)
        lists = step("words: read", lambda: load_lists(session, scopes, words, visible_corpus(session, scopes)))
        step("words: best", lambda: lists.best(words, FUSION_DEPTH))
        step("search", lambda: search(session, scopes, product.lists, query).best())
    parts = [taken[name][-1] for name in ("open", "resolve", "search")]
    taken["in all"].append((sum(wall for wall, _ in parts), sum(cpu for _, cpu in parts)))


if __name__ == "__main__":
    main()
