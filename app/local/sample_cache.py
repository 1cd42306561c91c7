"""The sample company as `clearance run` shows it: kept once it was loaded, so that a second run need not load it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from app.local.secrets import write_private

FILE = "sample.json"


@dataclass(frozen=True)
class Person:
    """Somebody of the sample company; `about` says who they are."""

    name: str
    about: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Welcome:
    """The people of the sample company, and commands to try."""

    people: tuple[Person, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """What a loader may use: the running API, and a URL for each database role (`clearance_owner`, …)."""

    base_url: str
    database_urls: Mapping[str, str] = field(repr=False)


class SampleLoader(Protocol):
    """Loads the sample company into a new installation; what it made before a failure it takes up again."""

    def __call__(self, site: Site) -> Welcome: ...


def load_once(folder: Path, site: Site, loader: SampleLoader) -> Welcome:
    """The kept welcome, or a new one from `loader`, kept for the next run."""
    welcome = read(folder)
    if welcome is None:
        welcome = loader(site)
        write_private(folder / FILE, json.dumps(asdict(welcome), indent=2))
    return welcome


def read(folder: Path) -> Welcome | None:
    """The welcome of a sample that was loaded, or None."""
    try:
        found = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return None
    return Welcome(people=tuple(Person(**person) for person in found["people"]), commands=tuple(found["commands"]))
