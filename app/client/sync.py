"""Holds a folder against a collection: what moved and what is gone, and makes the collection like it when told to."""

import hashlib
from collections.abc import Iterable
from typing import Any

from app.client.api import Client, File, path
from app.client.upload import Folder, Item


def manifest(found: Folder, items: Iterable[Item]) -> bytes:
    """The list of a folder's files with their hashes, as `sha256sum` writes it; `items` are the found ones in turn.

    What is there and is not uploaded, or cannot be read, has no hash: nothing at its place or below it is gone.
    """
    lines = [f"{_digest(item)}  {item.path}" for item in items]
    return "".join(f"{line}\n" for line in [*lines, *_unhashed(found.left_out)]).encode()


def names(found: Folder) -> bytes:
    """The same without hashes: enough to know what is gone."""
    return "".join(f"{line}\n" for line in _unhashed([*(i.path for i in found.items), *found.left_out])).encode()


def look(client: Client, collection: str, listed: bytes) -> Any:
    """How the collection differs from the folder; nothing is changed."""
    return client.upload(path("collections", collection, "sync"), File("manifest", listed), {})


def make_like(client: Client, collection: str, listed: bytes, seen: Any, *, allow_large_removal: bool) -> Any:
    """Move what moved and remove what is gone, if that is still what `seen` says. Raises ApiError."""
    fields: dict[str, str | list[str]] = {"fingerprint": seen["fingerprint"]}
    if allow_large_removal:
        fields["allow_large_removal"] = "true"
    return client.upload(path("collections", collection, "sync"), File("manifest", listed), fields)


def _digest(item: Item) -> str:
    try:
        with item.file.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        # The upload says what is wrong with it.
        return "-"


def _unhashed(paths: Iterable[str]) -> list[str]:
    return [f"-  {place}" for place in sorted(set(paths))]
