"""Whether the folder of an instance is the caller's own: looked at before anything in it is read or made."""

import os
import pwd
import stat
from pathlib import Path

from app.client.errors import UserError

# What a run writes itself. PostgreSQL's folder belongs to the user that it runs as.
OWN = ("secrets.json", "run.json", "run.lock", "sample.json", "people.json", "administrator.key", "logs", "models")
ELSEWHERE = "run it in a folder of your own, or name one: clearance run --home FOLDER"


class NotOwn(UserError):
    """The folder is another user's, or others may write to it; the message says what to do."""


def require_own(home: Path) -> None:
    """Raise NotOwn unless the folder is the caller's and nobody else's to write to, or can be made."""
    try:
        found = home.stat()
    except FileNotFoundError:
        _require_room(home)
        return
    except OSError as error:
        raise NotOwn(f"cannot look at {home} ({error.strerror}): {ELSEWHERE}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise NotOwn(f"{home} is no folder: move it away, or {ELSEWHERE}")
    _require_mine(home, found)
    if found.st_mode & 0o022:
        raise NotOwn(
            f"others can write to {home} ({stat.filemode(found.st_mode)}), so what lies there may not be yours: "
            f"chmod go= {home} if nobody did, else move it away"
        )
    for name in OWN:
        if os.path.lexists(home / name):
            _require_mine(home / name, (home / name).lstat())


def _require_room(home: Path) -> None:
    above = next(parent for parent in home.parents if parent.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise NotOwn(f"{home} cannot be made, {above} is not yours to write to: {ELSEWHERE}")


def _require_mine(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise NotOwn(f"{path} belongs to {_name(found.st_uid)} and you are {_name(os.geteuid())}: {ELSEWHERE}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
