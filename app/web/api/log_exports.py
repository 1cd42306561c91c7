"""Exports of the log that are made in the background (audit). Asking for one and downloading it are recorded."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.admin.log_export_view import LogExportView
from app.admin.log_exports import (
    download_log_export,
    get_log_export,
    get_log_manifest,
    list_log_exports,
    remove_log_export,
)
from app.audit.events.log_reading import ExportFormat
from app.audit.query import MAX_CHARACTERS
from app.evidence.manifest import LogManifest
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import AuditLogOf, Auditor, ExportOpeningsOf, LogExportsOf, Reading, Writing, public_id
from app.web.http.files import attachment, streamed_attachment
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit/exports", tags=["audit"])


class LogExportBody(ApiModel):
    """What is to be exported. `opening`: one of yours, of exactly this query, by which personal words go along."""

    format: ExportFormat = "jsonl"
    q: str = Field(default="", max_length=MAX_CHARACTERS, description="a query, as of the list; empty: everything")
    opening: uuid.UUID | None = None


class RequestedOut(ApiModel):
    """What was asked for."""

    id: uuid.UUID


class LogExportOut(ApiModel):
    """An export: how far it is, and until when it is kept. `done` of `size` entries have been looked at."""

    id: uuid.UUID
    requested_at: dt.datetime
    format: ExportFormat
    q: str
    opening: uuid.UUID | None
    state: Literal["running", "interrupted", "ready", "failed"] = Field(
        description="interrupted: nothing was heard of it for a minute; it can be resumed"
    )
    done: int
    size: int
    records: int
    bytes: int
    sha256: str | None = Field(description="of the file, in hex, once it is ready")
    kept_until: dt.datetime
    error: str | None


@router.post("", status_code=201)
def start(body: LogExportBody, openings: ExportOpeningsOf, exports: LogExportsOf) -> RequestedOut:
    """Export what a query finds up to the newest head, in the background (audit). One at a time; kept for a day."""
    return RequestedOut(id=exports.start(openings, body.q, body.format, body.opening))


@router.get("")
def log_exports(subject: Auditor, session: Reading, page: PageOf) -> list[LogExportOut]:
    """Your exports, newest first (audit)."""
    return [LogExportOut.model_validate(export) for export in list_log_exports(session, subject, page)]


@router.get("/{export}")
def one_log_export(export: str, subject: Auditor, session: Reading) -> LogExportOut:
    """One of yours (audit): ask again while it runs."""
    return LogExportOut.model_validate(get_log_export(session, subject, public_id(export)))


@router.post("/{export}/resume", status_code=204)
def resume(export: str, openings: ExportOpeningsOf, exports: LogExportsOf) -> None:
    """Go on with one whose process has ended, where it was (audit)."""
    exports.resume(openings, public_id(export))


@router.get("/{export}/file")
def file(export: str, openings: ExportOpeningsOf) -> StreamingResponse:
    """What was exported (audit): of JSONL and CSV the file that `GET /audit/export` would have sent."""
    return export_file(*download_log_export(openings, public_id(export)))


@router.get("/{export}/manifest")
def manifest(export: str, audit_log: AuditLogOf) -> Response:
    """The manifest of one that is ready, by which `clearance audit verify` checks its file (audit)."""
    return manifest_file(*get_log_manifest(audit_log, public_id(export)))


@router.delete("/{export}", status_code=204)
def remove(export: str, subject: Auditor, session: Writing) -> None:
    """Remove one of yours; if it runs, it ends (audit)."""
    remove_log_export(session, subject, public_id(export))


def export_file(export: LogExportView, pieces: Iterator[bytes]) -> StreamingResponse:
    """An export as a file to be saved, named by the day on which it was asked for."""
    return streamed_attachment(export.file_name, pieces, length=export.bytes)


def manifest_file(export: LogExportView, manifest: LogManifest) -> Response:
    """The manifest of an export as a file to be saved, named after the export's."""
    return attachment(f"{export.file_name}.manifest.json", str(manifest).encode())
