"""A world's rows in two statements and two COPYs: some milliseconds for what takes the product's writers a hundred.

`test_worlds_are_written_as_the_product_writes` holds these rows equal to those of `app.acl.scopes` and of the worker.
"""

import datetime as dt
import json
import struct
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from app.acl.rule_store import RulePart, compose, part_digest
from app.acl.rules import Grant, effective, joined_digests
from app.embedding.protocol import EmbeddingModel, SpannedVector, Spans
from app.identity.subject import Label
from app.indexing.block_vectors import pack_blocks
from app.indexing.postings import packed_rows
from app.indexing.terms import PassageTerms
from ingest.document import DocumentPassage
from ingest.embed import IndexedPassage, index_passages
from tests.laws.worlds.pages import Page, Text
from tests.laws.worlds.world import FOLDERS, World

# Binary COPY: a signature, flags and header length in front, then rows of (length, value), then -1.
HEAD, TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
FILE = ("text/plain", 1, bytes(32), 1)  # a document's media type, size, SHA-256 and version
POSTING_HEAD = struct.Struct(">hiqiqiii")
VECTOR_HEAD = struct.Struct(">hiqiiiiihh")


@dataclass(frozen=True)
class Ready:
    """A passage as the worker would embed and count it."""

    words: str
    heading: list[str]
    tokens: int
    terms: PassageTerms
    vector: bytes
    blocks: bytes


class Maker:
    """Makes passages ready; keeps those it made last, since both worlds take the same ones."""

    def __init__(self, embedder: EmbeddingModel) -> None:
        self.embedder = embedder
        self._remembering = Remembering(embedder)
        self._made: dict[tuple[str, tuple[Text, ...]], list[Ready]] = {}

    def ready(self, pages: Iterable[Page]) -> dict[tuple[str, tuple[Text, ...]], list[Ready]]:
        """The passages of these pages by title and texts: a vector depends on the page around it."""
        wanted = {(page.title, page.texts): None for page in pages}
        if len(self._made) > 2_000:
            self._made = {key: made for key, made in self._made.items() if key in wanted}
        for title, texts in wanted:
            if (title, texts) not in self._made:
                self._made[title, texts] = [_ready(i) for i in self.index(title, texts)]
        return self._made

    def index(self, title: str, texts: Sequence[Text]) -> Sequence[IndexedPassage]:
        """A page as the worker embeds and counts it."""
        passages = [
            DocumentPassage(t.words, t.heading, None, n, self.embedder.count(t.words), title, title)
            for n, t in enumerate(texts)
        ]
        return index_passages(passages, self._remembering)


class Remembering:
    """An embedder that keeps the vectors it made: the pages of a world have many passages in common."""

    def __init__(self, embedder: EmbeddingModel) -> None:
        self._embedder = embedder
        self.dimensions, self.digest, self.embed_query = embedder.dimensions, embedder.digest, embedder.embed_query
        self.languages = embedder.languages
        self._known: dict[tuple[str, Spans], SpannedVector] = {}

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([e.vector for e in self.embed_with_spans(texts, [()] * len(texts))], np.float32).reshape(
            len(texts), self.dimensions
        )

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Spans]) -> list[SpannedVector]:
        if len(self._known) > 20_000:
            self._known.clear()
        asked = [(text, tuple(inside)) for text, inside in zip(texts, spans, strict=True)]
        if missing := [one for one in dict.fromkeys(asked) if one not in self._known]:
            made = self._embedder.embed_with_spans(*zip(*missing, strict=True))
            self._known.update(zip(missing, made, strict=True))
        return [self._known[one] for one in asked]


def _ready(indexed: IndexedPassage) -> Ready:
    passage = indexed.passage
    return Ready(
        passage.text,
        list(passage.heading_path),
        passage.tokens,
        indexed.terms,
        indexed.vector.astype(">f2").tobytes(),
        pack_blocks(indexed.blocks),
    )


@dataclass
class Rows:
    """Writes one world's rows into the transaction of `cursor`, which must be a superuser's, without triggers.

    The rows of each table are numbered from `first`; `scopes` are the places that have theirs.
    """

    cursor: psycopg.Cursor[Any]
    world: World
    maker: Maker
    first: int
    scopes: dict[int, int] = field(default_factory=dict)
    _kept: list[tuple[str, str, Sequence[tuple[Any, ...]]]] = field(default_factory=list)

    def people(self) -> None:
        """Who asks, the roles and the collections: the same in both worlds."""
        world, caller = self.world, self.world.caller
        roles = world.roles
        self._add("role (id, name)", "uuid text", [(v, f"{k}-{caller.name}") for k, v in roles.items()])
        self._add(
            "app_user (id, name, display_name, clearance, capabilities)",
            "uuid text text int2 text[]",
            [(caller.user_id, caller.name, "", int(caller.clearance), sorted(caller.capabilities))],
        )
        nesting = [(roles[a], roles[b]) for a, b in world.nesting]
        self._add("role_inside (role_id, inside_id)", "uuid uuid", nesting)
        held = [(caller.user_id, roles[r]) for r in world.held]
        self._add("membership (user_id, role_id)", "uuid uuid", held)
        collections = [
            (world.name("collection", n), f"collection-{n}", own.to_json()) for n, own in world.collections.items()
        ]
        self._add("collection (id, name, own_rule)", "uuid text jsonb", collections)
        self._insert()

    def documents(self, pages: Sequence[Page]) -> None:
        """The pages in this order, and the scopes they stand in."""
        if used := sorted({page.place for page in pages} - self.scopes.keys()):
            self._put_folders(used)
            self._put_scopes(used)
        name, path, scopes = self.world.name, self.world.path, self.scopes

        def collection(page: Page) -> uuid.UUID:
            return name("collection", self.world.places[page.place].collection)

        numbered = list(enumerate(pages, start=self.first))
        self._add(
            "document (id, public_id, version_id, collection_id, scope_id, path, media_type, size, sha256, version)",
            "int8 uuid uuid uuid int4 text text int8 bytea int4",
            [
                (
                    n,
                    name("document", p.path),
                    name("version", p.path),
                    collection(p),
                    scopes[p.place],
                    path(p),
                    *FILE,
                )
                for n, p in numbered
            ],
        )
        self._add(
            "original (document_id, scope_id, title, content)",
            "int8 int4 text bytea",
            [(n, scopes[p.place], p.title, b"") for n, p in numbered],
        )
        self._put_passages(numbered)

    def _put_folders(self, used: Iterable[int]) -> None:
        """Those that hold one of these places, and no other."""
        world = self.world
        depths: dict[str, int] = {}
        for place in (world.places[number] for number in used):
            depths[place.collection] = max(depths.get(place.collection, 0), place.depth)
        rows = [
            (world.name("folder", collection, n + 1), world.name("collection", collection), FOLDERS[n], own.to_json())
            for collection, depth in depths.items()
            for n, own in enumerate(world.folders[:depth])
        ]
        self._add("folder (id, collection_id, path, own_rule)", "uuid uuid text jsonb", rows)

    def _put_scopes(self, used: Sequence[int]) -> None:
        world = self.world
        rules: dict[bytes, int] = {}
        scopes: list[tuple[Any, ...]] = []
        parts = _Parts(self.first + len(used))
        for place in used:
            own, collection = world.places[place].own, world.places[place].collection
            depth = world.places[place].depth
            chain = world.chain(world.places[place])
            part, above = parts.of(own.grants, False), effective(*chain[:-1])
            label = above.label if own.label is None else own.label
            rule = compose(label, part, parts.of(above.grants, True) if own.inherits else None)
            if rule.digest not in rules:
                rules[rule.digest] = self.first + len(rules)
                parts.rows.append((rules[rule.digest], rule.digest, int(label), rule.own_id, rule.above_id, None))
            self.scopes[place] = self.first + len(scopes)
            public = world.name("scope", place)
            folder = world.name("folder", collection, depth) if depth else None
            scopes.append((self.scopes[place], public, world.name("collection", collection), folder, own.digest))
            scopes[-1] += (own.to_json(), part.id, rules[rule.digest])
        self._add(
            "rule (id, digest, label, own_id, above_id, grant_digests)", "int4 bytea int2 int4 int4 bytea", parts.rows
        )
        self._add(
            "rule_grant (rule_id, ordinal, effect, principal_kind, principal_id, starts_at, ends_at, inherited)",
            "int4 int2 text text uuid timestamptz timestamptz bool",
            parts.grants,
        )
        self._add(
            "scope (id, public_id, collection_id, folder_id, own_digest, own_rule, own_part_id, rule_id)",
            "int4 uuid uuid uuid bytea jsonb int4 int4",
            scopes,
        )

    def _put_passages(self, pages: Sequence[tuple[int, Page]]) -> None:
        made = self.maker.ready(page for _, page in pages)
        chunks: list[tuple[Any, ...]] = []
        vectors, postings = [HEAD], [HEAD]
        for document, page in pages:
            scope = self.scopes[page.place]
            found: list[tuple[int, PassageTerms]] = []
            for ordinal in range(len(page.texts)):
                ready, number = made[page.title, page.texts][ordinal], self.first + len(chunks)
                public = self.world.name("chunk", page.path, ordinal)
                chunks.append((number, public, document, scope, ordinal, ready.heading, ready.words, ready.tokens))
                chunks[-1] += (ready.blocks,)
                size, dimensions = len(ready.vector) + 4, len(ready.vector) // 2
                vectors += [
                    VECTOR_HEAD.pack(4, 8, number, 4, scope, 4, ready.terms.length, size, dimensions, 0),
                    ready.vector,
                ]
                found.append((number, ready.terms))
            for term, entries in packed_rows(found):
                postings += [POSTING_HEAD.pack(4, 8, term, 8, document, 4, scope, len(entries)), entries]
        self._add(
            "chunk (id, public_id, document_id, scope_id, ordinal, heading_path, text, tokens, blocks)",
            "int8 uuid int8 int4 int4 text[] text int4 bytea",
            chunks,
        )
        self._insert()
        self._send("vector_row (chunk_id, scope_id, terms, embedding)", [*vectors, TAIL])
        self._send("posting (term, document_id, scope_id, entries)", [*postings, TAIL])

    def _add(self, into: str, types: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep rows of a table for `_insert`."""
        self._kept.append((into, types, rows))

    def _insert(self) -> None:
        """Insert what was kept, in one statement: each wait for the server costs more than the work."""
        parts, values = [], {}
        for into, types, rows in self._kept:
            table, _, columns = into.removesuffix(")").partition(" (")
            names = columns.split(", ")
            values[table] = [dict(zip(names, row, strict=True)) for row in rows]
            typed = ", ".join(f"{name} {kind}" for name, kind in zip(names, types.split(), strict=True))
            source = f"jsonb_to_recordset(%(rows)s::jsonb -> '{table}') as r ({typed})"
            adding = f"insert into {into} overriding system value"
            parts.append(f"{table}_in as ({adding} select {columns} from {source})")
        self._kept.clear()
        self.cursor.execute(f"with {', '.join(parts)} select", {"rows": json.dumps(values, default=_plain)})

    def _send(self, into: str, parts: Sequence[bytes]) -> None:
        with self.cursor.copy(f"copy {into} from stdin (format binary)") as copy:
            copy.write(b"".join(parts))


def _plain(value: Any) -> str:
    """A value as PostgreSQL reads it from JSON."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, dt.datetime) else str(uuid.UUID(int=value.int))


class _Parts:
    """Rows of rules, the parts among them with numbers from `first` on, and of grants."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._made: dict[tuple[frozenset[Grant], bool], RulePart] = {}
        self.rows: list[tuple[Any, ...]] = []
        self.grants: list[tuple[Any, ...]] = []

    def of(self, grants: frozenset[Grant], inherited: bool) -> RulePart:
        if (grants, inherited) not in self._made:
            digests = joined_digests(grants)
            part = RulePart(self._first + len(self._made), digests, inherited)
            self._made[grants, inherited] = part
            digest = part_digest(digests, inherited)
            self.rows.append((part.id, digest, int(Label.RESTRICTED), None, None, digests))
            self.grants += [
                (part.id, n, g.effect, g.principal.kind, g.principal.id, g.starts_at, g.ends_at, inherited)
                for n, g in enumerate(sorted(grants, key=lambda g: g.digest))
            ]
        return self._made[grants, inherited]
