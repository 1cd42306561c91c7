"""Writes what the service sends to a file or to standard output."""

import codecs
import os
import sys
import tempfile
from pathlib import Path

from app.cli.output import print_success, safe_text, wants_json
from app.client.api import Client
from app.client.errors import UserError


class FileThere(UserError):
    """The file exists and --force is not given, or it cannot be written."""


def download(client: Client, source: str, to: str, *, force: bool, **params: str | bool | None) -> None:
    """Save the body at the API path `source` as the file `to` (0600, whole or not at all); `-` is standard output."""
    if to == "-" and wants_json():
        raise FileThere("--to - writes the file itself to standard output, where --json would write too: leave one out")
    if to == "-":
        on_terminal = sys.stdout.isatty()
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for piece in client.stream_bytes(source, **params):
            # A pipe gets the bytes as they are; on a terminal no character may act.
            sys.stdout.buffer.write(safe_text(decoder.decode(piece)).encode() if on_terminal else piece)
        return
    size = save(client, source, to, force=force, **params)
    print_success(f"{to} ({size:,} bytes)", {"file": to, "bytes": size})


def save(client: Client, source: str, to: str, *, force: bool, **params: str | bool | None) -> int:
    """Save the body at the API path `source` as the file `to` (0600, whole or not at all); gives its bytes."""
    refuse_what_is_there(to, force=force)
    target = Path(to)
    try:
        descriptor, work = tempfile.mkstemp(dir=target.parent, prefix=".clearance-")
    except OSError as error:
        raise FileThere(f"cannot write to {target.parent}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in client.stream_bytes(source, **params):
                file.write(piece)
        Path(work).replace(target)
    except BaseException:
        Path(work).unlink(missing_ok=True)
        raise
    return target.stat().st_size


def refuse_what_is_there(*files: str, force: bool) -> None:
    """Raises FileThere where one of the files exists, unless it may be replaced."""
    for file in files:
        if Path(file).exists() and not force:
            raise FileThere(f"{file} is there; --force replaces it, --to names another")
