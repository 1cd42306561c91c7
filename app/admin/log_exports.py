"""Exports of the log that are made in the background: started, watched, taken up again, downloaded and removed.

What is made is compressed and sealed under the audit key as it is written, part by part, each with how far it is, so
that an export whose process ended goes on where it was. It is its auditor's alone, and removed after a day.
"""

import datetime as dt
import uuid
import zlib
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
from app.admin.openings import ApprovedOpening, Openings
from app.audit.actor import actor
from app.audit.events.log_reading import AuditDownloaded, AuditExported, ExportFormat
from app.audit.export import ExportPiece
from app.audit.listing import latest_head
from app.audit.log import record
from app.audit.query import LogQuery, parse
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.evidence import ExportState, LogExport, LogExportPart
from app.errors import AppError, Conflict, NotFound
from app.identity.subject import Capability, Subject, require_capability

KEPT = dt.timedelta(days=1)
MAX_EXPORTS = 10
RUNNING = "An export of yours is running. Wait until it has ended, or remove it."
# One that was not heard of for so long has no process any more.
SILENCE = dt.timedelta(minutes=1)

_SILENT = (LogExport.state == "running") & (LogExport.beat_at < func.now() - SILENCE)


@dataclass(frozen=True)
class LogExportView:
    """An export as its auditor sees it; interrupted is one of which nothing was heard for a minute.

    `done` of `size` entries have been looked at, `records` written. `kept_until`: when it is removed.
    """

    id: uuid.UUID
    requested_at: dt.datetime
    format: ExportFormat
    q: str
    opening: uuid.UUID | None
    state: ExportState
    done: int
    size: int
    records: int
    bytes: int
    kept_until: dt.datetime
    error: str | None


def list_log_exports(session: Session, subject: Subject, page: Page) -> list[LogExportView]:
    """The auditor's own exports, newest first (audit)."""
    require_capability(subject, Capability.AUDIT)
    query = select(LogExport, _SILENT)
    rows = page.rows(session, query, [LogExport.requested_at, LogExport.id], descending=True)
    return [_view(row, silent=silent) for row, silent in rows]


def get_log_export(session: Session, subject: Subject, export: uuid.UUID) -> LogExportView:
    """One of one's own (audit); raises NotFound."""
    require_capability(subject, Capability.AUDIT)
    row, silent = _find(session, export)
    return _view(row, silent=silent)


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

        Raises InvalidInput for what is no query, Conflict while the auditor has one running, or too many, and what
        `Openings.approved` raises.
        """
        audit_log = openings.log
        resolved = audit_log.query(q)
        approved = openings.approved(opening, resolved) if opening else None
        with audit_log.writing() as session:
            export = _begin(session, audit_log.subject, q, resolved, format, opening)
            event = AuditExported(
                actor=actor(audit_log.subject), format=format, filters=resolved.filters, opened=opening is not None,
                export=export, opening=opening,
            )  # fmt: skip
            record(session, event)
        self.background.start(lambda: self._make(audit_log, export, approved))
        return export

    def resume(self, openings: Openings, export: uuid.UUID) -> None:
        """Go on with one whose process has ended. Raises NotFound, Conflict for one that is not interrupted, or while
        another one runs, and what `Openings.approved` raises.
        """
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
            if not self._write(audit_log, export, approved):
                return
            values = {"state": "ready"}
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

    def _write(self, audit_log: AuditLog, export: uuid.UUID, approved: ApprovedOpening | None) -> bool:
        """Whether it is whole; False if it was removed, is somebody else's to make now, or the process ends."""
        with audit_log.reading() as session:
            row, _ = _find(session, export)
        parts, reached = row.parts, row.reached
        query = parse(row.resolved)
        for piece in audit_log.export_pieces(query, row.format, row.size, approved=approved, after=reached):
            if self.background.stopping.is_set() or not _add(audit_log, export, (parts, reached), piece):
                return False
            parts, reached = parts + 1, piece.reached
        return True


def download_log_export(openings: Openings, export: uuid.UUID) -> tuple[LogExportView, Iterator[str]]:
    """An export that is ready and its content in pieces; recorded. Raises NotFound, Conflict for one that is not, and
    what `Openings.approved` raises for one with personal words.

    Every piece is read as the auditor: it breaks off where the export, the capability or the opening is gone.
    """
    audit_log = openings.log
    with audit_log.reading() as session:
        row, silent = _find(session, export)
        view = _view(row, silent=silent)
    if view.state != "ready":
        raise Conflict("This export is not ready yet.")
    approved = _approved(openings, export)
    opened = view.opening is not None
    audit_log.record(AuditDownloaded(actor=actor(audit_log.subject), export=export, opened=opened))
    return view, begun(_pieces(audit_log, export, row.parts, approved))


def _approved(openings: Openings, export: uuid.UUID) -> ApprovedOpening | None:
    """What an export of one's own opens words by; None for one without."""
    with openings.log.reading() as session:
        row, _ = _find(session, export)
    return openings.approved(row.opening, parse(row.resolved)) if row.opening else None


def _pieces(audit_log: AuditLog, export: uuid.UUID, parts: int, approved: ApprovedOpening | None) -> Iterator[str]:
    for ordinal in range(parts):
        with audit_log.reading() as session:
            if approved is not None:
                approved.opener(session, audit_log.sealer)
            wanted = (LogExportPart.export_id == export) & (LogExportPart.ordinal == ordinal)
            content = session.scalar(select(LogExportPart.content).where(wanted))
        if content is None:
            raise NotFound
        yield zlib.decompress(audit_log.sealer.open_bytes(content, _context(export, ordinal))).decode()


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
    content = piece.text.encode()
    sealed = audit_log.sealer.seal_bytes(zlib.compress(content), _context(export, parts))
    with audit_log.writing() as session:
        moved = _running(export).where(LogExport.parts == parts, LogExport.reached == reached)
        more: Mapping[str, Any] = {
            "reached": piece.reached, "records": LogExport.records + piece.records,
            "bytes": LogExport.bytes + len(content), "parts": parts + 1, "beat_at": func.now(),
        }  # fmt: skip
        if session.scalar(moved.values(more).returning(LogExport.id)) is None:
            return False
        session.execute(insert(LogExportPart).values(export_id=export, ordinal=parts, content=sealed).inline())
    return True


def _context(export: uuid.UUID, ordinal: int) -> str:
    """Where a part belongs: it opens in no other place."""
    return f"log_export/{export}/{ordinal}"


def _running(export: uuid.UUID) -> Any:
    return update(LogExport).where(LogExport.id == export, LogExport.state == "running")


def _find(session: Session, export: uuid.UUID) -> Row[LogExport, bool]:
    row = session.execute(select(LogExport, _SILENT).where(LogExport.id == export)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _view(row: LogExport, *, silent: bool) -> LogExportView:
    return LogExportView(
        id=row.id,
        requested_at=row.requested_at,
        format=row.format,
        q=row.q,
        opening=row.opening,
        state="interrupted" if silent else row.state,
        done=min(row.reached + 1, row.size),
        size=row.size,
        records=row.records,
        bytes=row.bytes,
        kept_until=row.beat_at + KEPT,
        error=row.error,
    )
