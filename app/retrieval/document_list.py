"""Lists of documents: those that a subject may read, and those that they curate, a page at a time.

A page is taken from each collection that the subject curates, and from each scope that they see elsewhere: as many rows
of each as a page has, by an index in the order of the list. So neither what is hidden nor what stands on other pages is
looked at (promise N3), and a deep page costs what the first one does.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ARRAY, TextClause, Uuid, bindparam, select, text
from sqlalchemy.orm import Session

from app.acl.visible import Visible
from app.db.paging import Page, encode_place
from app.db.tables.library import Document, Original
from app.errors import NotFound
from app.identity.subject import Subject
from app.paths import folder_path
from app.retrieval.browse import DocumentEntry, curated, find_document

# By collection and path, or what changed last first.
DocumentOrder = Literal["path", "changed"]
ORDERS: tuple[DocumentOrder, ...] = get_args(DocumentOrder)

# A page's rows of each collection that the subject curates, and of each scope that they see elsewhere. Of the scopes
# that come first by their first documents, as many as a page has rows: whatever stands on the page is in one of these,
# for the first document of its scope stands before it. Of fifteen hundred scopes all but a hundred are so asked for one
# row alone; and by change, nothing that is older than the first documents of so many scopes is on the page.
_CURATED = r"""
select c.name, d.id, d.path, d.updated_at, d.public_id
from collection c
cross join lateral (
  select d.id, d.path, d.updated_at, d.public_id from document d
  where d.collection_id = c.id{documents} order by {order} limit :limit
) d
where c.id = any (:curated) and c.name not like '\_%'{collections}
"""
_FIRST = r"""
first as materialized (
  select s.id, c.name{age}
  from scope s
  join collection c on c.id = s.collection_id
  cross join lateral (
    select d.path, d.updated_at, d.public_id from document d
    where d.scope_id = s.id{documents} order by {order} limit 1
  ) d
  where s.id = any (cast(:scopes as int[])) and s.collection_id <> all (:curated) and c.name not like '\_%'{collections}
  order by {first} limit :limit
),
"""
_SEEN = r"""
select c.name, d.id, d.path, d.updated_at, d.public_id
from first c
cross join lateral (
  select d.id, d.path, d.updated_at, d.public_id from document d
  where d.scope_id = c.id{documents}{not_older} order by {order} limit :limit
) d
"""
_PAGE = "with {first} listed as ({walks}) select l.id, l.name from listed l order by {order} limit :limit"
_NOT_OLDER = (
    " and d.updated_at >= (select case when count(*) = :limit then min(f.updated_at) else '-infinity' end from first f)"
)


@dataclass(frozen=True)
class DocumentFilter:
    """Which documents are listed: of a collection, below a folder, with a text in their path.

    The text counts in upper and lower case alike. It is for collections that the subject curates, who may know paths as
    they are; others are shown them redacted, and could find out by it what is taken out.

    Raises InvalidInput for a folder that no document can lie in.
    """

    collection: str | None = None
    folder: str | None = None
    contains: str | None = None

    def __post_init__(self) -> None:
        if self.folder is not None:
            object.__setattr__(self, "folder", folder_path(self.folder))


EVERY = DocumentFilter()


def list_documents(
    session: Session,
    subject: Subject,
    visible: Visible,
    page: Page,
    where: DocumentFilter = EVERY,
    order: DocumentOrder = "path",
) -> list[DocumentEntry]:
    """The documents of a page. Raises NotFound where it is to begin behind a document that the subject cannot see.

    By path, a page is continued after the id of its last document, not its path: paths are redacted before anybody sees
    them.
    """
    behind: Mapping[str, Any] = {}
    if page.after is not None and order == "path":
        last = find_document(session, subject, visible, _document_id(page.after))
        behind = {"last_name": last.collection, "last_path": last.document.path}
    elif (place := page.place(dt.datetime, uuid.UUID)) is not None:
        behind = dict(zip(("last_at", "last_id"), place, strict=True))
    statement = _statement(subject, where, order, begins=not behind)
    given = {
        "curated": sorted(curated(subject)),
        "scopes": visible.scope_array,
        "limit": page.limit + 1,
        "collection": where.collection,
        "folder": where.folder,
        "contains": where.contains,
        **behind,
    }
    names = {row.id: row.name for row in session.execute(statement, given)}
    rows = session.execute(
        select(Document, Original.title)
        .outerjoin(Original, (Original.document_id == Document.id) & visible.has(Original.scope_id.expression))
        .where(Document.id.in_(names))
    )
    entries = {row.Document.id: DocumentEntry(row.Document, names[row.Document.id], row.title) for row in rows}
    found = [entries[number] for number in names if number in entries]
    if order == "path":
        return page.first(found, lambda entry: str(entry.document.public_id))
    return page.first(found, lambda entry: encode_place([entry.document.updated_at, entry.document.public_id]))


def _document_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None


def _statement(subject: Subject, where: DocumentFilter, order: DocumentOrder, *, begins: bool) -> TextClause:
    """The statement that finds a page's documents in their order. Who curates nothing needs no walk of that."""
    documents, collections = "", ""
    if where.folder is not None:
        # Paths compare by their bytes: '0' is what follows '/'.
        documents += " and d.path > :folder || '/' and d.path < :folder || '0'"
    if where.contains is not None:
        documents += ' and strpos(lower(d.path collate "default"), lower(:contains)) > 0'
    if where.collection is not None:
        collections += " and c.name = :collection"
    if order == "path":
        within, first, ordered = "d.path", "c.name, d.path", "l.name, l.path"
        if not begins:
            documents += " and d.path > case when c.name = :last_name then :last_path else '' end"
            collections += " and c.name >= :last_name"
    else:
        within = first = "d.updated_at desc, d.public_id desc"
        ordered = "l.updated_at desc, l.public_id desc"
        if not begins:
            documents += " and (d.updated_at, d.public_id) < (:last_at, :last_id)"
    given = {"documents": documents, "order": within, "first": first, "collections": collections}
    # By path, an index that holds the paths alone is to do.
    given["age"], given["not_older"] = (", d.updated_at", _NOT_OLDER) if order == "changed" else ("", "")
    walks = [_CURATED] if where.contains is not None or curated(subject) else []
    # Paths of what is only read are shown redacted: a text in them is not looked for.
    walks += [_SEEN] if where.contains is None else []
    rows = " union all ".join(f"({walk.format(**given)})" for walk in walks)
    firsts = _FIRST.format(**given) if _SEEN in walks else ""
    page = text(_PAGE.format(first=firsts, walks=rows, order=ordered))
    return page.bindparams(bindparam("curated", type_=ARRAY(Uuid)))
