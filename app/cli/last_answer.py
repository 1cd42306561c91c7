"""The sources of the last answer in this terminal, so that `clearance documents show 2` opens the second one.

A file for each terminal session, private to the user (folder 0700, file 0600), holds ids, numbers, the time and the
service's address; no text, and not who asked. Old files are removed.
"""

import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from app.client.errors import UserError
from app.local.instance import process_start
from app.local.secrets import write_private

MAX_AGE_SECONDS = 12 * 3600.0


class NoSuchSource(UserError):
    """The last answer in this terminal has no source with this number."""


@dataclass(frozen=True)
class LastAnswer:
    """`documents` maps printed numbers to document ids; `at` is a Unix time."""

    url: str
    at: float
    documents: dict[str, str]


def save(environ: Mapping[str, str], url: str, documents: Mapping[int, str]) -> None:
    """Save the sources of an answer or the hits of a search. Raises OSError if the folder cannot be written."""
    folder = _folder(environ)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder)
    last = LastAnswer(url, time.time(), {str(number): document for number, document in documents.items()})
    write_private(folder / _name(), json.dumps(asdict(last)))
    for other in folder.glob("last-*.json"):
        if time.time() - other.stat().st_mtime > MAX_AGE_SECONDS:
            other.unlink(missing_ok=True)


def recall(environ: Mapping[str, str], url: str, number: str) -> str:
    """The id of the document with this number; raises NoSuchSource."""
    advice = "ask or search again, or give the id that stands below each source"
    try:
        folder = _folder(environ)
        _require_private(folder)
        last = LastAnswer(**json.loads(_read_private(folder / _name())))
    except FileNotFoundError:
        raise NoSuchSource(
            f"nothing was asked in this terminal yet, so there is no source {number}: {advice}"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise NoSuchSource(f"the sources of the last answer cannot be read ({error}): {advice}") from error
    if time.time() - last.at > MAX_AGE_SECONDS:
        raise NoSuchSource(
            f"the last answer in this terminal is older than {MAX_AGE_SECONDS / 3600:.0f} hours: {advice}"
        )
    if last.url != url:
        raise NoSuchSource(f"the last answer in this terminal came from {last.url}, not from {url}: {advice}")
    if number not in last.documents:
        numbers = ", ".join(last.documents) or "none"
        raise NoSuchSource(f"the last answer in this terminal has no source {number} (it has {numbers}): {advice}")
    return last.documents[number]


def _folder(environ: Mapping[str, str]) -> Path:
    state = environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "clearance"


def _name() -> str:
    """Names the session of this terminal by its id and start time, since ids are used again."""
    session = os.getsid(0)
    return f"last-{session}-{process_start(session) or 0}.json"


def _require_private(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder of yours with mode 0700")


def _read_private(file: Path) -> str:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, encoding="utf-8") as opened_file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise PermissionError(f"{file} must be a file of yours with mode 0600")
        return opened_file.read()
