"""The curators' routes: upload, follow, re-rule and delete documents."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, UploadFile
from pydantic import Field

from app.acl.placement import lock_document
from app.admin import documents as admin
from app.admin.document_rows import CuratedDocument, list_curated_documents
from app.admin.documents import UploadTags
from app.admin.rules import document_warnings, set_document_rule
from app.identity.subject import Label
from app.retrieval.browse import find_job, list_jobs
from app.retrieval.document_list import DocumentFilter
from app.settings import LabelName
from app.web.api.documents import ContainsQuery, FolderQuery, OrderOf
from app.web.api.rule_schemas import to_rule, to_wire
from app.web.api.schemas import AccessBody, AccessChanged, AccessOut, ApiModel, CuratedDocumentOut, JobOut
from app.web.http.dependencies import Changing, ComponentsOf, CuratorCaller, Reading, Writing, public_id
from app.web.http.paging import PageOf
from app.web.http.route_table import BULK

router = APIRouter(tags=[BULK])


class TagsForm(ApiModel):
    """Who may read what is uploaded."""

    roles: list[str] = Field(default_factory=list, description="role tags; 'everyone' is every signed-in person")
    deny: list[str] = Field(default_factory=list, description="roles that may not read it, whatever else says so")
    inherits: bool = Field(False, description="also as its folder and collection say; then it needs no role tag")
    label: LabelName | None = Field(None, description="unset: the label of its folder or collection")
    starts_at: dt.datetime | None = Field(None, description="the tags count from then on")
    ends_at: dt.datetime | None = Field(None, description="the tags count until then")

    @property
    def tags(self) -> UploadTags:
        label = None if self.label is None else Label.parse(self.label)
        return UploadTags(self.roles, self.deny, self.inherits, label, self.starts_at, self.ends_at)


class UploadForm(TagsForm):
    """A document and its role tags."""

    file: UploadFile = Field(description="the document")
    path: str | None = Field(None, description="its path in the collection; unset: the file's name")


@router.post("/collections/{name}/documents", status_code=202)
def upload(
    name: str,
    form: Annotated[UploadForm, Form(media_type="multipart/form-data")],
    subject: CuratorCaller,
    session: Writing,
) -> JobOut:
    """Upload a document with its role tags (curate). The answer names the job; follow it at /jobs/{id}."""
    path, file = form.path or form.file.filename or "", form.file.file
    job, warnings = admin.upload_document(session, subject, collection=name, path=path, file=file, tags=form.tags)
    return JobOut.model_validate(job).model_copy(update={"warnings": warnings})


def filter_of_collection(name: str, folder: FolderQuery = None, contains: ContainsQuery = None) -> DocumentFilter:
    """A dependency: which documents of a collection a list is to have."""
    return DocumentFilter(name, folder, contains or None)


@router.get("/collections/{name}/documents")
def curated_documents(
    subject: CuratorCaller,
    session: Reading,
    parts: ComponentsOf,
    page: PageOf,
    where: Annotated[DocumentFilter, Depends(filter_of_collection)],
    order: OrderOf = "path",
) -> list[CuratedDocumentOut]:
    """The documents of a collection, with how many people may read each (curate)."""
    found = list_curated_documents(session, subject, parts.checks, page, where, order)
    return [_curated_document(document) for document in found]


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


@router.post("/jobs/{job}/retry", status_code=202)
def retry(job: str, subject: CuratorCaller, session: Writing) -> JobOut:
    """Upload a failed file once more, as it was asked for (curate). The answer names the new job."""
    return JobOut.model_validate(admin.retry_upload(session, subject, public_id(job)))


@router.delete("/jobs/{job}", status_code=204)
def remove_job(job: str, subject: CuratorCaller, session: Writing) -> None:
    """Remove one of your uploads that has ended, and its bytes if it failed."""
    admin.remove_upload(session, subject, public_id(job))


@router.delete("/documents/{document}", status_code=204)
def remove(document: str, subject: CuratorCaller, session: Changing) -> None:
    """Delete a document and all that was derived from it (curate)."""
    admin.delete_document(session, subject, public_id(document))


@router.get("/documents/{document}/access")
def rule(document: str, subject: CuratorCaller, session: Writing) -> AccessOut:
    """The document's own rule, for the curators of its collection."""
    return to_wire(session, lock_document(session, subject, public_id(document)).own)


@router.put("/documents/{document}/access")
def change_rule(document: str, body: AccessBody, subject: CuratorCaller, session: Changing) -> AccessChanged:
    """Replace the document's own rule (curate). `inherits: true` without grants or label is plain inheritance."""
    place = lock_document(session, subject, public_id(document))
    change = set_document_rule(session, subject, place, to_rule(session, body))
    return AccessChanged(**to_wire(session, change.after).model_dump(), warnings=document_warnings(session, place))


def _curated_document(document: CuratedDocument) -> CuratedDocumentOut:
    upload = None if document.upload is None else JobOut.model_validate(document.upload)
    return CuratedDocumentOut(**(vars(document) | {"label": document.label.text, "upload": upload}))
