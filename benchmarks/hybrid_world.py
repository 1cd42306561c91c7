"""A million passages with their words, in the product's own tables: real pages again and again, each copy in scopes of
its own, its vectors and lengths a little off.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray
from rich.progress import track
from sqlalchemy import make_url

from app.db.bootstrap import libpq
from app.embedding.onnx import OnnxEmbedder
from app.evaluation.datasets import read
from app.indexing.postings import pack
from app.indexing.quantizer import Codebook
from benchmarks.lists_world import COLUMNS, Caller, callers_of, copied_rows, put_policy, zipf_scopes
from ingest.document import Passage
from ingest.embed import terms_of
from ingest.extract import extract
from ingest.split import split

# Where the numbers of real pages and passages begin.
FIRST = 10
BASE = """
create unlogged table base_chunk
  (id bigint, document_id bigint, ordinal int, heading_path text[], text text, tokens int);
create unlogged table base_document (id bigint, title text);
create unlogged table base_entry (term bigint, document_id bigint, entry bigint);
create unlogged table place (document_id bigint primary key, scope_id int);
"""
# One copy: all numbers are moved on. Equal passages would all score alike, so each has its own length.
COPY = """
insert into document (id, collection_id, scope_id, path, media_type, size, sha256, version) overriding system value
  select p.document_id, s.collection_id, s.id, 'd' || p.document_id, 'text/plain', 1, '', 1
  from base_document b join place p on p.document_id = b.id + %(documents)s join scope s on s.id = p.scope_id;
insert into original (document_id, scope_id, title, content)
  select p.document_id, p.scope_id, b.title, ''
  from base_document b join place p on p.document_id = b.id + %(documents)s;
insert into chunk (id, document_id, scope_id, ordinal, heading_path, text, tokens) overriding system value
  select b.id + %(passages)s, p.document_id, p.scope_id, b.ordinal, b.heading_path, b.text, b.tokens
  from base_chunk b join place p on p.document_id = b.document_id + %(documents)s;
insert into posting (term, document_id, scope_id, entries)
  select term, p.document_id, p.scope_id, string_agg(int8send(
    (b.entry + (%(passages)s::bigint << 25))
    - (abs(hashint4((b.entry >> 25)::int + %(passages)s)) %% 8) %% greatest((b.entry & 2047)::int, 1)
  ), '' order by b.entry)
  from base_entry b join place p on p.document_id = b.document_id + %(documents)s
  group by 1, 2, 3, (b.entry >> 25) / 200;
"""
AFTER = (
    "create index posting_term_scope_id_idx on posting (term, scope_id) include (entries)",
    "create index posting_document_id_idx on posting (document_id)",
    "select clearance.fold_volumes()",
    "vacuum analyze",
)


@dataclass(frozen=True)
class Pages:
    """Real pages: each passage, the page it is of, and its vector, shape (n, dimensions)."""

    passages: Sequence[Passage]
    page_of: NDArray[np.int64]
    titles: Sequence[str]
    vectors: NDArray[np.float32]


def pages_of(folders: Sequence[Path], embeddings: Sequence[Path]) -> Pages:
    """The pages of datasets, with vectors that `benchmarks.retrieval.embed` wrote."""
    counter = OnnxEmbedder(threads=1)
    passages: list[Passage] = []
    page_of: list[int] = []
    titles: list[str] = []
    for folder in folders:
        for page in track(read(folder).pages, f"splitting {folder.name}"):
            found = split(extract(page.content, filename=page.path.rsplit("/", 1)[-1]), counter=counter)
            passages += found
            page_of += [len(titles)] * len(found)
            titles.append(found[0].title if found else "")
    vectors = np.concatenate([np.load(file) for file in embeddings])
    if len(vectors) != len(passages):
        raise ValueError(f"{len(vectors)} vectors for {len(passages)} passages: embed these datasets, in this order")
    return Pages(passages, np.array(page_of), titles, vectors)


def write(admin_url: str, pages: Pages, *, n: int, scopes: int, seed: int = 1) -> list[Caller]:
    """Fill a migrated database with about `n` passages; gives a caller for each of `lists_world.SHARES`."""
    rng = np.random.default_rng(seed)
    copies, documents, count = max(1, round(n / len(pages.passages))), len(pages.titles), len(pages.passages)
    of = zipf_scopes(copies * documents, scopes, seed=seed)
    lengths = np.tile(np.bincount(pages.page_of, minlength=documents), copies)
    with psycopg.connect(libpq(make_url(admin_url)), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        ids = np.array(put_policy(connection, rng, np.bincount(of, lengths, scopes).astype(np.int64)))
        connection.execute(BASE)
        connection.execute("drop index posting_term_scope_id_idx, posting_document_id_idx")
        _put_base(connection, pages)
        _put(
            connection,
            "place (document_id, scope_id)",
            zip(range(FIRST, FIRST + len(of)), ids[of].tolist(), strict=True),
        )
        connection.execute("analyze base_chunk, base_document, base_entry, place")
        book = Codebook(pages.vectors.shape[1])
        cursor = psycopg.ClientCursor(connection)
        for copy in track(range(copies), f"writing {copies} copies of {count} passages"):
            cursor.execute(COPY, {"documents": copy * documents, "passages": copy * count})
            scope_of = ids[of[copy * documents + pages.page_of]]
            with cursor.copy(f"copy vector_row ({COLUMNS}) from stdin (format binary)".encode()) as to:
                to.write(copied_rows(book, _noisy(pages.vectors, rng), scope_of, first=FIRST + copy * count))
        for statement in track(AFTER, "indexes and statistics"):
            connection.execute(statement.encode())
        return callers_of(connection)


def _noisy(vectors: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Unit vectors near these."""
    noise = rng.standard_normal(vectors.shape, np.float32) * np.float32(0.35 / vectors.shape[1] ** 0.5)
    moved: NDArray[np.float32] = vectors + noise
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    return moved


def _put_base(connection: psycopg.Connection, pages: Pages) -> None:
    places = np.arange(len(pages.passages)) - np.searchsorted(pages.page_of, pages.page_of)
    whole = list(enumerate(zip(pages.passages, pages.page_of.tolist(), places.tolist(), strict=True), FIRST))
    _put(connection, "base_document", enumerate(pages.titles, FIRST))
    _put(
        connection,
        "base_chunk",
        ((n, page + FIRST, place, list(p.heading_path), p.text, p.tokens) for n, (p, page, place) in whole),
    )
    _put(connection, "base_entry", _entries(whole))


def _entries(whole: Sequence[tuple[int, tuple[Passage, int, int]]]) -> Iterator[tuple[int, int, int]]:
    for number, (passage, page, _) in track(whole, "counting words"):
        found = terms_of(passage)
        for term, counts in found.counts.items():
            yield term, page + FIRST, pack(number, counts, found.length)


def _put(connection: psycopg.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)
