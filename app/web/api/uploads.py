"""The curators' routes: upload, follow, re-rule and delete documents."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Form, UploadFile
from pydantic import Field

from app.acl.placement import Upload, find_place, remove_document, rule_document, submit
from app.acl.rule_changes import need_curator, role_ids, tag_grants, tagged_rule
from app.acl.rules import OwnRule
from app.acl.unread import document_rule, unread, upload_rule
from app.acl.visible import visible_scopes
from app.audit.actor import actor
from app.audit.events import DocumentUploaded
from app.audit.log import record
from app.db.session import WriteSession
from app.errors import EmptyFile, InvalidInput, Untagged
from app.identity.subject import Label
from app.paths import normal_path
from app.retrieval.browse import find_collection, find_job, list_jobs
from app.settings import LabelName
from app.web.api.rule_schemas import to_rule, to_wire
from app.web.api.schemas import AccessBody, AccessChanged, AccessOut, JobOut, Wire
from app.web.http.dependencies import Changing, CuratorCaller, Reading, Writing, public_id
from app.web.http.paging import PageOf
from app.web.http.route_table import BULK
from app.web.policy_log import log_document, log_removal

router = APIRouter(tags=[BULK])


class UploadForm(Wire):
    """A document and its role tags."""

    file: UploadFile = Field(description="the document")
    path: str | None = Field(None, description="its place on the shelf; unset: the file's name")
    roles: list[str] = Field(default_factory=list, description="role tags; 'everyone' is every signed-in person")
    deny: list[str] = Field(default_factory=list, description="roles that may not read it, whatever else says so")
    inherits: bool = Field(False, description="also as its folder and collection say; then it needs no role tag")
    label: LabelName | None = Field(None, description="unset: the label of its folder or collection")
    starts_at: dt.datetime | None = Field(None, description="the tags count from then on")
    ends_at: dt.datetime | None = Field(None, description="the tags count until then")


@router.post("/collections/{name}/documents", status_code=202)
def upload(
    name: str,
    form: Annotated[UploadForm, Form(media_type="multipart/form-data")],
    subject: CuratorCaller,
    session: Writing,
) -> JobOut:
    """Upload a document with its role tags (curate). The answer names the job; follow it at /jobs/{id}."""
    shelf = find_collection(session, subject, visible_scopes(session, subject), name)
    need_curator(subject, shelf.id)
    content = form.file.file.read()
    if not content:
        raise EmptyFile("The file has no bytes; there is nothing to index.")
    incoming = Upload(normal_path(form.path or form.file.filename or ""), content, _tagged(session, form))
    job_id, scope = submit(session, subject, shelf, incoming)
    event = DocumentUploaded(actor=actor(subject), job=job_id, collection=shelf.id, scope=str(scope), size=len(content))
    record(session, event)
    sent = JobOut.model_validate(find_job(session, subject, job_id))
    return sent.model_copy(update={"warnings": unread(session, upload_rule(session, job_id), shelf.id)})


@router.get("/jobs")
def jobs(
    subject: CuratorCaller,
    session: Reading,
    page: PageOf,
    state: Literal["queued", "running", "indexed", "unchanged", "failed"] | None = None,
) -> list[JobOut]:
    """Your own uploads, newest first."""
    return [JobOut.model_validate(job) for job in list_jobs(session, subject, page, state=state)]


@router.get("/jobs/{job}")
def job_state(job: str, subject: CuratorCaller, session: Reading) -> JobOut:
    """How one of your uploads fares."""
    return JobOut.model_validate(find_job(session, subject, public_id(job)))


@router.delete("/documents/{document}", status_code=204)
def remove(document: str, subject: CuratorCaller, session: Changing) -> None:
    """Delete a document and all that was derived from it (curate)."""
    place = find_place(session, subject, public_id(document))
    remove_document(session, subject, place)
    log_removal(session, subject, place.collection.id, place.public_id, place.version_id)


@router.get("/documents/{document}/access")
def rule(document: str, subject: CuratorCaller, session: Writing) -> AccessOut:
    """The document's own rule, for the curators of its collection."""
    return to_wire(session, find_place(session, subject, public_id(document)).own)


@router.put("/documents/{document}/access")
def change_rule(document: str, body: AccessBody, subject: CuratorCaller, session: Changing) -> AccessChanged:
    """Replace the document's own rule (curate). `inherits: true` without grants or label is plain inheritance."""
    place = find_place(session, subject, public_id(document))
    own = to_rule(session, body)
    log_document(session, subject, place.public_id, rule_document(session, subject, place, own))
    warnings = unread(session, document_rule(session, place.public_id), place.collection.id)
    return AccessChanged(**to_wire(session, own).model_dump(), warnings=warnings)


def _tagged(session: WriteSession, form: UploadForm) -> OwnRule:
    """The own rule that the tags stand for; raises Untagged, UnknownRole or InvalidInput."""
    if not form.roles and not form.inherits:
        raise Untagged(
            "Give at least one role tag ('roles'), or 'inherits' for what its folder and collection say; untagged "
            "documents are refused, never open to everybody."
        )
    if any(t is not None and t.tzinfo is None for t in (form.starts_at, form.ends_at)):
        raise InvalidInput("Give starts_at and ends_at with their zone, as in 2027-01-01T00:00:00Z.")
    if form.starts_at and form.ends_at and form.starts_at >= form.ends_at:
        raise InvalidInput("starts_at must lie before ends_at.")
    known = role_ids(session, sorted({*form.roles, *form.deny}))
    allowed, denied = {r: known[r] for r in form.roles}, {r: known[r] for r in form.deny}
    grants = tag_grants(allowed, denied, starts_at=form.starts_at, ends_at=form.ends_at)
    return tagged_rule(grants, None if form.label is None else Label.parse(form.label), inherits=form.inherits)
