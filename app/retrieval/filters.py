"""What a search is about: some shelves, a time, a folder. It can only leave out; what is visible stays what it is."""

import datetime as dt
from collections.abc import Collection as Group
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from app.acl.visible import Visible
from app.db.session import ReadSession, prepared
from app.db.tables.access import Collection, Scope
from app.errors import NotFound
from app.identity.subject import Subject
from app.paths import folder_path, is_below
from app.retrieval.browse import list_collections

CHUNKS = bindparam("chunks", type_=ARRAY(BigInteger))
# The first lock, as one value: a thousand scopes as parameters of their own cost milliseconds.
VISIBLE = text("chunk.scope_id = any (cast(:scopes as int[]))")
# The documents of passages, one by one by their keys: for many of them the planner would read all that is visible, and
# the index of the documents as a whole, hidden ones too (promise N3).
OF_PASSAGES = prepared(
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
class About:
    """Documents changed at or after `since`, before `until`, in `folder` or below it; each of them if it is given.

    Raises InvalidInput for a folder that no document can lie in.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    folder: str = ""

    def __post_init__(self) -> None:
        if self.folder:
            object.__setattr__(self, "folder", folder_path(self.folder))

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.since is None and self.until is None and not self.folder

    def holds(self, path: str, updated_at: dt.datetime) -> bool:
        """Whether a document is meant."""
        return (
            (self.since is None or updated_at >= self.since)
            and (self.until is None or updated_at < self.until)
            and (not self.folder or is_below(path, self.folder))
        )


def on_shelves(session: Session, subject: Subject, visible: Visible, names: Iterable[str]) -> Visible:
    """The visible scopes of these collections; raises NotFound if one is absent or not for the subject to see."""
    wanted = set(names)
    known = {c.id: c.name for c in list_collections(session, subject, visible) if c.name in wanted}
    if wanted - set(known.values()):
        raise NotFound
    query = select(Scope.id).join(Collection).where(Scope.id.in_(visible.scope_ids), Collection.id.in_(known))
    return visible.only(frozenset(session.scalars(query)))


def of_documents(session: ReadSession, visible: Visible, about: About, chunks: Sequence[int]) -> Group[int]:
    """Those of these visible chunks whose documents are meant."""
    if about.everything or not chunks:
        return frozenset(chunks)
    rows = session.execute(OF_PASSAGES, {"chunks": list(chunks), "scopes": visible.scope_array})
    # Judged here and not in the database: a condition that is not leakproof would be judged there after the locks too,
    # and keep the planner from the index.
    return frozenset(row.id for row in rows if about.holds(row.path, row.updated_at))
