"""What a long run has done so far, in a file that is whole at every moment."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.laws.worlds.outcomes import Tally


@dataclass(frozen=True)
class Result:
    """One batch: its counts, how many single answers were compared, and the worlds that differ, as their lines."""

    phase: str
    number: int
    tally: Tally
    compared: int
    seconds: float
    mismatches: tuple[str, ...]


@dataclass
class Total:
    """The sum over batches of one phase."""

    tally: Tally = field(default_factory=Tally)
    compared: int = 0
    seconds: float = 0.0
    wrong: int = 0


@dataclass
class State:
    """Batches by phase and number, of `sizes` worlds. A batch is in it or not: half a batch is done again."""

    sizes: dict[str, int]
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, sizes: dict[str, int]) -> Self:
        """What the file says; nothing done if there is none. Raises ValueError for one that this run cannot go on."""
        if not path.exists():
            return cls(sizes)
        value = json.loads(path.read_text("utf-8"))
        if not isinstance(value, dict) or value.get("sizes") != sizes:
            raise ValueError(f"{path} is not the state of a run with batches of {sizes}; name another --state")
        return cls(sizes, value["batches"])

    def save(self, path: Path) -> None:
        """Replace the file in one step, so that a kill at any moment leaves the old or the new one."""
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"sizes": self.sizes, "batches": self.batches}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def has(self, phase: str, number: int) -> bool:
        """Whether this batch is done."""
        return f"{phase}:{number}" in self.batches

    def add(self, result: Result, code: str) -> None:
        """Take up a batch; `code` is the version of the code that it was done by."""
        self.batches[f"{result.phase}:{result.number}"] = {**asdict(result), "code": code}

    @property
    def mismatches(self) -> list[tuple[str, str]]:
        """The worlds that differ: phase and line."""
        return [(batch["phase"], line) for batch in self.batches.values() for line in batch["mismatches"]]

    @property
    def codes(self) -> set[str]:
        """The versions of the code that did it."""
        return {batch["code"] for batch in self.batches.values()}

    def totals(self) -> dict[str, Total]:
        """Sums by phase."""
        totals: dict[str, Total] = {}
        for batch in self.batches.values():
            total = totals.setdefault(batch["phase"], Total())
            total.tally += Tally(**batch["tally"])
            total.compared += batch["compared"]
            total.seconds += batch["seconds"]
            total.wrong += len(batch["mismatches"])
        return totals
