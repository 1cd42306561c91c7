"""Documents as their curators handle them: uploaded, moved, held against a folder, deleted. Curating is not reading."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from app.acl.change_guard import guard_change
from app.acl.manifest import parse_manifest
from app.acl.placement import Upload, lock_document, remove_document, resubmit, size_and_scope, submit
from app.acl.placement import remove_upload as remove_upload_row
from app.acl.rule_changes import role_ids, tag_grants
from app.acl.rules import OwnRule
from app.acl.sync import Moved, Relocation, Synced, remove_gone, sync
from app.acl.sync import move_document as relocate_document
from app.acl.unread import unread, upload_rule
from app.acl.visible import visible_scopes
from app.admin.audit_records import record_rule
from app.audit.actor import actor
from app.audit.events.answers import DocumentDeleted, DocumentUploaded, UploadRemoved
from app.audit.log import record
from app.db.session import Database, ReadSession, WriteSession
from app.db.tables.access import Collection
from app.errors import Conflict, EmptyFile, InvalidInput, Untagged
from app.identity.names import names_of
from app.identity.subject import Label, Subject, require_curator
from app.paths import normal_path
from app.retrieval.browse import Job, find_collection, find_job


@dataclass(frozen=True)
class UploadTags:
    """What an upload says of who may read it: roles by name, from `starts_at` to `ends_at`; denied roles always."""

    roles: list[str]
    deny: list[str]
    inherits: bool
    label: Label | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None


def upload_document(
    session: WriteSession, subject: Subject, *, collection: str, path: str, file: BinaryIO, tags: UploadTags
) -> tuple[Job, list[str]]:
    """Store a file and queue its indexing; the job, and a warning if nobody will be able to read it.

    Raises NotFound, MissingCapability, EmptyFile, Untagged, UnknownRole or InvalidInput.
    """
    target = curated_collection(session, subject, collection)
    content = file.read()
    if not content:
        raise EmptyFile("The file has no bytes; there is nothing to index.")
    upload = Upload(normal_path(path), content, own_rule(session, tags))
    job_id, scope = submit(session, subject, target, upload)
    event = DocumentUploaded(
        actor=actor(subject), job=job_id, collection=target.id, scope=str(scope), size=len(content)
    )
    record(session, event)
    return find_job(session, subject, job_id), unread(session, upload_rule(session, job_id), target.id)


def retry_upload(session: WriteSession, subject: Subject, job_id: uuid.UUID) -> Job:
    """Upload a failed file of one's own once more: the same bytes, path and tags, as a new upload.

    Raises NotFound for an upload of somebody else, MissingCapability for who no longer curates the collection, and
    Conflict for one that has not failed or was retried before.
    """
    job = find_job(session, subject, job_id)
    target = curated_collection(session, subject, job.collection)
    if job.state != "failed":
        raise Conflict(f"This upload has not failed: it is {job.state}.")
    retry = resubmit(session, target, job_id)
    if retry is None:
        raise Conflict("This upload was retried before; see how that one fares.")
    size, scope = size_and_scope(session, retry)
    event = DocumentUploaded(actor=actor(subject), job=retry, collection=target.id, scope=str(scope), size=size)
    record(session, event)
    return find_job(session, subject, retry)


def remove_upload(session: WriteSession, subject: Subject, job_id: uuid.UUID) -> None:
    """Remove an upload of one's own that has ended from the list, and its bytes if it failed.

    Raises NotFound for one of somebody else, Conflict for one that is on its way.
    """
    job = find_job(session, subject, job_id)
    if job.state in {"queued", "running"}:
        raise Conflict("This upload is on its way; it can be removed when it has ended.")
    if (collection := remove_upload_row(session, job_id)) is not None:
        record(session, UploadRemoved(actor=actor(subject), job=job_id, collection=collection))


def delete_document(session: WriteSession, subject: Subject, document: uuid.UUID) -> str:
    """Delete a document and all that was derived from it; the name of its collection. Raises NotFound."""
    place = lock_document(session, subject, document)
    remove_document(session, subject, place)
    _record_deletion(session, subject, place.collection.id, place.public_id, place.version_id)
    return place.collection.name


def move_document(session: WriteSession, subject: Subject, document: uuid.UUID, path: str) -> Relocation:
    """Give a document another path in its collection: id, text and own rule stay; its new folders' rules count."""
    place = lock_document(session, subject, document, alone=True)
    relocation = relocate_document(session, subject, place, path)
    for moved in relocation.moved:
        _record_move(session, subject, moved)
    return relocation


def foresee_move(database: Database, subject: Subject, document: uuid.UUID, path: str) -> dict[str, tuple[int, int]]:
    """Who would read the document at another path and does not now, and the other way round: (1, 0) and (0, 1) by name.

    Found out by moving it and rolling that back. Raises what `move_document` would.
    """
    with database.dry_run(subject.user_id) as trial:
        guard = guard_change(trial, subject)
        people = move_document(trial, subject, document, path).people
        guard()
        names = names_of(trial, people)
        return {names.get(person, str(person)): counts for person, counts in people.items()}


def compare_with_folder(session: WriteSession, subject: Subject, collection: str, manifest: Iterable[bytes]) -> Synced:
    """What `follow_folder` would do, found out by doing it and rolling it back. Raises what that would.

    `manifest`: the lines that list the folder (`app.acl.manifest`).
    """
    target = curated_collection(session, subject, collection)
    with session.begin_nested() as trial:
        compared = sync(session, subject, target, parse_manifest(manifest))
        # Nothing of the trial is left to check at the end: what could not be applied is refused here.
        guard_change(session, subject)()
        trial.rollback()
    return compared


def follow_folder(
    session: WriteSession,
    subject: Subject,
    collection: str,
    manifest: Iterable[bytes],
    *,
    fingerprint: str,
    allow_large_removal: bool,
) -> Synced:
    """Make the collection like the folder: move what moved and remove what is gone, whole or not at all.

    Raises PlanStale unless the fingerprint is the one of what `compare_with_folder` shows now, Conflict for more than a
    fifth of the collection.
    """
    target = curated_collection(session, subject, collection)
    synced = sync(session, subject, target, parse_manifest(manifest))
    remove_gone(session, synced, fingerprint, allow_large_removal=allow_large_removal)
    for moved in synced.relocation.moved:
        _record_move(session, subject, moved)
    for gone in synced.found.gone:
        _record_deletion(session, subject, target.id, gone.public_id, gone.version_id)
    return synced


def curated_collection(session: ReadSession | WriteSession, subject: Subject, name: str) -> Collection:
    """The collection of that name, for its curators; raises NotFound or MissingCapability."""
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    require_curator(subject, found.id)
    return found


def own_rule(session: WriteSession, tags: UploadTags) -> OwnRule:
    """The rule that the tags of an upload stand for; raises Untagged, UnknownRole or InvalidInput."""
    if not tags.roles and not tags.inherits:
        raise Untagged(
            "Give at least one role tag ('roles'), or 'inherits' for what its folder and collection say; untagged "
            "documents are refused, never open to everybody."
        )
    if any(t is not None and t.tzinfo is None for t in (tags.starts_at, tags.ends_at)):
        raise InvalidInput("Give starts_at and ends_at with their zone, as in 2027-01-01T00:00:00Z.")
    if tags.starts_at and tags.ends_at and tags.starts_at >= tags.ends_at:
        raise InvalidInput("starts_at must lie before ends_at.")
    known = role_ids(session, sorted({*tags.roles, *tags.deny}))
    allowed, denied = {r: known[r] for r in tags.roles}, {r: known[r] for r in tags.deny}
    grants = tag_grants(allowed, denied, starts_at=tags.starts_at, ends_at=tags.ends_at)
    # The tags decide alone, unless the upload says that it inherits as well.
    return OwnRule(grants, tags.inherits, tags.label)


def _record_move(session: WriteSession, subject: Subject, moved: Moved) -> None:
    """A document's whole rule in its old place and in its new one. No path: an auditor reads the log alone."""
    record_rule(session, subject, "document.moved", f"document:{moved.document}", moved.change)


def _record_deletion(
    session: WriteSession, subject: Subject, collection: uuid.UUID, document: uuid.UUID, version: uuid.UUID
) -> None:
    event = DocumentDeleted(actor=actor(subject), document=document, version=version, collection=collection)
    record(session, event)
