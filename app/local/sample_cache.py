"""What `clearance run` prints about the sample company, saved when it is loaded, so that it is loaded once."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from app.local.secrets import write_private

FILE = "sample.json"


@dataclass(frozen=True)
class SampleUser:
    """A person of the sample company; `about` is a title or description."""

    name: str
    about: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class SampleWelcome:
    """The people of the sample company, and commands to try."""

    people: tuple[SampleUser, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True)
class LoadTarget:
    """What a loader gets: the running API, and a URL for each database role (`clearance_owner`, …)."""

    base_url: str
    database_urls: Mapping[str, str] = field(repr=False)


class SampleLoader(Protocol):
    """Loads the sample company into a new installation; called again after a failure, it completes the load."""

    def __call__(self, target: LoadTarget, /) -> SampleWelcome: ...


def load_once(folder: Path, target: LoadTarget, loader: SampleLoader) -> SampleWelcome:
    """The saved welcome; if there is none, that of `loader`, which is saved."""
    welcome = read(folder)
    if welcome is None:
        welcome = loader(target)
        write_private(folder / FILE, json.dumps(asdict(welcome), indent=2))
    return welcome


def read(folder: Path) -> SampleWelcome | None:
    try:
        data = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return None
    return SampleWelcome(
        people=tuple(SampleUser(**person) for person in data["people"]), commands=tuple(data["commands"])
    )
