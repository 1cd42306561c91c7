"""Writes a world into a database and takes it out again, committed, its scopes made by the product's own code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pgvector import HalfVector
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.acl import visible as acl
from app.acl.scopes import scope_for
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection, Folder
from app.db.tables.people import Membership, Role, RoleInside, User
from app.embedding.protocol import EmbeddingModel
from app.indexing.postings import pack
from ingest.document import DocumentPassage
from ingest.embed import index_passages
from tests.laws.worlds.pages import Page
from tests.laws.worlds.savepoint_worlds import Look, look
from tests.laws.worlds.world import FOLDERS, World
from tests.support.library_db import TEXT_TABLES, LibraryDb

# A world has thousands of postings; to look each one's parent up, as foreign keys do, takes most of the time.
WITHOUT_TRIGGERS = text("set local session_replication_role = replica")

ADD_DOCUMENTS = text(
    """
    insert into document (public_id, version_id, collection_id, scope_id, path, media_type, size, sha256, version)
    select (d ->> 'id')::uuid, (d ->> 'version')::uuid, (d ->> 'collection')::uuid, (d ->> 'scope')::int, d ->> 'path',
           'text/plain', 1, sha256(convert_to(d ->> 'path', 'UTF8')), 1
    from jsonb_array_elements(cast(:rows as jsonb)) with ordinality as r (d, n) order by n
    returning id, public_id
    """
)
ADD_ORIGINALS = text(
    """
    insert into original (document_id, scope_id, title, content)
    select (d ->> 'document')::bigint, (d ->> 'scope')::int, d ->> 'title', ''
    from jsonb_array_elements(cast(:rows as jsonb)) as r (d)
    """
)
ADD_CHUNKS = text(
    """
    insert into chunk (public_id, document_id, scope_id, ordinal, heading_path, text, tokens)
    select (d ->> 'id')::uuid, (d ->> 'document')::bigint, (d ->> 'scope')::int, (d ->> 'ordinal')::int,
           array(select jsonb_array_elements_text(d -> 'heading')), d ->> 'text', (d ->> 'tokens')::int
    from jsonb_array_elements(cast(:rows as jsonb)) with ordinality as r (d, n) order by n
    returning id, public_id
    """
)
ADD_VECTORS = text(
    """
    insert into vector_row (chunk_id, scope_id, terms, embedding)
    select (d ->> 'chunk')::bigint, (d ->> 'scope')::int, (d ->> 'terms')::int, (d ->> 'vector')::halfvec
    from jsonb_array_elements(cast(:rows as jsonb)) as r (d)
    """
)
# Packed by the product's own code; the lower bits of an entry say nothing of the passage's number.
ADD_POSTINGS = text(
    """
    insert into posting (document_id, scope_id, term, entries)
    select (d ->> 'document')::bigint, (d ->> 'scope')::int, t.key::bigint,
           string_agg(int8send((d ->> 'chunk')::bigint << 25 | t.value::bigint), '' order by (d ->> 'chunk')::bigint)
    from jsonb_array_elements(cast(:rows as jsonb)) as r (d), jsonb_each_text(d -> 'postings') as t
    group by 1, 2, 3
    """
)


class WorldWriter:
    """A world in a database. Rows are inserted in bulk, with public ids of our choice; the rest is the product's."""

    def __init__(self, library: LibraryDb, embedder: EmbeddingModel) -> None:
        self.library = library
        self._embedder = embedder
        self._cache: dict[Page, list[dict[str, Any]]] = {}

    def put(self, world: World) -> None:
        """Write people, roles, scopes and pages, in their order."""
        used = {page.place for page in world.pages}
        with self.library.session("owner") as session:
            _put_people(session, world)
            collections = {}
            for name, own in world.collections.items():
                collection = Collection(
                    id=world.name("collection", name), name=f"collection-{name}", own_rule=own.to_json()
                )
                session.add(collection)
                session.flush()
                collections[name] = collection
            _put_folders(session, world, used)
            scopes = {n: _scope(session, world, collections, n) for n in sorted(used)}
        self._put_pages(world, scopes)

    def add(self, world: World, pages: Sequence[Page]) -> None:
        """Write further pages under scopes that stand."""
        with self.library.session("owner") as session:
            collections = {n: session.get_one(Collection, world.name("collection", n)) for n in world.collections}
            scopes = {n: _scope(session, world, collections, n) for n in {p.place for p in pages}}
        self._put_pages(replace(world, pages=tuple(pages)), scopes)

    def clear(self, world: World) -> None:
        """Take it all out again."""
        collections = (
            "select s.id from scope s join collection c on c.id = s.collection_id where c.name ~ '^collection-'"
        )
        with self.library.session("admin") as session:
            session.execute(WITHOUT_TRIGGERS)
            for table in reversed(TEXT_TABLES):
                session.execute(text(f"delete from {table} where scope_id in ({collections})"))
        with self.library.session("owner") as session:
            session.execute(text("delete from collection where name ~ '^collection-'"))
            session.execute(text("delete from role where id = any (:ids)"), {"ids": list(world.roles.values())})
            session.execute(text("delete from app_user where id = :id"), {"id": world.caller.user_id})
        self._cache = dict(list(self._cache.items())[-400:])

    def _put_pages(self, world: World, scopes: dict[int, int]) -> None:
        with self.library.session("admin") as session:
            session.execute(WITHOUT_TRIGGERS)
            self._insert(session, world, scopes)

    def _insert(self, session: Session, world: World, scopes: dict[int, int]) -> None:
        pages = world.pages
        rows = [
            {
                "id": str(world.name("document", p.path)),
                "version": str(world.name("version", p.path)),
                "collection": str(world.name("collection", world.places[p.place].collection)),
                "scope": scopes[p.place],
                "path": world.path(p),
            }
            for p in pages
        ]
        number = {row.public_id: row.id for row in session.execute(ADD_DOCUMENTS, {"rows": json.dumps(rows)})}
        of = {p.path: {"document": number[world.name("document", p.path)], "scope": scopes[p.place]} for p in pages}
        originals = [{**of[p.path], "title": p.title} for p in pages]
        session.execute(ADD_ORIGINALS, {"rows": json.dumps(originals)})
        chunks = [
            {**row, **of[p.path], "id": str(world.name("chunk", p.path, row["ordinal"]))}
            for p in pages
            for row in self._rows(p)
        ]
        made = {str(r.public_id): r.id for r in session.execute(ADD_CHUNKS, {"rows": json.dumps(chunks)})}
        derived = json.dumps([{**c, "chunk": made[str(c["id"])]} for c in chunks])
        session.execute(ADD_VECTORS, {"rows": derived})
        session.execute(ADD_POSTINGS, {"rows": derived})

    def _rows(self, page: Page) -> list[dict[str, Any]]:
        """The passages of a page as the worker would embed and count them; both worlds take the same ones."""
        if page not in self._cache:
            passages = [
                DocumentPassage(t.words, t.heading, None, n, self._embedder.count(t.words), page.title, page.title)
                for n, t in enumerate(page.texts)
            ]
            self._cache[page] = [
                {
                    "ordinal": i.passage.ordinal,
                    "heading": i.passage.heading_path,
                    "text": i.passage.text,
                    "tokens": i.passage.tokens,
                    "terms": i.terms.total(),
                    "vector": HalfVector(i.vector).to_text(),
                    "postings": {t: pack(0, counts, i.terms.length) for t, counts in i.terms.counts.items()},
                }
                for i in index_passages(passages, self._embedder)
            ]
        return self._cache[page]

    def looks(self, database: Database, world: World) -> tuple[Look, ...]:
        """All questions of a world, each in a snapshot of its own as in the service."""
        seen = []
        for question in world.questions:
            with database.reading(world.caller.user_id) as session:
                seen.append(look(session, acl.visible_scopes(session, world.caller), self._embedder, question))
        return tuple(seen)


def _scope(session: WriteSession, world: World, collections: Mapping[str, Collection], number: int) -> int:
    place = world.places[number]
    folder = world.name("folder", place.collection, place.depth) if place.depth else None
    return scope_for(session, collections[place.collection], place.own, folder)


def _put_folders(session: Session, world: World, used: set[int]) -> None:
    """Those that hold one of these places, and no other."""
    for collection in world.collections:
        depth = max((world.places[n].depth for n in used if world.places[n].collection == collection), default=0)
        for n, own in enumerate(world.folders[:depth]):
            name, collection_id = world.name("folder", collection, n + 1), world.name("collection", collection)
            session.add(Folder(id=name, collection_id=collection_id, path=FOLDERS[n], own_rule=own.to_json()))
    session.flush()


def _put_people(session: Session, world: World) -> None:
    session.add_all(Role(id=role, name=f"{name}-{world.caller.name}") for name, role in world.roles.items())
    session.add(
        User(
            id=world.caller.user_id,
            name=world.caller.name,
            display_name="",
            clearance=int(world.caller.clearance),
            capabilities=sorted(world.caller.capabilities),
        )
    )
    session.flush()
    session.add_all(RoleInside(role_id=world.roles[a], inside_id=world.roles[b]) for a, b in world.nesting)
    session.add_all(Membership(user_id=world.caller.user_id, role_id=world.roles[r]) for r in world.held)
