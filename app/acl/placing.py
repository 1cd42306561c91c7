"""Puts documents under rules: an upload on its way in, a document that gets another rule, one that goes.

Never reads their text: who curates a shelf does not thereby read it.
"""

import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from app.acl.policy import Change, Judge, refuse_self_grant
from app.acl.rules import Capability, OwnRule, Subject, effective
from app.acl.scopes import Move, chain, hold, nearest_folder, scope_for
from app.db.queue import defer_upload
from app.db.session import WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.library import Document, IngestJob
from app.errors import NotFound


@dataclass(frozen=True)
class Upload:
    """A file as it comes in: its path on the shelf, its bytes, and the rule it is to stand under."""

    path: str
    content: bytes
    own: OwnRule


@dataclass(frozen=True)
class Place:
    """Where a document stands, for who curates its collection."""

    id: int
    public_id: uuid.UUID
    version_id: uuid.UUID
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
    # Held before the folder is looked for: one that gets its rule beside us waits, and then finds this upload.
    hold(session, collection.id)
    folder = nearest_folder(session, collection.id, upload.path)
    scope_id = scope_for(session, collection, upload.own, folder)
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
    defer_upload(session, job.id, collection_id=collection.id, path=upload.path)
    return job.id, session.scalars(select(Scope.public_id).where(Scope.id == scope_id)).one()


def find_place(session: WriteSession, subject: Subject, public_id: uuid.UUID) -> Place:
    """Where a document stands, locked; raises NotFound unless the subject curates its collection."""
    curated = subject.curates if Capability.CURATE in subject.capabilities else frozenset()
    # The collection first, as everybody does who changes rules; then the document, so that what is read stands.
    shelf = session.scalar(
        select(Document.collection_id).where(Document.public_id == public_id, Document.collection_id.in_(curated))
    )
    if shelf is None:
        raise NotFound
    hold(session, shelf)
    session.execute(select(Document.id).where(Document.public_id == public_id).with_for_update())
    row = session.execute(
        select(Document, Collection, Scope.folder_id, Scope.own_rule)
        .join(Collection, Collection.id == Document.collection_id)
        .join(Scope, Scope.id == Document.scope_id)
        .where(Document.public_id == public_id, Document.collection_id == shelf)
    ).one_or_none()
    if row is None:
        raise NotFound
    found = row.Document
    own = OwnRule.from_json(row.own_rule)
    return Place(found.id, found.public_id, found.version_id, row.Collection, found.scope_id, row.folder_id, own)


def rule_document(
    session: WriteSession, subject: Subject, place: Place, own: OwnRule, *, judge: Judge = refuse_self_grant
) -> Change:
    """Give one document another rule: one column of one row; passages and vectors follow by their foreign keys."""
    above = chain(session, place.collection.id, place.folder_id)
    judge(session, subject, effective(*above, place.own), effective(*above, own))
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


def remove_document(session: WriteSession, place: Place) -> None:
    """Delete a document and all that was derived from it."""
    session.execute(delete(Document).where(Document.id == place.id))
