"""Exports of the log with a manifest: made by the service in the background, saved, and verified here."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.download import download, refuse_what_is_there, save
from app.cli.output import print_success
from app.client.api import Client, path
from app.client.errors import UserError
from app.errors import InvalidInput
from app.evidence.manifest import LogManifest
from app.evidence.merkle import Head
from app.evidence.report import VerifyReport
from app.evidence.signed_note import VerifierKey
from app.evidence.verify import ReadEntries, verify_with_manifest

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

LOOK_SECONDS = 0.5
MANIFEST_ENDING = ".manifest.json"


class NoExport(UserError):
    """The export failed, or was interrupted."""


class NoManifest(UserError):
    """A file is no manifest, or what it is of cannot be read here."""


def export_with_manifest(client: Client, body: Mapping[str, Any], to: str, *, force: bool) -> None:
    """Have the service make an export, save it as `to` with its manifest beside it, and have it removed there.

    `-` is standard output, which has no room for a manifest.
    """
    manifest = to + MANIFEST_ENDING
    if to != "-":
        refuse_what_is_there(to, manifest, force=force)
    export = path("audit", "exports", client.post("/audit/exports", body)["id"])
    try:
        _wait(client, export)
        if to == "-":
            download(client, f"{export}/file", to, force=force)
            return
        size = save(client, f"{export}/file", to, force=force)
        save(client, f"{export}/manifest", manifest, force=force)
    finally:
        # After a day it is removed anyway.
        with contextlib.suppress(UserError):
            client.delete(export)
    print_success(f"{to} ({size:,} bytes) and {manifest}", {"file": to, "bytes": size, "manifest": manifest})


def query_text(query: str | None, *, user: str | None, kind: str | None, since: str | None, until: str | None) -> str:
    """The query, and the options that single out records beside it."""
    given = {"who": user, "kind": kind, "after": since, "before": until}
    options = (f"{name}:{_quoted(value)}" for name, value in given.items() if value is not None)
    return " ".join(filter(None, (query, *options)))


def verify_manifest(
    file: Path,
    manifest: Path,
    *,
    head: Head | None,
    trusted: Sequence[VerifierKey],
    authorities: "Sequence[Certificate]",
) -> VerifyReport:
    """What is found of an export that has this manifest. Raises OSError for a file that cannot be read."""
    try:
        said = LogManifest.parse(manifest.read_text("utf-8"))
    except ValueError as error:
        raise NoManifest(f"{manifest} is no manifest: {error}") from error
    try:
        read = _reader(said.file_format)
        return verify_with_manifest(file, said, read, head=head, trusted=trusted, authorities=authorities)
    except InvalidInput as error:
        raise NoManifest(error.detail) from error


def _reader(file_format: str) -> ReadEntries | None:
    """What reads the entries of a file that is no JSONL; None where it holds no records."""
    if file_format == "parquet":
        from app.audit.export_forms.parquet import read_parquet  # noqa: PLC0415  # a library of tens of megabytes

        return read_parquet
    if file_format == "ocsf":
        from app.audit.export_forms.ocsf import read_ocsf  # noqa: PLC0415  # for this format alone

        return read_ocsf
    return None


def _wait(client: Client, export: str) -> None:
    while (found := client.get(export))["state"] == "running":
        time.sleep(LOOK_SECONDS)
    if found["state"] != "ready":
        raise NoExport(found["error"] or "the service ended while it made the export: export again")


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
