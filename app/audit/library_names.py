"""What documents and collections in records were called at that moment, for who may know it now.

Records have ids alone. Row-level security gives a name to whoever may read now what the document or collection is
called; the right to read the log gives none. Exports and deliveries do not ask: these are of the log alone.
"""

import datetime as dt
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    any_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.audit.record_names import ids_in
from app.db.tables.access import Scope
from app.db.tables.library import Document
from app.db.tables.library_names import CollectionNameHistory, PathHistory, TitleHistory
from app.evidence.records import part
from app.identity.subject import Capability, Subject

Kind = Literal["title", "path", "collection"]
Names = dict[tuple[Kind, uuid.UUID], list[tuple[dt.datetime, str]]]


@dataclass(frozen=True)
class NameReader:
    """To whom names are shown, and what redacts a title or path, as wherever documents are listed."""

    subject: Subject
    clean: Callable[[str], str]


def library_names(
    session: Session, reader: NameReader, records: Iterable[tuple[Mapping[str, Any] | None, dt.datetime]]
) -> list[dict[str, str]]:
    """Of records with the moments at which the database took them: by its id, what each document and collection in one
    was called, as far as the reader may know it. One statement for all of them.
    """
    given = [(sorted(set(_library_ids(record))), at) for record, at in records]
    called = _load(session, reader.subject, {each for ids, _ in given for each in ids})
    curates = Capability.CURATE in reader.subject.capabilities

    def name(subject: uuid.UUID, at: dt.datetime) -> str | None:
        title, path = (_at(called.get((kind, subject)), at) for kind in ("title", "path"))
        if title is not None and path is not None:
            return f"{reader.clean(title)} ({reader.clean(path)})"
        # Without a title: of a document that the reader curates and may not read.
        if path is not None:
            return reader.clean(path) if curates else None
        return _at(called.get(("collection", subject)), at)

    found = [[(str(each), name(each, at)) for each in ids] for ids, at in given]
    return [{each: name for each, name in names if name is not None} for names in found]


def _library_ids(record: Mapping[str, Any] | None) -> Iterator[uuid.UUID]:
    """The ids that may be of documents and collections, also where a record lists many."""
    yield from ids_in(record)
    yield from ids_in(part(record, "documents"))
    # The rule of a folder stands behind the id of its collection: `collection:…/folder`.
    target = part(record, "target")
    yield from ids_in(target.partition("/")[0] if isinstance(target, str) else None)
    passages = part(record, "passages")
    for passage in passages if isinstance(passages, list) else ():
        yield from ids_in(part(passage, "document"))


def _at(called: list[tuple[dt.datetime, str]] | None, at: dt.datetime) -> str | None:
    """What it was called then, and before all that is known, first."""
    if not called:
        return None
    return called[max(bisect_right(called, at, key=lambda each: each[0]) - 1, 0)][1]


def _load(session: Session, subject: Subject, ids: set[uuid.UUID]) -> Names:
    if not ids:
        return {}
    wanted = any_(cast(list(ids), ARRAY(Uuid)))
    titles = _names("title", TitleHistory.document, TitleHistory.title, wanted)
    paths = _names("path", PathHistory.document, PathHistory.path, wanted)
    collections = _names("collection", CollectionNameHistory.collection_id, CollectionNameHistory.name, wanted)
    every = union_all(
        titles.where(_in_reach(TitleHistory.document)),
        paths.where(or_(_in_reach(PathHistory.document), _in_reach(PathHistory.document, curated=_curated(subject)))),
        collections.where(_listed(subject)),
    ).subquery()
    found: Names = {}
    for kind, named, since, _, name in session.execute(select(every).order_by(every.c.valid_from, every.c.id)):
        found.setdefault((kind, named), []).append((since, name))
    return found


def _names(
    kind: Kind, named: InstrumentedAttribute[uuid.UUID], name: InstrumentedAttribute[str], wanted: ColumnElement[Any]
) -> Select[Any]:
    history = named.class_
    columns = (literal(kind).label("kind"), named.label("named"), history.valid_from, history.id, name.label("name"))
    return select(*columns).where(named == wanted)


def _in_reach(
    document: InstrumentedAttribute[uuid.UUID], *, curated: frozenset[uuid.UUID] | None = None
) -> ColumnElement[bool]:
    """Whether the caller may read a document, or it is in a collection that they curate: asked of the document itself,
    beside row-level security, so that no name is shown by a hole in the one or the other.

    A value and no `exists`: that is joined to all documents of a reach, which may be most there are.
    """
    found = select(Document.id).where(Document.public_id == document)
    if curated is None:
        found = found.where(Document.scope_id == any_(_visible()))
    else:
        found = found.where(Document.collection_id.in_(curated))
    return found.limit(1).scalar_subquery().is_not(None)


def _visible() -> ColumnElement[Any]:
    return cast(select(func.clearance.visible_scopes()).scalar_subquery(), ARRAY(Integer))


def _curated(subject: Subject) -> frozenset[uuid.UUID]:
    return subject.curates if Capability.CURATE in subject.capabilities else frozenset[uuid.UUID]()


def _listed(subject: Subject) -> ColumnElement[bool]:
    """Whether lists show a collection to this subject: their key may do less than they may, which is all the database
    knows.
    """
    if Capability.ADMINISTER in subject.capabilities:
        return true()
    collection = CollectionNameHistory.collection_id
    reads = exists().where(Scope.collection_id == collection, Scope.id == any_(_visible()))
    return or_(reads, collection.in_(_curated(subject)))
