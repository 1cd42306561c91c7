"""The library of a company: collections, scopes with rules of their own, folders, documents and their passages."""

import hashlib
import itertools
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from rich.progress import track
from sqlalchemy import select

from app.acl.rules import Grant, OwnRule
from app.acl.scopes import scope_for
from app.db.session import WriteSession
from app.db.tables.access import Folder, Scope
from app.identity.subject import Label, Principal
from benchmarks.access.rules import put_collection, put_scopes
from benchmarks.company.passages import Batch, Sentences, blocks_of
from benchmarks.company.people import EVERYTHING, HUNDREDTH, TENTH, Staff
from benchmarks.search.bulk import copy_rows, copy_tuples
from benchmarks.search.vectors import zipf_sizes
from benchmarks.world import EMBEDDER, Db

COLLECTIONS, SCOPES, FOLDERS, RULED_FOLDERS = 20, 1_500, 4_000, 200
AT_ONCE = 22_000  # passages
# Bulk rows: what triggers do beside (history, notes of a change) is of no use here. Those that keep sums run always.
ALONE = "set session_replication_role = replica"
# Found again when everything stands: one by one they cost more than all the rest.
LATER = """
select indexname, indexdef from pg_indexes
where tablename in ('posting', 'vector_row', 'chunk', 'document', 'original')
  and indexname not in (select conname from pg_constraint)
"""
NUMBERS = "select coalesce(max(id), 0) + 1 from {table}"
COUNT_ON = "select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))"


@dataclass(frozen=True)
class Shelf:
    """A scope with its collection, and how many of the documents stand in it."""

    collection: uuid.UUID
    scope: int
    documents: int


def put_shelves(session: WriteSession, rng: random.Random, staff: Staff, documents: int) -> list[Shelf]:
    """Collections and scopes; the sizes of scopes fall as 1 / rank. Everything is read by one role, shares by two."""
    sizes = zipf_sizes(SCOPES, documents, np.random.default_rng(1))
    numbers = range(SCOPES)
    shares = {TENTH: _share(numbers, sizes, documents // 10), HUNDREDTH: _share(numbers, sizes, documents // 100)}
    every = Grant("allow", Principal("role", staff.reading[EVERYTHING]))
    shelves = []
    for number in range(COLLECTIONS):
        above = OwnRule(frozenset({every}), inherits=False, label=Label.INTERNAL)
        made = put_collection(session, f"collection-{number:02}", above)
        plain = scope_for(session, made, OwnRule())
        _put_folders(session, rng, made, staff) if number == 0 else None
        mine = numbers[number::COLLECTIONS]
        owns = [_own(rng, staff, [name for name, held in shares.items() if n in held]) for n in mine]
        put_scopes(session, made, above, owns)
        scopes = _scopes_of(session, made.id)
        shelves += [Shelf(made.id, scopes[own.digest], int(sizes[n])) for n, own in zip(mine, owns, strict=True)]
        shelves.append(Shelf(made.id, plain, 0))
    return shelves


def put_documents(connection: psycopg.Connection[Any], shelves: Sequence[Shelf], each: int) -> tuple[int, NDArray[Any]]:
    """The documents, of so many passages each; gives the first one's number, and the scope of each."""
    (first,) = connection.execute(NUMBERS.format(table="document").encode()).fetchone() or (1,)
    scopes = np.repeat([shelf.scope for shelf in shelves], [shelf.documents for shelf in shelves])
    held = itertools.chain.from_iterable(itertools.repeat(shelf, shelf.documents) for shelf in shelves)
    order = np.random.default_rng(2).permutation(len(scopes))
    placed = list(held)
    digest = hashlib.sha256(b"").digest()

    def rows() -> Iterator[tuple[object, ...]]:
        for n, at in enumerate(order.tolist()):
            path = f"area{n % FOLDERS % 40}/folder{n % FOLDERS}/report {n}.md"
            yield first + n, placed[at].collection, placed[at].scope, path, "text/markdown", 100 * each, digest, 1

    columns = "document (id, collection_id, scope_id, path, media_type, size, sha256, version)"
    copy_tuples(connection, columns, rows())
    connection.execute(b"update document set updated_at = now() - make_interval(secs => 7919 * id % 10000019)")
    connection.execute(
        b"insert into original select id, scope_id, 'Report ' || id, '' from document where id >= %d" % first
    )
    return first, scopes[order]


def put_passages(db: Db, sentences: Sentences, documents: tuple[int, NDArray[Any]], passages: int, each: int) -> int:
    """The passages of all documents, with vectors and inverted lists; gives the first one's number."""
    with db.admin() as connection:
        connection.execute(ALONE)
        later = connection.execute(LATER).fetchall()
        for name, _ in later:
            connection.execute(f"drop index {name}".encode())
        (first,) = connection.execute(NUMBERS.format(table="chunk").encode()).fetchone() or (1,)
        at = 0
        for batch in track(
            sentences.batches(passages, AT_ONCE - AT_ONCE % each),
            "passages",
            total=-(-passages // (AT_ONCE - AT_ONCE % each)),
        ):
            _put_batch(connection, sentences, batch, documents, (first, at), each)
            at += len(batch.drawn)
        for _, definition in track(later, "indexes"):
            connection.execute(definition.encode())
        for table in ("document", "chunk"):
            connection.execute(COUNT_ON.format(table=table).encode())
        connection.execute("insert into index_profile (embedder) values (%s)", [EMBEDDER.digest])
        connection.execute("select clearance.fold_volumes()")
    return int(first)


def _put_batch(
    connection: psycopg.Connection[Any],
    sentences: Sentences,
    batch: Batch,
    documents: tuple[int, NDArray[Any]],
    begin: tuple[int, int],
    each: int,
) -> None:
    """Passages `begin[1]` and following, whose ids begin at `begin[0]`."""
    first, at = begin
    number = np.arange(at, at + len(batch.drawn))
    ids, places = (first + number).astype(np.int64), number // each
    document = (documents[0] + places).astype(np.int64)
    scope = documents[1][places].astype(np.int32)
    texts = [sentences.text(drawn) for drawn in batch.drawn]
    columns = zip(
        ids.tolist(), document.tolist(), scope.tolist(), (number % each).tolist(), texts, blocks_of(batch.rows, texts),
        strict=True,
    )  # fmt: skip
    nothing: list[str] = []  # no headings
    rows = ((i, d, s, o, nothing, t, len(t) // 6, b) for i, d, s, o, t, b in columns)
    copy_tuples(connection, "chunk (id, document_id, scope_id, ordinal, heading_path, text, tokens, blocks)", rows)
    terms = sentences.lengths[batch.drawn].sum(axis=1).astype(np.int32)
    copy_rows(
        connection,
        "vector_row (scope_id, chunk_id, terms, embedding, code)",
        [scope, ids, terms, batch.rows.astype(np.float16), batch.codes],
    )
    place, term, entry = sentences.entries(batch, first + at)
    order = np.lexsort((place, term, document[place]))
    _put_postings(connection, document[place][order], scope[place][order], term[order], entry[order])


def _put_postings(
    connection: psycopg.Connection[Any],
    document: NDArray[np.int64],
    scope: NDArray[np.int32],
    term: NDArray[np.int64],
    entry: NDArray[np.int64],
) -> None:
    """A row for each term of a document; those of as many entries together, for these are as long."""
    begins = np.flatnonzero(np.r_[True, (document[1:] != document[:-1]) | (term[1:] != term[:-1])])
    sizes = np.diff(np.r_[begins, len(term)])
    for size in np.unique(sizes):
        at = begins[sizes == size]
        entries = entry[at[:, None] + np.arange(size)].astype(">i8").view(np.uint8).reshape(len(at), -1)
        copy_rows(
            connection, "posting (term, document_id, scope_id, entries)", [term[at], document[at], scope[at], entries]
        )


def _put_folders(session: WriteSession, rng: random.Random, collection: Any, staff: Staff) -> None:
    """Folders with a rule: each is a scope too, in which nothing stands yet."""
    for number in range(RULED_FOLDERS):
        own = OwnRule(frozenset(Grant("allow", Principal("role", team)) for team in rng.sample(staff.teams, 2)))
        folder = Folder(collection_id=collection.id, path=f"area{number % 40}/folder{number}", own_rule=own.to_json())
        session.add(folder)
    session.flush()


def _own(rng: random.Random, staff: Staff, shares: Sequence[str]) -> OwnRule:
    """What a scope says for itself: two to four teams, and the roles that open a share."""
    named = [*rng.sample(staff.teams, rng.randint(2, 4)), *(staff.reading[name] for name in shares)]
    return OwnRule(frozenset(Grant("allow", Principal("role", role)) for role in named))


def _share(numbers: Sequence[int], sizes: NDArray[Any], wanted: int) -> frozenset[int]:
    """Scopes that have about so many documents together."""
    chosen, left = set[int](), wanted
    for number in numbers:
        if sizes[number] <= left:
            chosen.add(number)
            left -= int(sizes[number])
    return frozenset(chosen)


def _scopes_of(session: WriteSession, collection: uuid.UUID) -> dict[bytes, int]:
    """The scopes of a collection by the digest of what each says for itself."""
    found = session.execute(select(Scope.own_digest, Scope.id).where(Scope.collection_id == collection))
    return {bytes(digest): number for digest, number in found}
