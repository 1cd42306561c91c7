"""What auditors do with the log itself."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.audit.events.base import Event

ExportFormat = Literal["jsonl", "csv"]


@dataclass(frozen=True, kw_only=True)
class AuditRead(Event):
    """Somebody read the log, with these filters; `opened` says whether they were shown personal words in the clear."""

    kind = "audit.read"
    filters: Mapping[str, str]
    rows: int
    opened: bool


@dataclass(frozen=True, kw_only=True)
class AuditExported(Event):
    """Somebody exported the log; `opened` says whether personal words went along in the clear.

    `export` is the id of one that is made in the background and kept for a day; null: it was sent at once.
    """

    kind = "audit.exported"
    format: ExportFormat
    filters: Mapping[str, str]
    opened: bool
    export: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class AuditDownloaded(Event):
    """Somebody took an export that was made for them, with personal words in the clear if it is `opened`."""

    kind = "audit.downloaded"
    export: uuid.UUID
    opened: bool
