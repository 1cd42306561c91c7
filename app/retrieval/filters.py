"""Filters of a search: collections, a time, a folder. They narrow what is visible and never add to it."""

import datetime as dt
import uuid
from collections.abc import Collection as AnyCollection
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.visible import Visible
from app.db.engine import prepared
from app.db.session import ReadSession
from app.db.tables.access import Collection, Scope
from app.errors import NotFound
from app.identity.subject import Subject
from app.paths import folder_path, is_below
from app.retrieval.browse import list_collections

# The documents of passages, one by one by their keys: for many of them the planner would read all that is visible, and
# the index of the documents as a whole, hidden ones too (promise N3).
DOCUMENTS = prepared(
    """
    select c.id, d.path, d.updated_at
    from unnest(cast(:chunks as bigint[])) as c (id)
    cross join lateral (
      select document_id from chunk where chunk.id = c.id and chunk.scope_id = any (cast(:scopes as int[])) limit 1
    ) as k
    cross join lateral (select path, updated_at from document where document.id = k.document_id limit 1) as d
    """
)


@dataclass(frozen=True)
class SearchFilter:
    """Documents changed at or after `since`, before `until`, in `folder` or below it; what is not given is not checked.

    Raises InvalidInput for a folder that no document can lie in.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    folder: str = ""

    def __post_init__(self) -> None:
        if self.folder:
            object.__setattr__(self, "folder", folder_path(self.folder))

    @property
    def is_empty(self) -> bool:
        return self.since is None and self.until is None and not self.folder

    def matches(self, path: str, updated_at: dt.datetime) -> bool:
        return (
            (self.since is None or updated_at >= self.since)
            and (self.until is None or updated_at < self.until)
            and (not self.folder or is_below(path, self.folder))
        )


def restrict_to_collections(
    session: Session, subject: Subject, visible: Visible, names: Iterable[str]
) -> tuple[Visible, tuple[uuid.UUID, ...]]:
    """The visible scopes of these collections, and the collections' ids; all that is visible for no name.

    Raises NotFound if one is absent or not for the subject to see.
    """
    wanted = set(names)
    if not wanted:
        return visible, ()
    known = {c.id: c.name for c in list_collections(session, subject, visible) if c.name in wanted}
    if wanted - set(known.values()):
        raise NotFound
    query = select(Scope.id).join(Collection).where(Scope.id.in_(visible.scope_ids), Collection.id.in_(known))
    return visible.only(frozenset(session.scalars(query))), tuple(sorted(known))


def matching_chunks(
    session: ReadSession, visible: Visible, search_filter: SearchFilter, chunks: Sequence[int]
) -> AnyCollection[int]:
    """Those of these visible chunks whose documents pass the filter."""
    if search_filter.is_empty or not chunks:
        return frozenset(chunks)
    rows = session.execute(DOCUMENTS, {"chunks": list(chunks), "scopes": visible.scope_array})
    # Compared here and not in the database: a condition that is not leakproof would be evaluated after row-level
    # security, and keep the planner from the index.
    return frozenset(row.id for row in rows if search_filter.matches(row.path, row.updated_at))
