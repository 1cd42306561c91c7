"""Documents change their place: one by its id, or a collection as a folder says that is held against it."""

import uuid
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, UploadFile
from pydantic import Field

from app.acl.manifest import MAX_LINE
from app.acl.sync import Relocation, Synced
from app.admin import documents as admin
from app.db.session import WriteSession
from app.guardrail.redactor import Redactor
from app.identity.names import names_of
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Changing, ComponentsOf, CuratorCaller, public_id
from app.web.http.route_table import BULK

router = APIRouter(tags=[BULK])


class MoveBody(ApiModel):
    """A document's new place."""

    path: str = Field(description="its new path in the collection; the ending stays", examples=["archive/leave.md"])


class ReadersOut(ApiModel):
    """How many of the moved documents a person reads now and did not, and no longer reads."""

    user: str
    gains: int
    loses: int


class MovedOut(ApiModel):
    """A document and its old and new path."""

    id: uuid.UUID
    old_path: str
    path: str


class MoveOut(MovedOut):
    """A document that was moved, and who gains and loses by it: its new folders have rules of their own."""

    people: list[ReadersOut]


class GoneOut(ApiModel):
    """A document whose path is not in the manifest."""

    id: uuid.UUID
    path: str


class SyncForm(ApiModel):
    """A manifest of the folder, and with a fingerprint the order to make the collection like it."""

    file: UploadFile = Field(
        description="a line for each file as sha256sum writes it: the hash, two spaces, the path; '-' for the hash: "
        "what stands there and below is left as it is"
    )
    fingerprint: str | None = Field(None, description="of the answer that was looked at; unset: nothing is changed")
    allow_large_removal: bool = Field(False, description="also where more than a fifth of the collection would go")


class SyncOut(ApiModel):
    """How the collection differs from the folder. What is new or changed is for uploads; `people` is about `moved`.

    `changed` holds also what you may not compare. `applied`: moves and removals were made, all of them together.
    """

    fingerprint: str
    applied: bool
    documents: int = Field(description="in the collection, before")
    large: bool = Field(description="more than a fifth of them would go: say allow_large_removal")
    new: list[str]
    changed: list[str]
    unchanged: int
    kept: int = Field(description="documents at or below what the manifest lists without a hash")
    moved: list[MovedOut]
    gone: list[GoneOut]
    people: list[ReadersOut]


@router.patch("/documents/{document}")
def move(document: str, body: MoveBody, subject: CuratorCaller, session: Changing, parts: ComponentsOf) -> MoveOut:
    """Move a document within its collection (curate): id, text and own rule stay; its new folders' rules count."""
    relocation = admin.move_document(session, subject, public_id(document), body.path)
    [moved] = relocation.moved
    old_path = Redactor(parts.redaction)(moved.old_path)
    return MoveOut(id=moved.document, old_path=old_path, path=moved.path, people=_people(session, relocation))


@router.post("/collections/{name}/sync")
def sync_collection(
    name: str,
    form: Annotated[SyncForm, Form(media_type="multipart/form-data")],
    subject: CuratorCaller,
    session: Changing,
    parts: ComponentsOf,
) -> SyncOut:
    """Hold a folder's list of files against the collection (curate); with the answer's fingerprint, make it like that.

    Documents that moved keep id, text and own rule; those that are gone are removed. Both happen, or neither.
    """
    # No line is read further than it may be long.
    manifest = iter(partial(form.file.file.readline, MAX_LINE + 1), b"")
    clean = Redactor(parts.redaction)
    if form.fingerprint is None:
        return _wire(session, clean, admin.compare_with_folder(session, subject, name, manifest), applied=False)
    synced = admin.follow_folder(
        session,
        subject,
        name,
        manifest,
        fingerprint=form.fingerprint,
        allow_large_removal=form.allow_large_removal,
    )
    return _wire(session, clean, synced, applied=True)


def _wire(session: WriteSession, clean: Redactor, synced: Synced, *, applied: bool) -> SyncOut:
    found = synced.found
    return SyncOut(
        fingerprint=synced.fingerprint,
        applied=applied,
        documents=synced.documents,
        large=synced.large,
        new=list(found.new),
        changed=list(found.changed),
        unchanged=len(found.unchanged),
        kept=len(found.kept),
        moved=[MovedOut(id=d.public_id, old_path=clean(d.path), path=to) for d, to in found.moved],
        gone=[GoneOut(id=d.public_id, path=clean(d.path)) for d in found.gone],
        people=_people(session, synced.relocation),
    )


def _people(session: WriteSession, relocation: Relocation) -> list[ReadersOut]:
    names = names_of(session, relocation.people)
    people = (ReadersOut(user=names.get(u, str(u)), gains=g, loses=lost) for u, (g, lost) in relocation.people.items())
    return sorted(people, key=lambda person: person.user)
