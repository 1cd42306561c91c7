"""What was looked at, what differed, and how sure that makes us."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import zip_longest
from typing import Any

TOP = 10  # of an unfiltered search: a question is threatened by a hidden passage among these


@dataclass(frozen=True)
class Outcome:
    """What both worlds show, in one order, and for each question whether it is threatened."""

    bare: Sequence[Any]
    full: Sequence[Any]
    threatened: tuple[bool, ...]

    @property
    def differing(self) -> list[int]:
        """The numbers of what tells the two worlds apart."""
        return [n for n, (a, b) in enumerate(zip_longest(self.bare, self.full)) if a != b]


@dataclass
class Tally:
    """Counts over worlds; `wrong` are the names of those that differ, `prompts` is counted by who compares prompts."""

    worlds: int = 0
    questions: int = 0
    threatened: int = 0
    compared: int = 0
    differing: int = 0
    prompts: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, name: str, outcome: Outcome) -> None:
        """Count one world; `name` is how to find it again."""
        self.worlds += 1
        self.questions += len(outcome.threatened)
        self.threatened += sum(outcome.threatened)
        self.compared += len(outcome.bare)
        self.differing += len(outcome.differing)
        self.wrong += [name] if outcome.differing else []

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def share(self) -> float:
        return self.threatened / self.questions if self.questions else 0.0

    def __str__(self) -> str:
        return (
            f"{self.worlds} worlds, {self.questions} questions, {self.share:.1%} of them with a hidden passage in the "
            f"unfiltered top {TOP}; {self.differing} differ, {self.prompts} in the prompt; {self.wrong[:1]}"
        )


def upper_bound(trials: int, *, doubt: float = 0.05) -> float:
    """What the rate of failures is at most, but for `doubt`, where none of so many failed (Clopper and Pearson)."""
    return float(1 - doubt ** (1 / trials)) if trials else 1.0
