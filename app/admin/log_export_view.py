"""What an auditor is shown of an export of the log."""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.audit.events.log_reading import ExportFormat
from app.audit.export_forms.forms import FORMS
from app.db.tables.evidence import ExportState, LogExport

KEPT = dt.timedelta(days=1)


@dataclass(frozen=True)
class LogExportView:
    """An export as its auditor sees it; interrupted is one of which nothing was heard for a minute.

    `done` of `size` entries have been looked at, `records` written; `bytes` and `sha256` are those of the file, once it
    is ready. `kept_until`: when it is removed.
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
    sha256: str | None
    kept_until: dt.datetime
    error: str | None

    @property
    def file_name(self) -> str:
        """The name of its file: by the day on which it was asked for."""
        return f"clearance-audit-{self.requested_at:%Y-%m-%d}.{FORMS[self.format].ending}"


def log_export_view(row: LogExport, *, silent: bool) -> LogExportView:
    """What is shown of a row; `silent`: nothing was heard of it for a minute."""
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
        sha256=row.sha256,
        kept_until=row.beat_at + KEPT,
        error=row.error,
    )
