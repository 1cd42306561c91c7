"""What auditors do with the log itself."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.audit.events.base import Event, SealedText

ExportFormat = Literal["jsonl", "csv", "parquet", "ocsf", "cef"]


@dataclass(frozen=True, kw_only=True)
class AuditRead(Event):
    """Somebody read the log, with these filters; `opened` says whether they were shown personal words in the clear, and
    `opening` by which opening.
    """

    kind = "audit.read"
    filters: Mapping[str, str]
    rows: int
    opened: bool
    opening: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class AuditExported(Event):
    """Somebody exported the log; `opened` says whether personal words went along in the clear, `opening` by which
    opening.

    `export` is the id of one that is made in the background and kept for a day; null: it was sent at once.
    """

    kind = "audit.exported"
    format: ExportFormat
    filters: Mapping[str, str]
    opened: bool
    export: uuid.UUID | None = None
    opening: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class AuditDownloaded(Event):
    """Somebody took an export that was made for them, with personal words in the clear if it is `opened`."""

    kind = "audit.downloaded"
    export: uuid.UUID
    opened: bool


@dataclass(frozen=True, kw_only=True)
class OpeningRequested(Event):
    """Somebody asked to open sealed words, for this reason: of one record and its trail, or of what `filters` find.

    `person` is whose words they are, where it is one person's; `needs_second`: somebody else has to approve of it.
    """

    kind = "opening.requested"
    opening: uuid.UUID
    reason: SealedText
    record: uuid.UUID | None
    of_trail: uuid.UUID | None
    person: uuid.UUID | None
    filters: Mapping[str, str] | None
    needs_second: bool


@dataclass(frozen=True, kw_only=True)
class OpeningDecided(Event):
    """A second person approved of it, or refused it."""

    kind = "opening.decided"
    opening: uuid.UUID
    requested_by: uuid.UUID
    approved: bool
