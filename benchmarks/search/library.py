"""Passages with words for the vectors of a benchmark, written past the worker: a million in some minutes.

Each is made of a dataset's passage and of the one behind it, so that words stand together as in prose; rare words are
drawn from a dozen variants, so that a larger library has more of them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from app.evaluation.layouts import read
from app.indexing.postings import MAX_LENGTH, STORED_DTYPE, pack
from app.indexing.terms import field_terms
from benchmarks.search.bulk import copy_rows, copy_tuples
from benchmarks.search.peers.product import ALONE, COLLECTION, FIRST, Product
from benchmarks.search.vectors import Vectors
from benchmarks.world import EMBEDDER
from ingest.document import DocumentPassage
from ingest.extract import extract
from ingest.split import split

PER_DOCUMENT = 10  # passages
BLOCK = 2_000  # documents written at once
VARIANTS, RARE = 12, 2  # of a term that stands in at most RARE of the dataset's passages
TABLES = ("posting", "chunk", "original", "document")
INDEXES = {
    "posting_term_scope_id_idx": "posting (term, scope_id) include (entries)",
    "posting_document_id_idx": "posting (document_id)",
}

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """A dataset's passages: text, and terms with their packed counts, each (n,); and its questions."""

    texts: Sequence[str]
    terms: Sequence[Integers]
    counts: Sequence[Integers]
    rare: Sequence[NDArray[np.bool_]]
    questions: Sequence[str]


def read_source(folders: Sequence[Path]) -> Source:
    """The passages of datasets as `clearance eval` reads them."""
    passages: list[DocumentPassage] = []
    questions: list[str] = []
    for folder in folders:
        dataset = read(folder)
        questions += [question.text for question in dataset.questions]
        for page in dataset.pages:
            passages += split(extract(page.content, filename=page.path.rsplit("/", 1)[-1]), counter=EMBEDDER)
    found = [field_terms(p.title, p.heading_path, p.text).counts for p in passages]
    seen = Counter(term for counts in found for term in counts)
    return Source(
        [p.text for p in passages],
        [np.array(list(counts), np.int64) for counts in found],
        [np.array([pack(0, c, 0) for c in counts.values()], np.int64) for counts in found],
        [np.array([seen[term] <= RARE for term in counts], np.bool_) for counts in found],
        questions,
    )


def in_documents(vectors: Vectors) -> tuple[Vectors, Integers]:
    """The vectors in the order of documents of one scope each, these in random order; and the document of each."""
    rng = np.random.default_rng(5)
    order = np.argsort(vectors.scopes, kind="stable")
    scopes = vectors.scopes[order]
    first = np.searchsorted(scopes, scopes)
    numbers = scopes * np.int64(vectors.size) + (np.arange(len(order)) - first) // PER_DOCUMENT
    _, document = np.unique(numbers, return_inverse=True)
    document = rng.permutation(int(document.max()) + 1)[document]
    again = np.argsort(document, kind="stable")
    order = order[again]
    return replace(vectors, rows=vectors.rows[order], scopes=vectors.scopes[order]), document[again] + FIRST


def write_texts(product: Product, vectors: Vectors, documents: Integers, source: Source) -> None:
    """Documents, passages and inverted lists for vectors that the product holds already."""
    rng = np.random.default_rng(6)
    scopes = product.scopes[vectors.scopes]
    edges = np.searchsorted(documents, np.arange(FIRST, int(documents[-1]) + 2))
    with product.db.admin() as connection:
        connection.execute(ALONE)
        for name in INDEXES:
            connection.execute(f"drop index {name}".encode())
        for begin in range(0, len(edges) - 1, BLOCK):
            end = min(begin + BLOCK, len(edges) - 1)
            rows = slice(int(edges[begin]), int(edges[end]))
            _write_block(
                connection, np.arange(rows.start, rows.stop) + FIRST, documents[rows], scopes[rows], source, rng
            )
        for name, columns in INDEXES.items():
            connection.execute(f"create index {name} on {columns}".encode())
        for table in TABLES:
            connection.execute(f"vacuum analyze {table}".encode())


def _write_block(
    connection: psycopg.Connection[Any],
    chunks: Integers,
    documents: Integers,
    scopes: NDArray[np.int32],
    source: Source,
    rng: np.random.Generator,
) -> None:
    starts = np.flatnonzero(np.diff(documents, prepend=-1))
    ordinals = np.arange(len(chunks)) - np.repeat(starts, np.diff(np.append(starts, len(chunks))))
    base = np.repeat(rng.integers(len(source.texts), size=len(starts)), np.diff(np.append(starts, len(chunks))))
    picked = (base + ordinals) % len(source.texts)
    owner = [(int(documents[n]), int(scopes[n])) for n in starts]
    copy_tuples(
        connection,
        "document (id, collection_id, scope_id, path, media_type, size, sha256, version)",
        ((d, COLLECTION, s, f"{d}.md", "text/plain", 1, b"", 1) for d, s in owner),
    )
    copy_tuples(
        connection, "original (document_id, scope_id, title, content)", ((d, s, f"Page {d}", b"") for d, s in owner)
    )
    copy_tuples(
        connection,
        "chunk (id, document_id, scope_id, ordinal, heading_path, text, tokens)",
        (
            (int(c), int(d), int(s), int(o), "{}", f"{source.texts[p]} {c}", 160)
            for c, d, s, o, p in zip(chunks, documents, scopes, ordinals, picked, strict=True)
        ),
    )
    made = [_entries(source, int(p), int(c), rng) for p, c in zip(picked, chunks, strict=True)]
    terms, entries = (np.concatenate(part) for part in zip(*made, strict=True))
    at = np.repeat(np.arange(len(chunks)), [len(found) for found, _ in made])
    for columns in _rows(terms, entries, documents[at], scopes[at]):
        copy_rows(connection, "posting (term, document_id, scope_id, entries)", columns)


def _entries(source: Source, picked: int, chunk: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """The terms of a passage and their packed entries: three quarters of one of the source's, a quarter of the next."""
    terms, counts = [], []
    variant = int(rng.integers(VARIANTS))
    for number, share in ((picked, 0.75), ((picked + 1) % len(source.texts), 0.25)):
        kept = rng.random(len(source.terms[number])) < share
        terms.append(np.where(source.rare[number], source.terms[number] ^ variant, source.terms[number])[kept])
        counts.append(source.counts[number][kept])
    found, first = np.unique(np.concatenate(terms), return_index=True)
    packed = np.concatenate(counts)[first]
    length = min(int((packed >> 11 & 127).sum()), MAX_LENGTH)
    return found, chunk << 25 | packed | length


def _rows(
    terms: Integers, entries: Integers, documents: Integers, scopes: NDArray[np.int32]
) -> Iterator[list[NDArray[Any]]]:
    """The rows of `posting`, as columns, those with equally many entries together."""
    order = np.lexsort((entries, terms, documents))
    terms, entries, documents, scopes = terms[order], entries[order], documents[order], scopes[order]
    new = (np.diff(terms, prepend=terms[:1] - 1) != 0) | (np.diff(documents, prepend=-1) != 0)
    starts = np.flatnonzero(new)
    sizes = np.diff(np.append(starts, len(terms)))
    stored = entries.astype(STORED_DTYPE)
    for size in np.unique(sizes).tolist():
        rows = starts[sizes == size]
        packed = stored[rows[:, None] + np.arange(size)].view(np.uint8).reshape(len(rows), 8 * size)
        yield [terms[rows], documents[rows], scopes[rows], packed]
