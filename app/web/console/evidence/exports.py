"""Exports of the log: asked for, watched, downloaded, taken up again, removed."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from app.admin.log_exports import (
    download_log_export,
    get_log_export,
    get_log_manifest,
    list_log_exports,
    remove_log_export,
)
from app.admin.reasons import MAX_REASON
from app.audit.events.log_reading import ExportFormat
from app.audit.query import MAX_CHARACTERS
from app.web.api.log_exports import export_file, manifest_file
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import AuditLogOf, Auditor, ExportOpeningsOf, LogExportsOf, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Q = Annotated[str, Query(max_length=MAX_CHARACTERS)]


@router.get("/exports")
def exports(viewer: ViewerOf, subject: Auditor, session: Reading, listing: ListingOf, q: Q = "") -> Response:
    """The auditor's own, newest first, and a form for another one."""
    values = {"exports": list_log_exports(session, subject, listing.page), "listing": listing, "q": q}
    return page(viewer, "evidence/export_rows.html" if viewer.part else "evidence/exports.html", values)


@router.post("/exports")
def start(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    openings: ExportOpeningsOf,
    exports: LogExportsOf,
    *,
    format: Annotated[ExportFormat, Form()] = "jsonl",
    q: Annotated[str, Form(max_length=MAX_CHARACTERS)] = "",
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
    opening: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Start one; it is recorded. With a reason, or an opening that was approved, with personal words: where a second
    person has to approve of the reason first, it is asked for and nothing is started.
    """
    by = public_id(opening) if opening else None
    if by is None and reason.strip():
        requested = openings.request(reason, query=openings.log.query(q))
        if requested.state != "approved":
            return go_to(viewer, f"/openings#opening-{requested.id}")
        by = requested.id
    return go_to(viewer, f"/exports/{exports.start(openings, q, format, by)}")


@router.get("/exports/{export}")
def one_export(viewer: ViewerOf, subject: Auditor, session: Reading, export: str) -> Response:
    """One: how far it is, asked again while it runs."""
    values = {"export": get_log_export(session, subject, public_id(export))}
    return page(viewer, "evidence/export_state.html" if viewer.part else "evidence/export.html", values)


@router.get("/exports/{export}/file")
def file(openings: ExportOpeningsOf, export: str) -> Response:
    """What was exported, to be saved; it is recorded."""
    return export_file(*download_log_export(openings, public_id(export)))


@router.get("/exports/{export}/manifest")
def manifest(audit_log: AuditLogOf, export: str) -> Response:
    """The manifest of one that is ready, to be saved."""
    return manifest_file(*get_log_manifest(audit_log, public_id(export)))


@router.post("/exports/{export}/resume")
def resume(viewer: ViewerOf, openings: ExportOpeningsOf, exports: LogExportsOf, export: str) -> Response:
    """Go on with one whose process has ended."""
    exports.resume(openings, public_id(export))
    return go_to(viewer, f"/exports/{public_id(export)}")


@router.post("/exports/{export}/remove")
def remove(viewer: ViewerOf, subject: Auditor, session: Writing, export: str) -> Response:
    """Remove one; if it runs, it ends."""
    remove_log_export(session, subject, public_id(export))
    return go_to(viewer, "/exports")
