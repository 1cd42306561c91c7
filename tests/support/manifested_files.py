"""Writes exports with a manifest without a database, for the tests that verify and tamper with them."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate

from app.audit.events.log_reading import ExportFormat
from app.audit.export_forms.forms import FORMS
from app.audit.export_forms.json_lines import log_head, log_header
from app.audit.export_forms.row import ExportedEntry
from app.cli.audit_files import verify_manifest
from app.evidence.manifest import LogManifest
from app.evidence.merkle import Head, decode
from app.evidence.report import VerifyReport
from app.evidence.signed_note import SigningKey
from app.evidence.stamps import StampedHead
from tests.support.exported_log import head_of

AT = dt.datetime(2026, 11, 1, 12, 30, tzinfo=dt.UTC)
PART = 4  # entries of a part


def exported(entry: dict[str, Any]) -> ExportedEntry:
    """An entry of a JSONL as the other formats take it."""
    return ExportedEntry(entry["seq"], AT, decode(entry["leaf_hash"]), entry["record"], entry.get("opened", {}))


def content_of(format: ExportFormat, entries: Sequence[dict[str, Any]]) -> bytes:
    """The file of these entries, made of several parts."""
    form, head = FORMS[format], head_of(entries)
    parts = [form.entries(map(exported, entries[n : n + PART])) for n in range(0, len(entries), PART)]
    return b"".join(form.file([form.first({}, head, None, []), *parts, form.last(head, AT)]))


def manifest_of_file(  # each is a part of what it says
    format: ExportFormat,
    content: bytes,
    head: Head,
    records: int,
    note: str | None = None,
    filters: dict[str, str] | None = None,
    stamps: Sequence[StampedHead] = (),
) -> LogManifest:
    """The manifest of a file under this head."""
    return LogManifest(
        export="e", requested_by="u", requested_at="then", made_at="now", opened=True, records=records,
        file_format=format, bytes=len(content), sha256=hashlib.sha256(content).hexdigest(),
        log=log_header(filters or {}, head, note, stamps), head=log_head(head, AT),
    )  # fmt: skip


def verify_content(
    folder: Path,
    content: bytes,
    manifest: LogManifest,
    *trusted: SigningKey,
    head: Head | None = None,
    authorities: Sequence[Certificate] = (),
) -> VerifyReport:
    """What `clearance audit verify` finds of the file under its manifest."""
    file, beside = folder / "log", folder / "log.manifest.json"
    file.write_bytes(content)
    beside.write_text(str(manifest))
    keys = [key.verifier for key in trusted]
    return verify_manifest(file, beside, head=head, trusted=keys, authorities=authorities)
