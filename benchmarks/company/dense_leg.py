"""The product's search for the nearest passages alone, in this process: what HTTP shows is fused with words."""

import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from app.acl.visible import visible_scopes
from app.db.engine import connect
from app.identity.subject import Subject
from app.indexing.quantizer import ProductQuantizer
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from benchmarks.world import EMBEDDER, Db, World


class DenseLeg:
    """Asked as some people; a context manager, since it holds connections and the lists."""

    def __init__(self, db: Db, names: Mapping[str, str]) -> None:
        self._api, world = db.api(), World(db)
        with db.admin() as connection:
            found = connection.execute("select name, id from app_user where name = any (%s)", [list(names.values())])
            ids: dict[str, uuid.UUID] = dict(found.fetchall())
        self._subjects: dict[str, Subject] = {share: world.subject(ids[name]) for share, name in names.items()}
        book = ProductQuantizer(EMBEDDER.dimensions)
        self._lists = ScopeIndex(CodeReader(connect(db.url("search"), pool_size=2), book), book)
        self._lists.load()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lists.close()
        self._api.close()

    def scopes(self, share: str) -> list[int]:
        """What this person reads."""
        with self._api.reading(self._subjects[share].user_id) as session:
            return list(visible_scopes(session, self._subjects[share]).scope_ids)

    def nearest(self, share: str, question: str, limit: int) -> list[int]:
        """The numbers of the nearest passages that this person reads, as a search finds them."""
        with self._api.reading(self._subjects[share].user_id) as session:
            visible = visible_scopes(session, self._subjects[share])
            seen = ReaderSnapshot(session, visible, visible_corpus(session, visible))
            found = nearest(seen, self._lists, EMBEDDER.embed_query(question), limit=limit)
        return [near.chunk_id for near in found.near]
