"""Uploading: files chosen or dropped, what that would do before it is done, and how uploads fare."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from app.admin.documents import UploadTags, curated_collection, remove_upload, retry_upload
from app.admin.place_access import folder_access
from app.admin.roles import list_roles
from app.admin.upload_preview import MAX_LINE, PlannedUpload, parse_files, preview_upload
from app.db.paging import Page
from app.identity.subject import Label
from app.retrieval.browse import list_jobs
from app.settings import LabelName
from app.web.console.fields import day_start
from app.web.console.library.words import rule_words
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import ComponentsOf, CuratorCaller, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
# Roles that are offered; an upload is tagged with few.
MANY = 500
JobState = Literal["queued", "running", "indexed", "unchanged", "failed"]


class PreviewSheet(BaseModel):
    """A list of files, a line each with its size, and the tags that they are to have."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile
    roles: list[str] = Field(default_factory=list)
    deny: list[str] = Field(default_factory=list)
    inherits: bool = False
    label: LabelName | Literal[""] = ""
    starts: str = ""
    ends: str = ""

    @property
    def tags(self) -> UploadTags:
        label = Label.parse(self.label) if self.label else None
        starts, ends = day_start(self.starts, "starts"), day_start(self.ends, "ends")
        return UploadTags(self.roles, self.deny, self.inherits, label, starts, ends)


@router.get("/collections/{name}/upload")
def upload_page(
    viewer: ViewerOf, subject: CuratorCaller, session: Reading, parts: ComponentsOf, name: str, folder: Text = ""
) -> Response:
    """Where files are chosen, and what they are tagged with."""
    curated_collection(session, subject, name)
    place = folder_access(session, subject, name, folder, Page(limit=1), rule_words(viewer))
    roles = list_roles(session, subject, Page(limit=MANY))
    values = {"place": place, "roles": roles, "max_mb": parts.settings.api.max_body_mb}
    return page(viewer, "library/upload.html", values)


@router.post("/collections/{name}/upload/preview")
def preview(
    viewer: ViewerOf,
    subject: CuratorCaller,
    parts: ComponentsOf,
    name: str,
    form: Annotated[PreviewSheet, Form(media_type="multipart/form-data")],
) -> Response:
    """Who would gain and lose what by the upload of these files, and what is odd about it. Nothing is sent yet."""
    files = parse_files(iter(partial(form.file.file.readline, MAX_LINE + 1), b""))
    planned, max_mb = PlannedUpload(name, files, form.tags), parts.settings.api.max_body_mb
    found = preview_upload(parts.database, subject, parts.checks, planned, max_mb=max_mb)
    return page(viewer, "library/upload_sheet.html", {"preview": found})


@router.get("/jobs")
def jobs(
    viewer: ViewerOf, subject: CuratorCaller, session: Reading, listing: ListingOf, state: JobState | None = None
) -> Response:
    """One's own uploads, newest first."""
    found = list_jobs(session, subject, listing.page, state=state)
    template = "jobs.html"
    if viewer.part:
        template = "job_list.html" if listing.first else "job_rows.html"
    return page(viewer, f"library/{template}", {"jobs": found, "listing": listing, "state": state or ""})


@router.post("/jobs/{job}/retry")
def retry(viewer: ViewerOf, subject: CuratorCaller, session: Writing, job: str) -> Response:
    """Upload a failed file once more."""
    retry_upload(session, subject, public_id(job))
    return go_to(viewer, "/jobs")


@router.post("/jobs/{job}/remove")
def remove(viewer: ViewerOf, subject: CuratorCaller, session: Writing, job: str) -> Response:
    """Take an upload that has ended off the list, and its bytes with it if it failed."""
    remove_upload(session, subject, public_id(job))
    return go_to(viewer, "/jobs")
