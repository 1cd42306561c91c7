"""What runs here: `run.json` tells other commands where, and is believed only while its process lives."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from app.client.errors import UserError
from app.local.secrets import write_private

FILE = "run.json"


class InstanceUnreadable(UserError):
    """The folder of the instance is not the caller's to read."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One `clearance run`. `born` is the process's start in clock ticks since boot: a reused number has another one.

    `processes` are those of the start; a worker that was started again since has another number.
    """

    pid: int
    born: int
    api_url: str
    model_url: str
    postgres_port: int | None = None  # None: the database runs elsewhere
    socket_dir: str | None = None
    processes: dict[str, int] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write `folder/run.json`, for its owner alone."""
        write_private(folder / FILE, json.dumps(asdict(self), indent=2))

    @classmethod
    def last(cls, folder: Path) -> Self | None:
        """The instance that was started last, whether it still runs or not; None when there is none to be read."""
        try:
            return cls(**json.loads((folder / FILE).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        except PermissionError as error:
            raise InstanceUnreadable(f"{folder} is another user's: name a folder of your own with --home") from error

    @classmethod
    def running(cls, folder: Path) -> Self | None:
        """The instance that runs now, or None."""
        instance = cls.last(folder)
        return instance if instance is not None and born(instance.pid) == instance.born else None


def born(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[19])  # field 22 of proc(5), counted after the name in brackets
