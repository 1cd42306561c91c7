"""An upload foreseen: who would gain and lose what, before a byte is sent."""

import datetime as dt
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Form, UploadFile
from pydantic import Field

from app.acl.effects import PersonEffect
from app.admin.upload_preview import MAX_LINE, PlannedUpload, UploadPreview, parse_files, preview_upload
from app.web.api.schemas import ApiModel
from app.web.api.uploads import TagsForm
from app.web.http.dependencies import ComponentsOf, CuratorCaller
from app.web.http.route_table import BULK

router = APIRouter(tags=[BULK])


class PreviewForm(TagsForm):
    """A list of files with the role tags that they are to have."""

    file: UploadFile = Field(description="a line for each file: its size in bytes, two spaces, its path")


class ForeseenFileOut(ApiModel):
    """What would become of a file: a new document, another version of one, one that is not read, or refused."""

    path: str
    fate: Literal["new", "replaces", "unreadable", "refused"]
    reason: str | None = Field(description="why it would be refused, or by its name would not be read")
    readers: int = Field(description="people who would read it")
    awaited: bool = Field(description="another upload to its path is on its way")


class ForeseenReaderOut(ApiModel):
    """How many of the files a person comes to read, and how many of the documents that are replaced they lose."""

    user: str
    gains: int
    loses: int
    gains_later: int
    gains_from: dt.datetime | None
    loses_later: int
    loses_from: dt.datetime | None


class RoleGainOut(ApiModel):
    """How many of those who would gain are in a role."""

    role: str
    people: int


class UnreadOut(ApiModel):
    """Why nobody, or nobody but curators, could read these files."""

    reason: str
    paths: list[str]


class AlikeOut(ApiModel):
    """A folder that would be new, and one that is there and looks like it."""

    folder: str
    existing: str


class PreviewOut(ApiModel):
    """What the upload would do, counting the files that are read by their name. Nothing is changed."""

    files: list[ForeseenFileOut]
    people: list[ForeseenReaderOut]
    roles: list[RoleGainOut]
    unread: list[UnreadOut]
    alike: list[AlikeOut]


@router.post("/collections/{name}/documents/preview")
def preview(
    name: str,
    form: Annotated[PreviewForm, Form(media_type="multipart/form-data")],
    subject: CuratorCaller,
    parts: ComponentsOf,
) -> PreviewOut:
    """Who would gain and lose what by an upload of these files with these tags (curate)."""
    # No line is read further than it may be long.
    files = parse_files(iter(partial(form.file.file.readline, MAX_LINE + 1), b""))
    planned = PlannedUpload(name, files, form.tags)
    max_mb = parts.settings.api.max_body_mb
    return _wire(preview_upload(parts.database, subject, parts.checks, planned, max_mb=max_mb))


def _wire(preview: UploadPreview) -> PreviewOut:
    return PreviewOut(
        files=[ForeseenFileOut.model_validate(file) for file in preview.files],
        people=[_person(name, effect) for name, effect in preview.people],
        roles=[RoleGainOut(role=role, people=number) for role, number in preview.roles],
        unread=[UnreadOut(reason=reason, paths=paths) for reason, paths in preview.unread],
        alike=[AlikeOut(folder=folder, existing=existing) for folder, existing in preview.alike],
    )


def _person(name: str, effect: PersonEffect) -> ForeseenReaderOut:
    return ForeseenReaderOut(
        user=name,
        gains=effect.gains.now,
        loses=effect.loses.now,
        gains_later=effect.gains.later,
        gains_from=effect.gains.since,
        loses_later=effect.loses.later,
        loses_from=effect.loses.since,
    )
