"""Verifies an exported log offline, with nothing but the file and, better, a head that was kept from earlier or the key
by which the log signs its heads.

Without either a file can only be shown to agree with itself. With the key alone, whoever has the log's signing key
could still have rewritten all of it; a kept head, or the signature of a witness, shows that nobody did, and time stamps
show when at the latest it was written.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app.evidence.file_lines import lines_of
from app.evidence.kept_head import head_of
from app.evidence.log_checker import LogChecker
from app.evidence.manifest import FileEntry, LogManifest, digest_of
from app.evidence.merkle import Head, encode
from app.evidence.report import VerifyReport
from app.evidence.signed_note import VerifierKey
from app.evidence.sound_entry import read_any_line

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# Reads the entries of a file that is no JSONL.
ReadEntries: TypeAlias = Callable[[Path], Iterator[FileEntry]]
# What holds records, so that more than the file's digest can be checked.
JSONL = "jsonl"


def verify(
    path: Path,
    *,
    head: Head | None = None,
    trusted: Sequence[VerifierKey] = (),
    authorities: "Sequence[Certificate]" = (),
) -> VerifyReport:
    """Check the JSONL export at `path`, and against `head` if one was kept. Raises OSError alone.

    With keys that are `trusted`, its checkpoint must be signed by one of the log's, and by one of the witnesses' if any
    is among them. A key that the log introduced later, signed by a trusted one, is trusted from there on. With roots of
    time stamping `authorities`, one of these must have stamped a head of it.
    """
    checker = LogChecker(VerifyReport(str(path), held=head), trusted, authorities)
    _take_lines(path, checker)
    return checker.finish()


def verify_with_manifest(
    path: Path,
    manifest: LogManifest,
    read: ReadEntries | None,
    *,
    head: Head | None = None,
    trusted: Sequence[VerifierKey] = (),
    authorities: "Sequence[Certificate]" = (),
) -> VerifyReport:
    """Check the export at `path` against its manifest, and its entries as `verify` does; `read` reads those of a file
    that is no JSONL, None for one that holds no records. Raises OSError, and what `read` does.

    The digest shows that it is the file that was exported, if the manifest is; the entries show the rest by themselves.
    """
    report = VerifyReport(str(path), held=head)
    checker = LogChecker(report, trusted, authorities)
    report.sha256, size = digest_of(path)
    if (report.sha256, size) != (manifest.sha256, manifest.bytes):
        checker.find("digest", None, "the file is not the one that the manifest is of")
    if manifest.file_format != JSONL:
        checker.header(manifest.log)
    if read is None and manifest.file_format != JSONL:
        report.complete, report.without_records = not manifest.log["filters"], True
        if head is not None or trusted or authorities:
            message = f"{manifest.file_format} holds no records to compare with a head, a key or a time stamp"
            checker.find("selection", None, message)
        return report
    if read is None:
        _take_lines(path, checker)
    else:
        for entry in read(path):
            _take_entry(checker, entry)
        checker.head({"head": manifest.head})
    checker.finish()
    if report.entries != manifest.records:
        fewer = report.entries < manifest.records
        message = f"the manifest has {manifest.records} records, the file {report.entries}"
        checker.find("truncation" if fewer else "addition", None, message)
    if report.head != head_of(manifest.head) or report.complete == bool(manifest.log["filters"]):
        checker.find("digest", None, "the file gives another head, or another selection, than the manifest")
    return report


def _take_lines(path: Path, checker: LogChecker) -> None:
    for number, line in enumerate(lines_of(path), 1):
        if isinstance(line, bytes):
            _take_line(checker, number, line)
        elif checker.report.head is None:
            checker.sound_entry(f"line {number}", line)
        else:
            _find_behind_head(checker, number)


def _take_line(checker: LogChecker, number: int, raw: bytes) -> None:
    value = read_any_line(raw)
    if not isinstance(value, dict):
        checker.find("format", None, f"line {number} is not a JSON object")
    elif checker.report.head is not None:
        _find_behind_head(checker, number)
    elif "head" in value:
        checker.head(value)
    elif number == 1:
        checker.header(value)
    else:
        checker.entry(f"line {number}", value)


def _find_behind_head(checker: LogChecker, number: int) -> None:
    checker.find("addition", None, f"line {number} stands behind the head")


def _take_entry(checker: LogChecker, entry: FileEntry) -> None:
    if entry.seq is None:
        checker.find("format", None, f"{entry.place} is no entry")
        return
    value = {"seq": entry.seq, "leaf_hash": encode(entry.leaf_hash), "record": entry.record, "opened": entry.opened}
    checker.entry(entry.place, value)
    if not entry.says_the_same:
        checker.find("edit", entry.seq, f"what stands beside the record of entry {entry.seq} is not what it says")
