"""Verifies a folder into which the log was delivered: its batches are one log, under the newest signed head there."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.evidence.log_checker import FORMAT, FORMAT_VERSION, LogChecker
from app.evidence.manifest import digest_of
from app.evidence.merkle import Head
from app.evidence.records import unique_keys
from app.evidence.report import VerifyReport
from app.evidence.signed_note import VerifierKey
from app.evidence.verify import verify

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# A name has first and last number, or the size, and the digest of the content.
# Findings of a file alone. What is wrong with its entries is found where all files are one log.
OF_THE_FILE = frozenset({"format", "truncation"})
BATCHES, HEADS, OTHER_FORM = "[0-9]*.jsonl", "[0-9]*.checkpoint", ".ocsf.jsonl"


def verify_delivered(
    folder: Path,
    *,
    head: Head | None = None,
    trusted: Sequence[VerifierKey] = (),
    authorities: "Sequence[Certificate]" = (),
) -> VerifyReport:
    """Check each file by itself, and all together as one log from its first entry on, as `verify` does an export.

    The head that it must have is that of its last file. Raises OSError.
    """
    report = VerifyReport(str(folder), held=head)
    checker = LogChecker(report, trusted, authorities)
    batches = sorted(path for path in folder.glob(BATCHES) if not path.name.endswith(OTHER_FORM))
    signed = max(folder.glob(HEADS), default=None)
    if not batches:
        checker.find("format", None, "there is no batch of JSON lines in the folder")
    for path in batches:
        _check_alone(checker, path)
    last = _last_value(batches[-1]) if batches else {}
    own = last.get("head")
    size = own.get("size", 0) if isinstance(own, dict) else 0
    said = {"format": FORMAT, "version": FORMAT_VERSION, "complete": True, "range": {"first": 0, "size": size}}
    checker.header({**said, "filters": {}, **({"checkpoint": signed.read_text("utf-8")} if signed else {})})
    for path in batches:
        for number, value in _values(path):
            if "leaf_hash" in value:
                checker.entry(f"line {number} of {path.name}", value)
    checker.head({"head": own})
    return checker.finish()


def _check_alone(checker: LogChecker, path: Path) -> None:
    """What is wrong with one file beside its entries, and with its name."""
    for finding in (each for each in verify(path).findings if each.kind in OF_THE_FILE):
        checker.find(finding.kind, finding.seq, f"{path.name}: {finding.message}")
    digest, _ = digest_of(path)
    if f"-{digest}." not in path.name:
        checker.find("digest", None, f"{path.name} is not the file of its name")


def _values(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with the numbers of their lines. What is none was found before."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                value = json.loads(line.decode(), object_pairs_hook=unique_keys)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield number, value


def _last_value(path: Path) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for _, value in _values(path):
        last = value
    return last
