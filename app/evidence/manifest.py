"""The manifest of an exported file: which log and which records, under which head, and the digest of the file.

It is for files that have no room for this inside. Nobody signed the manifest itself: what it says of the log is proved
by the records in the file and by the checkpoint, which the log signed.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.evidence.kept_head import head_of
from app.evidence.records import unique_keys

MANIFEST_FORMAT, MANIFEST_VERSION = "clearance-audit-manifest", 1
_SAID = ("export", "requested_by", "requested_at", "made_at", "opened", "records")
_KEYS = {"format", "version", *_SAID, "file", "log", "head"}
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileEntry:
    """An entry as a file has it, at a place of it; `seq` is None where the place holds no entry, `record` where it was
    pruned.

    `says_the_same`: whether what stands beside the record is what the record gives.
    """

    place: str
    seq: int | None = None
    leaf_hash: bytes = b""
    record: str | None = ""
    opened: Mapping[str, Any] = field(default_factory=dict)
    says_the_same: bool = True


@dataclass(frozen=True)
class LogManifest:
    """What a manifest says. `log` is what a JSONL begins with, `head` what its last line holds; `export`,
    `requested_by` and both times say which export it was, and whose.
    """

    export: str
    requested_by: str
    requested_at: str
    made_at: str
    opened: bool
    records: int
    file_format: str
    bytes: int
    sha256: str
    log: Mapping[str, Any]
    head: Mapping[str, Any]

    def __str__(self) -> str:
        """The manifest as a file."""
        said = {
            "format": MANIFEST_FORMAT,
            "version": MANIFEST_VERSION,
            **{name: getattr(self, name) for name in _SAID},
            "file": {"format": self.file_format, "bytes": self.bytes, "sha256": self.sha256},
            "log": self.log,
            "head": self.head,
        }
        return json.dumps(said, indent=2) + "\n"

    @classmethod
    def parse(cls, text: str) -> "LogManifest":
        """Read a manifest; raises ValueError."""
        try:
            value = json.loads(text, object_pairs_hook=unique_keys)
        except RecursionError as error:
            raise ValueError("not JSON") from error
        match value:
            case {
                "format": str(name), "version": int(version), "export": str(), "requested_by": str(),
                "requested_at": str(), "made_at": str(), "opened": bool(), "records": int(),
                "file": {"format": str(form), "bytes": int(size), "sha256": str(sha256), **beside},
                "log": {"filters": dict(), **_log} as log, "head": dict(head),
            } if set(value) == _KEYS and not beside and re.fullmatch(r"[0-9a-f]{64}", sha256):  # fmt: skip
                pass
            case _:
                raise ValueError("it is no manifest of an export")
        if (name, version) != (MANIFEST_FORMAT, MANIFEST_VERSION):
            raise ValueError(f"{name} {version} is not a manifest that this program knows")
        head_of(head)
        return cls(
            **{name: value[name] for name in _SAID},
            file_format=form,
            bytes=size,
            sha256=sha256,
            log=log,
            head=head,
        )


def digest_of(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file in hex, and its bytes."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
