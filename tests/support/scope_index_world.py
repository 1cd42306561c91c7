"""A reader, a collection that she sees and one that she does not, and scope lists over both."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app import log
from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.db.engine import connect
from app.db.session import Database, ReadSession
from app.identity.subject import Subject
from app.indexing.quantizer import ProductQuantizer
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import Near, Nearest, nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import NoIndex
from tests.support.library_db import LibraryDb, allow
from tests.support.vector_rows import DIMENSIONS, Stacks

BOOK = ProductQuantizer(DIMENSIONS)
# So deep that the codes never hide one of the ten nearest of these small worlds.
DEPTH = 600


@dataclass
class World:
    """A collection that the reader sees and one that she does not, two scopes on each."""

    library: LibraryDb
    database: Database
    stacks: Stacks
    reader: Subject
    collections: dict[str, uuid.UUID]
    scopes: dict[str, list[int]]
    lists: ScopeIndex
    depth: int = DEPTH

    def add(self, where: str, vectors: NDArray[np.float32], scope: int = 0) -> int:
        """A document on that collection."""
        return self.stacks.add(self.collections[where], self.scopes[where][scope], vectors)

    def ask(self, query: NDArray[np.float32], *, session: ReadSession | None = None) -> tuple[Nearest, Nearest]:
        """What the lists give and what PostgreSQL gives, in one snapshot."""
        if session is None:
            with self.database.reading(self.reader.user_id) as own:
                return self.ask(query, session=own)
        reader = seen(session, self.reader)
        return (
            nearest(reader, self.lists, query, limit=10, depth=self.depth),
            nearest(reader, NoIndex(), query, limit=10, depth=self.depth),
        )

    def check(self, query: NDArray[np.float32], *, session: ReadSession | None = None) -> list[Near]:
        """Assert that the lists answer, and give what PostgreSQL gives; returns that."""
        by_lists, exact = self.ask(query, session=session)
        assert by_lists.outcome == "lists"
        assert by_lists.near == exact.near
        return by_lists.near


def seen(session: ReadSession, caller: Subject) -> ReaderSnapshot:
    """What a caller sees in this transaction."""
    visible = visible_scopes(session, caller)
    return ReaderSnapshot(session, visible, visible_corpus(session, visible))


@contextlib.contextmanager
def world_in(library: LibraryDb, database: Database) -> Iterator[World]:
    """Two collections, nothing on them, lists loaded."""
    reader = library.person("reader")
    collections = {"open": library.collection("open", allow("user", reader)), "closed": library.collection("closed")}
    own = OwnRule(frozenset({allow("user", reader)}))
    scopes = {
        "open": [library.scope(collections["open"]), library.scope(collections["open"], own)],
        "closed": [library.scope(collections["closed"])] * 2,
    }
    # A service of an earlier test may have left the log with an output that is closed by now.
    log.configure(json=True)
    source = CodeReader(connect(library.db.url("search"), pool_size=2), BOOK)
    with contextlib.closing(ScopeIndex(source, BOOK)) as lists:
        lists.load()
        yield World(library, database, Stacks(library), library.subject(reader), collections, scopes, lists)
