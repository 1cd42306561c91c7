"""Real pages with their words in the product's own tables, again and again, each copy in scopes of its own, its vectors
and lengths a little off.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray
from rich.progress import track

from app.embedding.onnx import OnnxEmbedder
from app.evaluation.datasets import read
from app.indexing.postings import pack
from benchmarks.search.peers.product import ALONE, FIRST
from benchmarks.search.vectors import Floats, Integers, Vectors, noisy, read_embeddings, zipf
from benchmarks.world import Db
from ingest.document import DocumentPassage
from ingest.embed import terms_of
from ingest.extract import extract
from ingest.split import split

BASE = """
drop index posting_term_scope_id_idx, posting_document_id_idx;
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
    "vacuum analyze",
)


@dataclass(frozen=True)
class Pages:
    """Real pages: each passage, the page it is of, and its vector, shape (n, dimensions)."""

    passages: Sequence[DocumentPassage]
    page_of: Integers
    titles: Sequence[str]
    rows: Floats


def pages_of(folders: Sequence[Path], embeddings: Sequence[Path]) -> Pages:
    """The pages of datasets, with vectors that `benchmarks.search.embed` wrote."""
    counter = OnnxEmbedder(threads=1)
    passages: list[DocumentPassage] = []
    page_of: list[int] = []
    titles: list[str] = []
    for folder in folders:
        for page in track(read(folder).pages, f"splitting {folder.name}"):
            parts = split(extract(page.content, filename=page.path.rsplit("/", 1)[-1]), counter=counter)
            passages += parts
            page_of += [len(titles)] * len(parts)
            titles.append(parts[0].title if parts else "")
    rows = read_embeddings(embeddings) if embeddings else np.empty((0, 0), np.float32)
    if len(rows) != len(passages):
        raise SystemExit(f"{len(rows)} vectors for {len(passages)} passages: embed these datasets, in this order")
    return Pages(passages, np.array(page_of), titles, rows)


def spread(pages: Pages, n: int) -> tuple[Vectors, NDArray[np.int32]]:
    """About `n` vectors near those of the pages, and (copies · pages,) the scope of each copy of a page."""
    rng = np.random.default_rng(1)
    copies = max(1, round(n / len(pages.passages)))
    of_page, topical = zipf(rng.random(copies * len(pages.titles)), rng)
    rows = np.concatenate([noisy(pages.rows, rng) for _ in range(copies)])
    places = np.concatenate([copy * len(pages.titles) + pages.page_of for copy in range(copies)])
    return Vectors(rows, of_page[places], np.zeros_like(topical), pages.rows[:1]), of_page


def write_words(db: Db, pages: Pages, scope_of: NDArray[np.int32]) -> None:
    """Documents, passages and postings beside the vectors that are written already."""
    with db.admin() as connection:
        connection.execute(ALONE)
        connection.execute(BASE)
        _put_base(connection, pages)
        _put(connection, "place (document_id, scope_id)", enumerate(scope_of.tolist(), FIRST))
        connection.execute("analyze base_chunk, base_document, base_entry, place")
        cursor = psycopg.ClientCursor(connection)
        documents, passages = len(pages.titles), len(pages.passages)
        for copy in track(range(len(scope_of) // documents), f"writing copies of {passages} passages"):
            cursor.execute(COPY.encode(), {"documents": copy * documents, "passages": copy * passages})
        for statement in track(AFTER, "indexes and statistics"):
            connection.execute(statement.encode())


def _put_base(connection: psycopg.Connection, pages: Pages) -> None:
    ordinals = np.arange(len(pages.passages)) - np.searchsorted(pages.page_of, pages.page_of)
    whole = list(zip(range(FIRST, FIRST + len(ordinals)), pages.passages, pages.page_of + FIRST, ordinals, strict=True))
    _put(connection, "base_document", enumerate(pages.titles, FIRST))
    rows = ((n, int(page), int(o), list(p.heading_path), p.text, p.tokens) for n, p, page, o in whole)
    _put(connection, "base_chunk", rows)

    def entries() -> Iterator[tuple[int, int, int]]:
        for number, passage, page, _ in track(whole, "counting words"):
            terms = terms_of(passage)
            for term, counts in terms.counts.items():
                yield term, int(page), pack(number, counts, terms.length)

    _put(connection, "base_entry", entries())


def _put(connection: psycopg.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)
