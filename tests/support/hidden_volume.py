"""Databases that differ in hidden documents alone: none, or so many times the visible ones.

Visible and hidden documents are written in one random order, so that visible rows lie between hidden ones as they do
where people upload side by side. Hidden are near-duplicates of visible passages and floods of the questions' words, on
the readers' own collection, and other prose on other collections; each scope belongs to a role that no caller is in.
"""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg
from pgvector import HalfVector
from rich.progress import track

from app.acl.rules import OwnRule
from app.db.tables.people import ApiKey
from app.embedding.hashed import HashedEmbedder
from app.identity.api_keys import make_key
from app.identity.subject import Capability
from app.indexing.postings import packed_rows
from ingest.document import DocumentPassage
from ingest.embed import IndexedPassage, index_passages
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow, library_of

PER_DOCUMENT = 5  # passages
FIRST_ID = 1_000
VISIBLE_SCOPES = 30
HIDDEN_SCOPES = 24
OWN_COLLECTIONS = 4  # of hidden documents alone
LIBRARY, ELSEWHERE, FOLDER = "library", "elsewhere", "books"
EMBEDDER = HashedEmbedder()
WORDS = 120  # of a passage
VOCABULARY = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("nd", "rm", "st", "lk", "mpo", "rga", "vin", "tul")
]


def passage(rng: random.Random) -> str:
    """Words as they come in prose: few often, many seldom."""
    return " ".join(VOCABULARY[min(int(rng.paretovariate(0.9)) - 1, len(VOCABULARY) - 1)] for _ in range(WORDS)) + "."


@dataclass(frozen=True)
class Book:
    """A document: the scopes below VISIBLE_SCOPES are the reader's, the others hidden."""

    path: str
    scope: int
    passages: tuple[IndexedPassage, ...]

    @property
    def id(self) -> uuid.UUID:
        """Its public id, the same in each world."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"book {self.path}")


@dataclass(frozen=True)
class Books:
    """What stands where: visible books, hidden ones, and questions that visible passages answer."""

    visible: tuple[Book, ...]
    hidden: tuple[Book, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Keys:
    """API keys, good in each world: a reader, and two curators who read nothing."""

    reader: str
    librarian: str
    elsewhere: str


@dataclass(frozen=True)
class Place:
    """Where the documents of a scope stand."""

    scope: int
    collection: uuid.UUID


def draw_books(visible: int, hidden: int, *, seed: int = 1) -> Books:
    """Books of `visible` passages, and `hidden` books for each visible one."""
    rng = random.Random(seed)
    texts = [passage(rng) for _ in range(visible)]
    questions = tuple(f"What is said of {' '.join(_rarest(text))}?" for text in rng.sample(texts, min(40, visible)))
    shown = tuple(_books(texts, "shown", lambda n: n % VISIBLE_SCOPES))
    makers = (_near_duplicate(rng, texts), _flood(rng, questions), iter(lambda: passage(rng), ""))
    secret = [next(makers[n % 3]) for n in track(range(visible * hidden), description="writing")]
    # In turns of whole books, so that each scope gets all three kinds.
    shut = tuple(_books(secret, "hidden", lambda n: VISIBLE_SCOPES + n % HIDDEN_SCOPES))
    return Books(shown, shut, questions)


def people(library: LibraryDb) -> tuple[Keys, list[Place]]:
    """Who asks, and where things may stand: all that each world has before its documents come.

    A reader with 30 roles and a scope for each of them, two curators, and the hidden scopes: two of three on the
    readers' collection, the others on collections of their own. Rules are the same in each world; documents are not.
    """
    library_, elsewhere = library.collection(LIBRARY), library.collection(ELSEWHERE)
    vaults = [library.collection(f"vault-{n}") for n in range(OWN_COLLECTIONS)]
    readers = [library.role(f"readers-{n}") for n in range(VISIBLE_SCOPES)]
    secret = [library.role(f"secret-{n}") for n in range(HIDDEN_SCOPES)]
    collections = [library_] * VISIBLE_SCOPES + [
        library_ if n % 3 else vaults[n // 3 % OWN_COLLECTIONS] for n in range(HIDDEN_SCOPES)
    ]
    reader = library.person("reader", may=[Capability.ASK, Capability.DOWNLOAD], roles=readers)
    curators = [library.person(f"curator-{s}", may=[Capability.CURATE], curates=[s]) for s in (library_, elsewhere)]
    places = [
        Place(library.scope(collection, OwnRule(frozenset({allow("role", role)}), inherits=False)), collection)
        for role, collection in zip([*readers, *secret], collections, strict=True)
    ]
    return Keys(*(_key(library, user) for user in (reader, *curators))), places


def fill(db: Db, books: Sequence[Book], places: Sequence[Place]) -> None:
    """Write the books in a random order, and leave the tables as autovacuum does: clean, with statistics."""
    # By their ids, which are drawn: visible books keep their order whatever else there is, and ties go by it.
    ordered = sorted(books, key=lambda book: book.id)
    with psycopg.connect(db.libpq("admin")) as connection, connection.cursor() as cursor:
        # Foreign keys hold by construction; to look each one up would take most of the time.
        cursor.execute("set session_replication_role = replica")
        for table, rows in _tables(ordered, places):
            with cursor.copy(f"copy {table} from stdin".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.execute(
            "select setval(pg_get_serial_sequence(t, 'id'), 10000000) from unnest('{document,chunk}'::text[]) t"
        )
    with psycopg.connect(db.libpq("admin"), autocommit=True) as connection:
        connection.execute("vacuum analyze")


def copied(db: Db, name: str) -> Db:
    """A copy of a database that nobody is connected to, on the same server."""
    db.cluster.copy(db.name, name)
    return Db(db.cluster, name)


def worlds(empty: Db, stock: Books, hidden: Iterable[int]) -> tuple[Keys, dict[str, Db]]:
    """The databases by the names of their worlds: A, its twin A', and one B for each multiple of hidden documents.

    `empty` is migrated, and empty but for that.
    """
    with library_of(empty) as library:
        keys, places = people(library)
    made = {}
    for k in (0, *hidden):
        name = "A" if k == 0 else f"B×{k}"
        made[name] = copied(empty, f"{empty.name}_{k}")
        fill(made[name], stock.visible + stock.hidden[: k * len(stock.visible)], places)
    made["A'"] = copied(made["A"], f"{empty.name}_twin")
    return keys, made


def _tables(books: Sequence[Book], places: Sequence[Place]) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    """The rows of each table; documents and passages are numbered in the order of the books."""
    chunks = [
        (FIRST_ID + n, FIRST_ID + b, places[book.scope].scope, uuid.uuid5(book.id, str(o)), o, indexed)
        for n, (b, book, o, indexed) in enumerate(
            (b, book, o, i) for b, book in enumerate(books) for o, i in enumerate(book.passages)
        )
    ]
    yield (
        "document (id, public_id, version_id, collection_id, scope_id, path, media_type, size, sha256, version)",
        (
            (FIRST_ID + n, b.id, b.id, p.collection, p.scope, b.path, "text/plain", 1, bytes(32), 1)
            for n, b in enumerate(books)
            for p in [places[b.scope]]
        ),
    )
    yield (
        "original (document_id, scope_id, title, content)",
        ((FIRST_ID + n, places[b.scope].scope, b.path, b"") for n, b in enumerate(books)),
    )
    yield (
        "chunk (id, public_id, document_id, scope_id, ordinal, heading_path, text, tokens)",
        ((c, public, d, s, o, [], i.passage.text, i.passage.tokens) for c, d, s, public, o, i in chunks),
    )
    yield (
        "vector_row (chunk_id, scope_id, terms, embedding, code)",
        ((c, s, i.terms.total(), HalfVector(i.vector).to_text(), i.code) for c, _, s, _, _, i in chunks),
    )
    yield (
        "posting (term, document_id, scope_id, entries)",
        (
            (term, d, s, entries)
            for (d, s), group in groupby(chunks, key=lambda chunk: (chunk[1], chunk[2]))
            for term, entries in packed_rows((c, i.terms) for c, _, _, _, _, i in group)
        ),
    )


def _books(texts: Sequence[str], name: str, scope: Any) -> Iterator[Book]:
    for n, start in enumerate(range(0, len(texts), PER_DOCUMENT)):
        path = f"{FOLDER}/{name}-{n}.md"
        passages = [
            DocumentPassage(text, (), None, o, EMBEDDER.count(text), path, path)
            for o, text in enumerate(texts[start : start + PER_DOCUMENT])
        ]
        yield Book(path, scope(n), tuple(index_passages(passages, EMBEDDER)))


def _rarest(text: str) -> list[str]:
    return sorted(set(text.rstrip(".").split()), key=VOCABULARY.index)[-8:]


def _near_duplicate(rng: random.Random, texts: Sequence[str]) -> Iterator[str]:
    """A visible passage with two words changed."""
    while True:
        words = rng.choice(texts).rstrip(".").split()
        for _ in range(2):
            words[rng.randrange(len(words))] = rng.choice(VOCABULARY)
        yield " ".join(words) + "."


def _flood(rng: random.Random, questions: Sequence[str]) -> Iterator[str]:
    """The words of two questions over and over, in any order."""
    while True:
        words = [w for q in rng.sample(list(questions), 2) for w in q.removesuffix("?").split()[4:]] * 6
        rng.shuffle(words)
        yield " ".join(words) + "."


def _key(library: LibraryDb, user: uuid.UUID) -> str:
    key = make_key()
    every = ["ask", "download", "curate"]
    with library.session("owner") as session:
        session.add(ApiKey(prefix=key.prefix, hash=key.hash, user_id=user, capabilities=every))
    return key.secret
