"""Checks that the folder of an instance is the caller's own, before anything in it is read or created."""

import os
import pwd
import stat
from pathlib import Path

from app.client.errors import UserError

# Written by a run. PostgreSQL's folder is not among them: it belongs to the user that PostgreSQL runs as.
RUN_FILES = (
    "secrets.json", "run.json", "run.lock", "sample.json", "people.json", "administrator.key", "logs", "models",
    "model.lock",
)  # fmt: skip
ELSEWHERE = "run it in a folder of your own, or name one: clearance run --home FOLDER"


class ForeignHome(UserError):
    """The folder belongs to another user, or others can write to it; the message says what to do."""


def require_own_home(home: Path) -> None:
    """Raise ForeignHome unless only the caller owns and can write to the folder, or it can be created."""
    try:
        status = home.stat()
    except FileNotFoundError:
        _require_creatable(home)
        return
    except OSError as error:
        raise ForeignHome(f"cannot look at {home} ({error.strerror}): {ELSEWHERE}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise ForeignHome(f"{home} is no folder: move it away, or {ELSEWHERE}")
    _require_owner(home, status)
    if status.st_mode & 0o022:
        raise ForeignHome(
            f"others can write to {home} ({stat.filemode(status.st_mode)}), so what lies there may not be yours: "
            f"chmod go= {home} if nobody did, else move it away"
        )
    for name in RUN_FILES:
        if os.path.lexists(home / name):
            _require_owner(home / name, (home / name).lstat())


def _require_creatable(home: Path) -> None:
    existing = next(parent for parent in home.parents if parent.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ForeignHome(f"{home} cannot be made, {existing} is not yours to write to: {ELSEWHERE}")


def _require_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        owner, caller = _user_name(status.st_uid), _user_name(os.geteuid())
        raise ForeignHome(f"{path} belongs to {owner} and you are {caller}: {ELSEWHERE}")


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
