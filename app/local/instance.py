"""The instance that runs from a folder: `run.json` says where, and is valid only while its process lives."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from app.client.errors import UserError
from app.local.secrets import write_private

FILE = "run.json"


class InstanceUnreadable(UserError):
    """The caller may not read the folder of the instance."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One `clearance run`. `born` is the start of process `pid` in clock ticks since boot, since pids are reused.

    `processes` has the pids at the start; a worker that was restarted has another one.
    """

    pid: int
    born: int
    api_url: str
    model_url: str
    postgres_port: int | None = None  # None: the database runs elsewhere
    socket_dir: str | None = None
    processes: dict[str, int] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write `folder/run.json`, readable by its owner alone."""
        write_private(folder / FILE, json.dumps(asdict(self), indent=2))

    @classmethod
    def last(cls, folder: Path) -> Self | None:
        """The instance that was started last, whether it still runs or not; None if there is no valid file."""
        try:
            return cls(**json.loads((folder / FILE).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        except PermissionError as error:
            raise InstanceUnreadable(f"{folder} is another user's: name a folder of your own with --home") from error

    @classmethod
    def running(cls, folder: Path) -> Self | None:
        instance = cls.last(folder)
        return instance if instance is not None and process_start(instance.pid) == instance.born else None


def process_start(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[19])  # field 22 in proc(5); the name in brackets may contain blanks
