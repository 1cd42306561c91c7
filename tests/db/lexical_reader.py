"""A reader who searches by words, and documents of given passages."""

import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from app.acl.rules import OwnRule
from app.acl.visible import Visible, visible_scopes
from app.db.session import Database, ReadSession
from app.indexing.terms import query_terms
from app.retrieval.lexical import Match, match
from app.retrieval.phrases import LexicalResult, find
from app.retrieval.query_syntax import parse
from ingest.document import DocumentPassage
from ingest.embed import index_passages
from ingest.write import NewVersion, write_version
from tests.support.library_db import EMBEDDER, LibraryDb

T = TypeVar("T")


def put(
    library: LibraryDb,
    collection: uuid.UUID,
    path: str,
    passages: Sequence[DocumentPassage],
    own: OwnRule | None = None,
) -> None:
    """A document with these passages."""
    with library.uploading(collection, {path: (library.scope(collection, own), path.encode())}) as (session, [job]):
        write_version(session, job, NewVersion(path, "text/plain", b""), index_passages(passages, EMBEDDER))


class Reader:
    """A person, and a search as the API makes it: in a read-only snapshot, under row-level security."""

    def __init__(self, library: LibraryDb, database: Database, name: str = "ada") -> None:
        self.id = library.person(name)
        self._library, self._database = library, database

    def sees(self, do: Callable[[ReadSession, Visible], T]) -> T:
        with self._database.reading(self.id) as session:
            return do(session, visible_scopes(session, self._library.subject(self.id)))

    def matches(self, question: str, limit: int = 20) -> list[Match]:
        return self.sees(lambda session, visible: match(session, visible, query_terms(question), limit=limit))

    def found(self, question: str, limit: int = 20) -> LexicalResult:
        return self.sees(lambda session, visible: find(session, visible, parse(question), limit=limit))

    def bound(self, question: str) -> tuple[object, ...]:
        """All that a search with operators shows, and what it makes of them for other legs."""
        found = self.found(question)
        return tuple(found.matches), found.conditions, found.unmatched

    def texts(self, found: LexicalResult) -> list[str]:
        of = "select text from chunk where id = :id"
        return [self._library.text(of, id=m.chunk_id) for m in found.matches]
