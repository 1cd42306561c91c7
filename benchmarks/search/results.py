"""What a run measured, with its raw times; kept as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


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
    hidden: int = 0  # rows that the caller may not see
    short: int = 0  # answers with too few rows


@dataclass
class Cost:
    """What a peer costs beside searching. None where it was not measured; a re-grant without rows is an argument."""

    peer: str
    name: str
    settings: str
    build_seconds: float
    memory: int
    disk: int
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
    clients: list[dict[str, Any]] = field(default_factory=list)
    hidden_volume: list[dict[str, Any]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write all of it: a run that is stopped leaves the last state."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)) + "\n", "utf-8")

    def find(self, peer: str, cell: str, k: int) -> Cell | None:
        return next((c for c in self.cells if (c.peer, c.cell, c.k) == (peer, cell, k)), None)

    def times(self, peer: str) -> list[float]:
        return [ms for cell in self.cells if cell.peer == peer for ms in cell.ms]

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(cell.cell for cell in self.cells))
