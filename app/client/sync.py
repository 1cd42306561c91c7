"""Compares a folder with a collection, and moves and removes documents accordingly."""

import hashlib
from collections.abc import Iterable
from typing import Any

from app.client.api import Client, File, path
from app.client.upload import FolderScan, UploadItem


def hash_manifest(scan: FolderScan, items: Iterable[UploadItem]) -> bytes:
    """The folder's files with their hashes, as `sha256sum` writes them; `items` iterates over those of the scan.

    Files that are not uploaded or cannot be read have `-` for a hash; no document at or below their paths is gone.
    """
    lines = [f"{_digest(item)}  {item.path}" for item in items]
    return "".join(f"{line}\n" for line in [*lines, *_unhashed(scan.left_out)]).encode()


def path_manifest(scan: FolderScan) -> bytes:
    """The folder's files without hashes, which is enough to find the documents that are gone."""
    return "".join(f"{line}\n" for line in _unhashed([*(i.path for i in scan.items), *scan.left_out])).encode()


def compare(client: Client, collection: str, manifest: bytes) -> Any:
    """How the collection differs from the folder, as the API answers; nothing is changed. Raises ApiError."""
    return client.upload(path("collections", collection, "sync"), File("manifest", manifest), {})


def apply_changes(client: Client, collection: str, manifest: bytes, changes: Any, *, allow_large_removal: bool) -> None:
    """Make the changes that `compare` returned, if it would still return them. Raises ApiError."""
    fields: dict[str, str | list[str]] = {"fingerprint": changes["fingerprint"]}
    if allow_large_removal:
        fields["allow_large_removal"] = "true"
    client.upload(path("collections", collection, "sync"), File("manifest", manifest), fields)


def _digest(item: UploadItem) -> str:
    try:
        with item.file.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "-"  # the upload will report the error


def _unhashed(paths: Iterable[str]) -> list[str]:
    return [f"-  {p}" for p in sorted(set(paths))]
