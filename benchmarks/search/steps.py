"""The dense leg by its steps, beside `select 1`, asked by callers who see from all passages to one in ten thousand.

    python -m benchmarks.search.steps [--embeddings FILE.npy … --questions FILE.npy …] [--n 1000000]

Vectors are blended from the embeddings (synthetic ones without), and recall against exact is printed.
"""

import argparse
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pgvector import HalfVector
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import ReadSession
from app.identity.subject import Subject
from app.retrieval import dense
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.protocol import NoIndex
from benchmarks.machine import load
from benchmarks.search.cases import FRACTIONS, Caller, visible
from benchmarks.search.peers.base import Place, serve
from benchmarks.search.peers.product import Product
from benchmarks.search.vectors import Floats, make, sources
from benchmarks.stats import p50_p95
from benchmarks.tables import show

COMPARED = 50  # questions of each caller that are compared with exact: at a million passages that takes a second each
STEPS = ("select 1", "open", "resolve", "scan", "exact step", "nearest", "in all", "exact in Postgres")
# Milliseconds of each question by step.
Taken = defaultdict[str, list[float]]


def main() -> None:
    """Fill the product's tables, load the lists, ask: a line for each caller."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--embeddings", type=Path, nargs="+")
    add("--questions", type=Path, nargs="+")
    add("--n", type=int, default=1_000_000)
    add("--questions-each", type=int, default=200)
    given = parser.parse_args()
    vectors = make(*sources(given.embeddings, given.questions), given.n)
    rng, rows = np.random.default_rng(2), []
    with serve() as server, contextlib.closing(Product(Place(server, "product"))) as product:
        built = product.build(vectors)
        print(f"{vectors.size:,} passages written and loaded in {built.seconds:.0f} s")
        seen = [visible(vectors, fraction, "rand", vectors.questions[0], rng).tolist() for fraction in FRACTIONS]
        product.admit([Caller(number, tuple(scopes)) for number, scopes in enumerate(seen)])
        api = product.db.api()
        for caller, (fraction, scopes) in enumerate(zip(FRACTIONS, seen, strict=True)):
            taken, subject = Taken(list), product.subjects[caller]
            recall: dict[int, list[float]] = {10: [], 50: []}
            for number, question in enumerate(vectors.questions[: given.questions_each]):
                with contextlib.ExitStack() as stack:
                    with step(taken, "open"):
                        session = stack.enter_context(api.reading(subject.user_id))
                    ask(taken, session, product, subject, question, recall if number < COMPARED else {})
                taken["in all"].append(sum(taken[name][-1] for name in ("open", "resolve", "nearest")))
            times = (p50_p95(taken[name]) if name in taken else "–" for name in STEPS)
            size = (f"{fraction:.2%}", f"{int(vectors.volumes[scopes].sum()):,}", str(len(scopes)))
            rows.append((*size, *times, *(f"{np.mean(recall[k]):.4f}" for k in recall)))
        api.close()
    columns = ("visible", "passages", "scopes", *STEPS, "recall@10", "recall@50")
    show(f"dense leg, ms p50 / p95, depth {dense.DEFAULT_DEPTH}; {load()}", columns, rows)


@contextlib.contextmanager
def step(taken: Taken, name: str) -> Iterator[None]:
    """What happens inside takes its time."""
    began = time.perf_counter()
    yield
    taken[name].append((time.perf_counter() - began) * 1e3)


def ask(
    taken: Taken,
    session: ReadSession,
    product: Product,
    subject: Subject,
    question: Floats,
    compare: dict[int, list[float]],
) -> None:
    """One question, step by step, and the whole of it; `compare` takes the shares of the nearest that were found."""
    with step(taken, "select 1"):
        session.execute(text("select 1")).scalar_one()
    with step(taken, "resolve"):
        scopes = visible_scopes(session, subject)
        seen = ReaderSnapshot(session, scopes, visible_corpus(session, scopes))
    if seen.corpus.passages > dense.EXACT_SCAN_LIMIT:
        view = product.lists.view(seen.corpus.snapshot)
        assert view is not None
        deep = dense.effective_depth(seen.corpus.passages, dense.DEFAULT_DEPTH) + dense.OVERFETCH
        with step(taken, "scan"):
            near = view.scan(question, seen.scopes, depth=deep)
        with step(taken, "exact step"):
            seen.similarities_and_delta(
                HalfVector(question).to_text(), near.ids.tolist(), view.since, len(question) // 4
            )
    with step(taken, "nearest"):
        answer = dense.nearest(seen, product.lists, question, limit=50)
    if compare:
        with step(taken, "exact in Postgres"):
            exact = dense.nearest(seen, NoIndex(), question, limit=50)
        for k, shares in compare.items():
            wanted = {n.chunk_id for n in exact.near[:k]}
            shares.append(len(wanted & {n.chunk_id for n in answer.near[:k]}) / max(len(wanted), 1))


if __name__ == "__main__":
    main()
