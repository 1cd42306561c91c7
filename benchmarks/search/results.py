"""What a run measured, as JSON: raw times, so that tables and plots can be made again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.search.cases import Judged


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

    def note(self, ms: float, cpu: float, rows: int) -> None:
        self.ms.append(round(ms, 4))
        self.cpu.append(round(cpu, 4))
        self.rows.append(rows)

    def judge(self, judged: Judged) -> None:
        self.recall.append(round(judged.recall, 4))
        self.hidden += judged.hidden
        self.short += judged.short > 0


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
    growth: list[dict[str, Any]] = field(default_factory=list)
    clients: list[dict[str, Any]] = field(default_factory=list)
    cold: list[dict[str, Any]] = field(default_factory=list)
    hidden_volume: list[dict[str, Any]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write all of it: a run that is stopped leaves the last state."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(asdict(self)) + "\n", "utf-8")
        draft.replace(path)

    def find(self, peer: str, cell: str, k: int) -> Cell | None:
        return next((c for c in self.cells if (c.peer, c.cell, c.k) == (peer, cell, k)), None)

    def times(self, peer: str) -> list[float]:
        return [ms for cell in self.cells if cell.peer == peer for ms in cell.ms]


def load(path: Path) -> Results:
    """Read a file that `Results.save` wrote."""
    found = json.loads(path.read_text("utf-8"))
    found["cells"] = [Cell(**one) for one in found["cells"]]
    found["costs"] = [Cost(**one) for one in found["costs"]]
    return Results(**found)
