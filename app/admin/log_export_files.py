"""What an export of the log consists of: parts, compressed and sealed under the audit key, and the file they make."""

import datetime as dt
import hashlib
import uuid
import zlib
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.admin.audit_log import Approved, AuditLog
from app.audit.events.log_reading import ExportFormat
from app.audit.export_forms.forms import FORMS
from app.audit.export_forms.json_lines import log_head, log_header
from app.audit.query import parse
from app.db.session import WriteSession
from app.db.tables.evidence import LogExport, LogExportPart
from app.errors import Conflict, NotFound
from app.evidence.manifest import LogManifest
from app.evidence.merkle import Head
from app.evidence.stamps import StampedHead

# The fastest level of compression: a part is kept for a day.
LEVEL = 1


def seal_part(audit_log: AuditLog, export: uuid.UUID, ordinal: int, content: bytes) -> bytes:
    """A part as it is kept; it opens in this place alone."""
    return audit_log.sealer.seal_bytes(zlib.compress(content, LEVEL), _context(export, ordinal))


def keep_part(session: WriteSession, export: uuid.UUID, ordinal: int, sealed: bytes) -> None:
    """Keep a sealed part."""
    session.execute(insert(LogExportPart).values(export_id=export, ordinal=ordinal, content=sealed).inline())


def read_file(
    audit_log: AuditLog, export: uuid.UUID, format: ExportFormat, parts: int, approved: Approved | None
) -> Iterator[bytes]:
    """The file of so many parts, piece by piece. Every part is read as the auditor, in a transaction of its own.

    Raises InvalidInput where this format cannot be written any more, NotFound once the export is gone,
    MissingCapability once the auditor is none, and what the opening does once it cannot be used any more.
    """
    FORMS[format].require()
    return FORMS[format].file(_parts(audit_log, export, parts, approved))


def checked(pieces: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    """The same pieces, the last of them only if all have this digest: without it what was sent is no whole file.

    Raises Conflict. The parts make another file than when it was ready where another version of a library makes it.
    """
    digest, held = hashlib.sha256(), b""
    for piece in pieces:
        digest.update(piece)
        if held:
            yield held
        held = piece
    if digest.hexdigest() != sha256:
        raise Conflict("What writes this file has been renewed since, and would write another: export it again.")
    yield held


def manifest_of(
    row: LogExport, head: Head, at: dt.datetime | None, note: str | None, stamps: Sequence[StampedHead]
) -> LogManifest:
    """The manifest of an export that is ready, under the head at which it ends, with the newest checkpoint's note and
    the time stamps up to there.
    """
    return LogManifest(
        export=str(row.id),
        requested_by=str(row.requested_by),
        requested_at=_utc(row.requested_at),
        made_at=_utc(row.beat_at),
        opened=row.opening is not None,
        records=row.records,
        file_format=row.format,
        bytes=row.bytes,
        sha256=row.sha256 or "",
        log=log_header(parse(row.resolved).filters, head, note, stamps),
        head=log_head(head, at),
    )


def _parts(audit_log: AuditLog, export: uuid.UUID, count: int, approved: Approved | None) -> Iterator[bytes]:
    for ordinal in range(count):
        with audit_log.exporting() as session:
            if approved is not None:
                approved.opener(session, audit_log.sealer)  # raises where it has ended
            wanted = (LogExportPart.export_id == export) & (LogExportPart.ordinal == ordinal)
            content = session.scalar(select(LogExportPart.content).where(wanted))
        if content is None:
            raise NotFound
        yield zlib.decompress(audit_log.sealer.open_bytes(content, _context(export, ordinal)))


def _context(export: uuid.UUID, ordinal: int) -> str:
    return f"log_export/{export}/{ordinal}"


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()
