"""Puts documents under rules: an upload on its way in, a document that gets another rule or place, one that goes.

Never reads their text: who curates a collection does not thereby read it.
"""

import hashlib
import uuid
from collections.abc import Collection as Collected
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, Text, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.rule_changes import Change
from app.acl.rule_store import compose, intern_composed, intern_parts
from app.acl.rules import OwnRule
from app.acl.scopes import Move, nearest_folder, scope_for, share_collection
from app.db.queue import defer_upload
from app.db.session import WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.library import Document, IngestJob
from app.errors import Conflict, NotFound
from app.identity.subject import Capability, Label, Subject

PATHS = bindparam("paths", type_=ARRAY(Text))
COLLECTION = bindparam("collection", type_=Uuid)
AWAITED = text("select * from clearance.awaited(:collection, :paths)").bindparams(COLLECTION, PATHS)
# The nearest folder with a rule above each path, and the rule of the document that stands there.
STANDING = text(
    "select p.path, clearance.nearest_folder(:collection, p.path, null) as folder_id, s.rule_id"
    " from unnest(:paths) with ordinality as p (path, place)"
    " left join document d on d.collection_id = :collection and d.path = p.path left join scope s on s.id = d.scope_id"
    " order by p.place"
).bindparams(COLLECTION, PATHS)


@dataclass(frozen=True)
class Upload:
    """A file as it comes in: its path in the collection, its bytes, and the rule it is to stand under."""

    path: str
    content: bytes
    own: OwnRule


@dataclass(frozen=True)
class DocumentPlacement:
    """Where a document stands, for who curates its collection."""

    id: int
    public_id: uuid.UUID
    version_id: uuid.UUID
    path: str
    collection: Collection
    scope_id: int
    folder_id: uuid.UUID | None
    own: OwnRule


def submit(
    session: WriteSession, subject: Subject, collection: Collection, upload: Upload
) -> tuple[uuid.UUID, uuid.UUID]:
    """Store the upload and queue its work; returns the job's id and the scope's public id.

    Nothing here looks at the documents that are there already: what the answer says can betray none of them.
    """
    scope_id = _scope_of(session, subject, collection, upload)
    job = IngestJob(
        id=uuid.uuid4(),
        collection_id=collection.id,
        scope_id=scope_id,
        path=upload.path,
        uploaded_by=subject.user_id,
        content=upload.content,
        size=len(upload.content),
        sha256=hashlib.sha256(upload.content).digest(),
    )
    session.add(job)
    session.flush()
    defer_upload(session, job.id)
    return job.id, session.scalars(select(Scope.public_id).where(Scope.id == scope_id)).one()


def _scope_of(session: WriteSession, subject: Subject, collection: Collection, upload: Upload) -> int:
    """The scope of an upload. To make one is a change of access, and takes the epoch before the collection.

    Raises Conflict where the scope that was there will not do a moment later: a folder got a rule, or it was empty and
    was collected.
    """
    if _standing_scope(session, collection, upload) is None:
        guard_change(session, subject)
    # Held before the folder is looked for: one that gets its rule beside us waits, and then finds this upload.
    share_collection(session, collection.id)
    found = _standing_scope(session, collection, upload, held=True)
    if found is not None:
        return found
    if session.guard is None:
        raise Conflict("What decides who may read this path changed at this very moment. Send the upload again.")
    return scope_for(session, collection, upload.own, nearest_folder(session, collection.id, upload.path))


def _standing_scope(session: WriteSession, collection: Collection, upload: Upload, *, held: bool = False) -> int | None:
    """The scope of an upload if there is one; held, nobody collects it as idle."""
    found = select(Scope.id).where(
        Scope.collection_id == collection.id,
        Scope.folder_id.is_not_distinct_from(nearest_folder(session, collection.id, upload.path)),
        Scope.own_digest == upload.own.digest,
    )
    scope_id: int | None = session.scalar(found.with_for_update(read=True, key_share=True) if held else found)
    return scope_id


def lock_document(
    session: WriteSession, subject: Subject, public_id: uuid.UUID, *, alone: bool = False
) -> DocumentPlacement:
    """Where a document stands, locked; raises NotFound unless the subject curates its collection.

    `alone`: no upload to the collection and no change of its rules goes on beside the caller.
    """
    curated = subject.curates if Capability.CURATE in subject.capabilities else frozenset()
    # The collection first, as everybody does who changes rules; then the document, so that what is read stands.
    collection_id = session.scalar(
        select(Document.collection_id).where(Document.public_id == public_id, Document.collection_id.in_(curated))
    )
    if collection_id is None:
        raise NotFound
    if alone:
        session.execute(select(Collection.id).where(Collection.id == collection_id).with_for_update(key_share=True))
    else:
        share_collection(session, collection_id)
    session.execute(select(Document.id).where(Document.public_id == public_id).with_for_update())
    row = session.execute(
        select(Document, Collection, Scope.folder_id, Scope.own_rule)
        .join(Collection, Collection.id == Document.collection_id)
        .join(Scope, Scope.id == Document.scope_id)
        .where(Document.public_id == public_id, Document.collection_id == collection_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    found = row.Document
    own = OwnRule.from_json(row.own_rule)
    return DocumentPlacement(
        found.id, found.public_id, found.version_id, found.path, row.Collection, found.scope_id, row.folder_id, own
    )


def documents_on(
    session: Session, subject: Subject, scopes: Collected[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[uuid.UUID, str]]]:
    """The documents on each of these scopes, by its public id: their ids and paths, for who curates the collection."""
    curated = subject.curates if Capability.CURATE in subject.capabilities else frozenset()
    query = select(Scope.public_id, Document.public_id, Document.path).join(Document, Document.scope_id == Scope.id)
    query = query.where(Scope.public_id.in_(scopes), Document.collection_id.in_(curated)).order_by(Document.path)
    found: dict[uuid.UUID, list[tuple[uuid.UUID, str]]] = {}
    for scope, document, path in session.execute(query):
        found.setdefault(scope, []).append((document, path))
    return found


def resubmit(session: WriteSession, collection: Collection, job_id: uuid.UUID) -> uuid.UUID | None:
    """Upload the bytes of a failed upload once more, under the same own rule, and queue it; the new job's id.

    None where there are none any more. The scope is the one that the rule has by now: uploads that have ended move with
    the folders above them.
    """
    # As in `submit`: a folder that gets its rule beside us waits, and then finds this upload.
    share_collection(session, collection.id)
    new = uuid.uuid4()
    if not session.scalar(select(func.clearance.retry_upload(job_id, new))):
        return None
    defer_upload(session, new)
    return new


def remove_upload(session: WriteSession, job_id: uuid.UUID) -> uuid.UUID | None:
    """Remove an upload of one's own that has ended, and its bytes; the collection it was for, None if it is gone."""
    gone = delete(IngestJob).where(IngestJob.id == job_id).returning(IngestJob.collection_id)
    found: uuid.UUID | None = session.scalar(gone)
    return found


@dataclass(frozen=True)
class ExpectedPlacement:
    """Where an upload would put its document: the rule that stands there now, and the one to come.

    `replaces`: a document stands there; if none does, `before` is a rule under which nobody reads. `awaited`: another
    upload to the same path is on its way.
    """

    path: str
    before: int
    after: int
    replaces: bool
    awaited: bool


def expect_placements(
    session: WriteSession, subject: Subject, collection: Collection, paths: Sequence[str], own: OwnRule
) -> list[ExpectedPlacement]:
    """Where uploads to these paths, in normal form, with this own rule would put their documents.

    For curators of the collection, in a transaction that is rolled back: what no document stands under yet is made.
    """
    guard_change(session, subject)
    share_collection(session, collection.id)
    given = {"collection": collection.id, "paths": list(paths)}
    found = session.execute(STANDING, given).all()
    folders = {row.folder_id for row in found}
    scopes = {folder_id: scope_for(session, collection, own, folder_id) for folder_id in folders}
    rules = dict(session.execute(select(Scope.id, Scope.rule_id).where(Scope.id.in_(scopes.values()))).all())
    awaited = set(session.scalars(AWAITED, given))
    [nothing] = intern_parts(session, [frozenset()]).values()
    [nobody] = intern_composed(session, [compose(Label.RESTRICTED, nothing, None)]).values()
    return [
        ExpectedPlacement(
            row.path,
            nobody if row.rule_id is None else row.rule_id,
            rules[scopes[row.folder_id]],
            replaces=row.rule_id is not None,
            awaited=row.path in awaited,
        )
        for row in found
    ]


def scope_of_document(session: Session, public_id: uuid.UUID) -> int:
    """The scope of a document that the session's caller may see or curates."""
    return session.scalars(select(Document.scope_id).where(Document.public_id == public_id)).one()


def size_and_scope(session: Session, job_id: uuid.UUID) -> tuple[int, uuid.UUID]:
    """The bytes of an upload of one's own, and the public id of its scope."""
    found = select(IngestJob.size, Scope.public_id).join(Scope, Scope.id == IngestJob.scope_id)
    row = session.execute(found.where(IngestJob.id == job_id)).one()
    return row.size, row.public_id


def scope_of_upload(session: Session, job_id: uuid.UUID) -> int:
    return session.scalars(select(IngestJob.scope_id).where(IngestJob.id == job_id)).one()


def curated_path(session: Session, subject: Subject, public_id: uuid.UUID) -> str | None:
    """The path of a document of the collections that the subject curates; None for any other."""
    curated = subject.curates if Capability.CURATE in subject.capabilities else frozenset()
    found = select(Document.path).where(Document.public_id == public_id, Document.collection_id.in_(curated))
    path: str | None = session.scalar(found)
    return path


def rule_document(session: WriteSession, subject: Subject, place: DocumentPlacement, own: OwnRule) -> Change:
    """Give one document another rule: one column of one row; passages and vectors follow by their foreign keys."""
    guard_change(session, subject)
    scope_id = scope_for(session, place.collection, own, place.folder_id)
    # Also where nothing changes: uploads that were sent before now must not bring other tags.
    session.execute(
        update(Document)
        .where(Document.id == place.id)
        .values(scope_id=scope_id, ruled_at=func.now(), updated_at=func.now())
    )
    if scope_id == place.scope_id:
        return Change(place.own, own)
    rules = dict(session.execute(select(Scope.id, Scope.rule_id).where(Scope.id.in_((place.scope_id, scope_id)))).all())
    return Change(place.own, own, (Move(rules[place.scope_id], rules[scope_id], place.scope_id, 1),))


def remove_document(session: WriteSession, subject: Subject, place: DocumentPlacement) -> None:
    """Delete a document and all that was derived from it. An upload that waits at its path comes under its own tags."""
    guard_change(session, subject)
    session.execute(delete(Document).where(Document.id == place.id))
