"""Exports of the log that are made in the background: started, watched, taken up again, downloaded and removed.

What is made is kept part by part, each with how far it is, so that an export whose process ended goes on where it was.
It is its auditor's alone, and removed after a day.
"""

import datetime as dt
import hashlib
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import log
from app.admin.audit_log import AuditLog, begun
from app.admin.background import BackgroundWork
from app.admin.log_export_files import checked, keep_part, manifest_of, read_file, seal_part
from app.admin.log_export_view import LogExportView, log_export_view
from app.admin.openings import ApprovedOpening, Openings
from app.audit.actor import actor
from app.audit.checkpoints import find_checkpoint, list_stamps
from app.audit.events.log_reading import AuditDownloaded, AuditExported, ExportFormat
from app.audit.export import ExportPiece
from app.audit.export_forms.forms import FORMS
from app.audit.listing import find_head, latest_head
from app.audit.log import record
from app.audit.query import LogQuery, parse
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.evidence import LogExport
from app.errors import AppError, Conflict, NotFound
from app.evidence.manifest import LogManifest
from app.identity.subject import Capability, Subject, require_capability

MAX_EXPORTS = 10
RUNNING = "An export of yours is running. Wait until it has ended, or remove it."
# One that was not heard of for so long has no process any more.
SILENCE = dt.timedelta(minutes=1)
BEAT_SECONDS = 10.0

_SILENT = (LogExport.state == "running") & (LogExport.beat_at < func.now() - SILENCE)


def list_log_exports(session: Session, subject: Subject, page: Page) -> list[LogExportView]:
    """The auditor's own exports, newest first (audit)."""
    require_capability(subject, Capability.AUDIT)
    query = select(LogExport, _SILENT)
    rows = page.rows(session, query, [LogExport.requested_at, LogExport.id], descending=True)
    return [log_export_view(row, silent=silent) for row, silent in rows]


def get_log_export(session: Session, subject: Subject, export: uuid.UUID) -> LogExportView:
    """One of one's own (audit); raises NotFound."""
    require_capability(subject, Capability.AUDIT)
    row, silent = _find(session, export)
    return log_export_view(row, silent=silent)


def remove_log_export(session: WriteSession, subject: Subject, export: uuid.UUID) -> None:
    """Remove one of one's own, which ends it if it runs (audit); raises NotFound."""
    require_capability(subject, Capability.AUDIT)
    if session.scalar(delete(LogExport).where(LogExport.id == export).returning(LogExport.id)) is None:
        raise NotFound


@dataclass(frozen=True)
class LogExports:
    """Makes exports in threads of this process."""

    background: BackgroundWork

    def start(self, openings: Openings, q: str, format: ExportFormat, opening: uuid.UUID | None = None) -> uuid.UUID:
        """Start an export of what the query finds, up to the newest head; recorded. By an opening of exactly this query
        with personal words.

        Raises InvalidInput for what is no query, or a format that cannot be written here, Conflict while the auditor
        has one running, or too many, and what `Openings.approved` raises.
        """
        require_capability(openings.log.subject, Capability.EXPORT)
        FORMS[format].require()
        audit_log = openings.log
        resolved = audit_log.query(q)
        filters = audit_log.filters_of(resolved)
        approved = openings.approved(opening, resolved) if opening else None
        with audit_log.writing() as session:
            export = _begin(session, audit_log.subject, q, resolved, format, opening)
            event = AuditExported(
                actor=actor(audit_log.subject), format=format, filters=filters, opened=opening is not None,
                export=export, opening=opening,
            )  # fmt: skip
            record(session, event)
        self.background.start(lambda: self._make(audit_log, export, approved))
        return export

    def resume(self, openings: Openings, export: uuid.UUID) -> None:
        """Go on with one whose process has ended. Raises NotFound, Conflict for one that is not interrupted, or while
        another one runs, and what `Openings.approved` raises.
        """
        require_capability(openings.log.subject, Capability.EXPORT)
        audit_log = openings.log
        approved = _approved(openings, export)
        try:
            with audit_log.writing() as session:
                _take_up(session, export)
        except IntegrityError:
            raise Conflict(RUNNING) from None
        self.background.start(lambda: self._make(audit_log, export, approved))

    def _make(self, audit_log: AuditLog, export: uuid.UUID, approved: ApprovedOpening | None) -> None:
        """Write what is missing, and how it ended. What stops with the process stays, and can be taken up again."""
        values: dict[str, Any]
        try:
            made = self._write(audit_log, export, approved)
            if made is None:
                return
            values = {"state": "ready", **made}
        except AppError as error:
            values = {"state": "failed", "error": error.detail or error.title}
        except Exception as error:  # noqa: BLE001  # the thread's edge: whatever it is, the export must end
            log.get().error("log_export.failed", error=type(error).__name__, where=log.where(error))
            values = {"state": "failed", "error": "The export itself failed. It is our fault and has been logged."}
        try:
            with audit_log.writing() as session:
                session.execute(_running(export).values(**values, beat_at=func.now()))
        except Exception as error:  # noqa: BLE001  # it is taken for interrupted when it was silent for long
            log.get().error("log_export.not_ended", error=type(error).__name__, where=log.where(error))

    def _write(
        self, audit_log: AuditLog, export: uuid.UUID, approved: ApprovedOpening | None
    ) -> Mapping[str, Any] | None:
        """The digest and size of the file, once it is whole; None if it was removed, is somebody else's to make now, or
        the process ends.
        """
        with audit_log.reading() as session:
            row, _ = _find(session, export)
        FORMS[row.format].require()
        parts, reached = row.parts, row.reached
        query = parse(row.resolved)
        for piece in audit_log.export_pieces(query, row.format, row.size, approved=approved, after=reached):
            if self.background.stopping.is_set() or not _add(audit_log, export, (parts, reached), piece):
                return None
            parts, reached = parts + 1, piece.reached
        return self._digest(audit_log, export, read_file(audit_log, export, row.format, parts, approved))

    def _digest(self, audit_log: AuditLog, export: uuid.UUID, file: Iterator[bytes]) -> Mapping[str, Any] | None:
        digest, size, beat = hashlib.sha256(), 0, time.monotonic()
        for piece in file:
            digest.update(piece)
            size += len(piece)
            if self.background.stopping.is_set():
                return None
            if time.monotonic() - beat > BEAT_SECONDS:
                if not _beat(audit_log, export):
                    return None
                beat = time.monotonic()
        return {"sha256": digest.hexdigest(), "bytes": size}


def download_log_export(openings: Openings, export: uuid.UUID) -> tuple[LogExportView, Iterator[bytes]]:
    """An export that is ready and its content in pieces; recorded. Raises NotFound, Conflict for one that is not, and
    what `Openings.approved` raises for one with personal words.

    Every piece is read as the auditor: it breaks off where the export, the capability or the opening is gone.
    """
    audit_log = openings.log
    with audit_log.exporting() as session:
        row = _find_ready(session, export)
    approved = _approved(openings, export)
    opened = row.opening is not None
    audit_log.record(AuditDownloaded(actor=actor(audit_log.subject), export=export, opened=opened))
    file = checked(read_file(audit_log, export, row.format, row.parts, approved), row.sha256 or "")
    return log_export_view(row, silent=False), begun(file)


def get_log_manifest(audit_log: AuditLog, export: uuid.UUID) -> tuple[LogExportView, LogManifest]:
    """An export that is ready, and what shows of which log, and under which head, it is; that holds no words, so that
    it needs no opening. Raises NotFound, and Conflict for one that is not ready.
    """
    with audit_log.reading() as session:
        row = _find_ready(session, export)
        head, at = find_head(session, row.size)
        signed = find_checkpoint(session, at_most=row.size)
        stamps = list_stamps(session, at_most=row.size)
    return log_export_view(row, silent=False), manifest_of(row, head, at, signed.note if signed else None, stamps)


def _approved(openings: Openings, export: uuid.UUID) -> ApprovedOpening | None:
    """What an export of one's own opens words by; None for one without."""
    with openings.log.reading() as session:
        row, _ = _find(session, export)
    return openings.approved(row.opening, parse(row.resolved)) if row.opening else None


def _begin(
    session: WriteSession,
    subject: Subject,
    q: str,
    resolved: LogQuery,
    format: ExportFormat,
    opening: uuid.UUID | None,
) -> uuid.UUID:
    if (session.scalar(select(func.count()).select_from(LogExport)) or 0) >= MAX_EXPORTS:
        raise Conflict(f"You keep {MAX_EXPORTS} exports already: remove one first.")
    # One whose process is gone stands in nobody's way.
    session.execute(update(LogExport).where(_SILENT).values(state="interrupted"))
    head, _ = latest_head(session)
    values: Mapping[str, Any] = {
        "requested_by": subject.user_id, "format": format, "q": q.strip(), "resolved": resolved.text,
        "opening": opening, "size": head.size,
    }  # fmt: skip
    made = (
        insert(LogExport)
        .values(values)
        .on_conflict_do_nothing(index_elements=["requested_by"], index_where=text("state = 'running'"))
    )
    export: uuid.UUID | None = session.scalar(made.returning(LogExport.id))
    if export is None:
        raise Conflict(RUNNING)
    return export


def _take_up(session: WriteSession, export: uuid.UUID) -> None:
    taken = update(LogExport).where(LogExport.id == export, _SILENT | (LogExport.state == "interrupted"))
    if session.scalar(taken.values(state="running", beat_at=func.now()).returning(LogExport.id)) is None:
        _find(session, export)
        raise Conflict("This export is not interrupted: there is nothing to take up again.")


def _add(audit_log: AuditLog, export: uuid.UUID, written: tuple[int, int], piece: ExportPiece) -> bool:
    """Add a part, if the export is as far as it was left: this many parts, and this number reached."""
    parts, reached = written
    sealed = seal_part(audit_log, export, parts, piece.content)
    with audit_log.writing() as session:
        moved = _running(export).where(LogExport.parts == parts, LogExport.reached == reached)
        more: Mapping[str, Any] = {
            "reached": piece.reached, "records": LogExport.records + piece.records,
            "bytes": LogExport.bytes + len(piece.content), "parts": parts + 1, "beat_at": func.now(),
        }  # fmt: skip
        if session.scalar(moved.values(more).returning(LogExport.id)) is None:
            return False
        keep_part(session, export, parts, sealed)
    return True


def _beat(audit_log: AuditLog, export: uuid.UUID) -> bool:
    """Say that it goes on; False if it is not running any more."""
    with audit_log.writing() as session:
        return session.scalar(_running(export).values(beat_at=func.now()).returning(LogExport.id)) is not None


def _running(export: uuid.UUID) -> Any:
    return update(LogExport).where(LogExport.id == export, LogExport.state == "running")


def _find(session: Session, export: uuid.UUID) -> Row[LogExport, bool]:
    row = session.execute(select(LogExport, _SILENT).where(LogExport.id == export)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _find_ready(session: Session, export: uuid.UUID) -> LogExport:
    row, _ = _find(session, export)
    if row.state != "ready":
        raise Conflict("This export is not ready yet.")
    return row
