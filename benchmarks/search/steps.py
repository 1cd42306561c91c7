"""A search by its steps, beside `select 1`: the dense leg, and with DATASETs whole searches with their words.

    python -m benchmarks.search.steps [DATASET…] [--embeddings FILE.npy … --questions FILE.npy …] [--n 1000000]

Asked by callers who see from all passages to one in ten thousand. Without datasets the vectors are blended from the
embeddings (or synthetic ones), and recall against exact is printed. Datasets are those of `clearance eval`, with the
embeddings that `benchmarks.search.embed` wrote: their pages are written again and again until there are so many
passages, and their own questions asked.
"""

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pgvector import HalfVector
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import Database, ReadSession
from app.embedding.onnx import OnnxEmbedder
from app.evaluation.datasets import read
from app.identity.subject import Subject
from app.indexing.terms import query_terms
from app.retrieval import dense
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.lexical import match
from app.retrieval.reader import ReaderSnapshot
from app.retrieval.search import FUSION_DEPTH, Query, search
from app.scope_index.protocol import NoIndex
from benchmarks.machine import load
from benchmarks.search.cases import FRACTIONS, Caller, visible
from benchmarks.search.pages import pages_of, spread, write_words
from benchmarks.search.peers.base import Place, serve
from benchmarks.search.peers.product import Product
from benchmarks.search.vectors import Floats, Vectors, make, sources
from benchmarks.stats import p50_p95
from benchmarks.tables import show

COMPARED = 50  # questions of each caller that are compared with exact: at a million passages that takes a second each
DENSE = ("select 1", "open", "resolve", "scan", "exact step", "nearest", "in all", "exact in Postgres")
WHOLE = ("select 1", "embed", "words", "search", "in all")


class Steps:
    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = defaultdict(list)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What happens inside takes its time."""
        began = time.perf_counter()
        yield
        self.taken[name].append((time.perf_counter() - began) * 1e3)

    def sum(self, *names: str) -> None:
        """The last of these steps together are `in all`."""
        self.taken["in all"].append(sum(self.taken[name][-1] for name in names))

    def cells(self, names: Sequence[str]) -> list[str]:
        """p50 and p95 of each."""
        return [p50_p95(self.taken[name]) if name in self.taken else "–" for name in names]


def main() -> None:
    """Fill the product's tables, load the lists, ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("datasets", type=Path, nargs="*")
    add("--embeddings", type=Path, nargs="+", help="needed with datasets: theirs, in the same order")
    add("--questions", type=Path, nargs="+")
    add("--n", type=int, default=1_000_000)
    add("--questions-each", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user than root
        with serve(Path(folder) / "pg") as server:
            product = Product(Place(Path(folder), server))
            if given.datasets:
                whole(product, given)
            else:
                dense_leg(product, given)
            product.close()


def dense_leg(product: Product, given: argparse.Namespace) -> None:
    """A line for each caller, and how much of the exact answer the lists find."""
    vectors = make(*sources(given.embeddings, given.questions), given.n)
    built = product.build(vectors)
    print(f"{vectors.size:,} passages written and loaded in {built.seconds:.0f} s")
    api, rows = product.db.api(), []
    for fraction, caller in admitted(product, vectors):
        steps, subject = Steps(), product.subjects[caller.id]
        recall: dict[int, list[float]] = {10: [], 50: []}
        for number, question in enumerate(vectors.questions[: given.questions_each]):
            with contextlib.ExitStack() as stack:
                with steps.step("open"):
                    session = stack.enter_context(api.reading(subject.user_id))
                ask(steps, session, product, subject, question, recall if number < COMPARED else {})
        found = (f"{np.mean(recall[k]):.4f}" for k in recall)
        rows.append((*size(vectors, fraction, caller), *steps.cells(DENSE), *found))
    api.close()
    columns = ("visible", "passages", "scopes", *DENSE, "recall@10", "recall@50")
    show(f"dense leg, ms p50 / p95, depth {dense.DEFAULT_DEPTH}; {load()}", columns, rows)


def ask(
    steps: Steps,
    session: ReadSession,
    product: Product,
    subject: Subject,
    question: Floats,
    compare: dict[int, list[float]],
) -> None:
    """One question, step by step, and the whole of it; `compare` takes the shares of the nearest that were found."""
    with steps.step("select 1"):
        session.execute(text("select 1")).scalar_one()
    with steps.step("resolve"):
        scopes = visible_scopes(session, subject)
        seen = ReaderSnapshot(session, scopes, visible_corpus(session, scopes))
    if seen.corpus.passages > dense.EXACT_SCAN_LIMIT:
        view = product.lists.view(seen.corpus.snapshot)
        assert view is not None
        deep = dense.effective_depth(seen.corpus.passages, dense.DEFAULT_DEPTH) + dense.OVERFETCH
        with steps.step("scan"):
            near = view.scan(question, seen.scopes, depth=deep)
        with steps.step("exact step"):
            seen.similarities_and_delta(
                HalfVector(question).to_text(), near.ids.tolist(), view.since, len(question) // 4
            )
    with steps.step("nearest"):
        answer = dense.nearest(seen, product.lists, question, limit=50)
    steps.sum("open", "resolve", "nearest")
    if compare:
        with steps.step("exact in Postgres"):
            exact = dense.nearest(seen, NoIndex(), question, limit=50)
        for k, shares in compare.items():
            wanted = {n.chunk_id for n in exact.near[:k]}
            shares.append(len(wanted & {n.chunk_id for n in answer.near[:k]}) / max(len(wanted), 1))


def whole(product: Product, given: argparse.Namespace) -> None:
    """A line for each caller; each question in a transaction of its own, as the service does it."""
    pages = pages_of(given.datasets, given.embeddings or [])
    vectors, scope_of = spread(pages, given.n)
    product.build(vectors)
    write_words(product.db, pages, product.scopes[scope_of])
    asked = [q.text for folder in given.datasets for q in read(folder).answerable().questions]
    chosen = [asked[n] for n in np.random.default_rng(2).permutation(len(asked))[: given.questions_each]]
    api, embedder, rows = product.db.api(), OnnxEmbedder(threads=1), []
    for fraction, caller in admitted(product, vectors):
        steps, subject = Steps(), product.subjects[caller.id]
        for question in chosen:
            search_whole(steps, api, product, embedder, subject, question)
        rows.append((*size(vectors, fraction, caller), *steps.cells(WHOLE)))
    api.close()
    columns = ("visible", "passages", "scopes", *WHOLE)
    show(f"a whole search, ms p50 / p95, {len(chosen)} questions each; {load()}", columns, rows)


def search_whole(
    steps: Steps, api: Database, product: Product, embedder: OnnxEmbedder, subject: Subject, question: str
) -> None:
    """The words of a question alone, then all of it."""
    with api.reading(subject.user_id) as session:
        scopes = visible_scopes(session, subject)
        with steps.step("select 1"):
            session.execute(text("select 1")).scalar_one()
        with steps.step("words"):
            match(session, scopes, query_terms(question), limit=FUSION_DEPTH)
    with steps.step("embed"):
        vector = embedder.embed_query(question)
    with steps.step("search"), api.reading(subject.user_id) as session:
        search(session, visible_scopes(session, subject), product.lists, Query(question, vector, 10)).best()
    steps.sum("embed", "search")


def admitted(product: Product, vectors: Vectors) -> list[tuple[float, Caller]]:
    """A caller for each visible share, over scattered scopes."""
    rng, question = np.random.default_rng(2), vectors.questions[:1].ravel()
    scopes = [visible(vectors, fraction, "rand", question, rng) for fraction in FRACTIONS]
    callers = [Caller(number, tuple(seen.tolist())) for number, seen in enumerate(scopes)]
    product.admit(callers)
    return list(zip(FRACTIONS, callers, strict=True))


def size(vectors: Vectors, fraction: float, caller: Caller) -> tuple[str, str, str]:
    """What a caller sees: the share, passages and scopes."""
    passages = int(vectors.volumes[list(caller.scopes)].sum())
    return f"{fraction:.2%}", f"{passages:,}", str(len(caller.scopes))


if __name__ == "__main__":
    main()
