"""What a run found, as JSON: raw times, so that tables and plots can be made again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VERSION = 1


@dataclass
class Cell:
    """All searches of one peer for one kind of case at one k. `ms` and `cpu` are milliseconds, in order of time."""

    peer: str
    cell: str
    k: int
    ms: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    hidden: int = 0
    short: int = 0


@dataclass
class Cost:
    """What a peer costs beside searching. None where it was not measured."""

    peer: str
    name: str
    settings: str
    build_seconds: float
    memory: int
    disk: int
    cached: bool
    rows_per_second: float | None = None
    regrant_ms: float | None = None
    regrant_rows: int | None = None


@dataclass
class Results:
    """One run. `not_run` has the reason for each peer that is not in it."""

    about: dict[str, Any]
    cells: list[Cell] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    growth: list[dict[str, Any]] = field(default_factory=list)
    clients: list[dict[str, Any]] = field(default_factory=list)
    cold: list[dict[str, Any]] = field(default_factory=list)
    hidden_volume: list[dict[str, Any]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it in whole: a run that is stopped leaves the last state."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps({"version": VERSION, **asdict(self)}) + "\n", "utf-8")
        draft.replace(path)

    def find(self, peer: str, cell: str, k: int) -> Cell | None:
        """The searches of a peer, or None."""
        return next((c for c in self.cells if (c.peer, c.cell, c.k) == (peer, cell, k)), None)

    def ordered_cells(self) -> list[str]:
        """The names of the cells in the order of the first peer that has them."""
        return list(dict.fromkeys(c.cell for c in self.cells))

    def peers(self) -> list[str]:
        """The peers that were measured, in order."""
        return [cost.peer for cost in self.costs]


def load(path: Path) -> Results:
    """Read a file of this version; raises ValueError for another."""
    found = json.loads(path.read_text("utf-8"))
    if found.pop("version", None) != VERSION:
        raise ValueError(f"{path} is of another version of the benchmark")
    found["cells"] = [Cell(**one) for one in found["cells"]]
    found["costs"] = [Cost(**one) for one in found["costs"]]
    return Results(**found)
