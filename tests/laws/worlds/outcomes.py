"""What was looked at, what differed, and how sure that makes us."""

import math
from dataclasses import dataclass, field

from tests.laws.worlds.savepoint_worlds import TOP, Outcome


@dataclass
class Tally:
    """Counts over worlds. A question counts as threatened if a search without walls would show a hidden passage."""

    worlds: int = 0
    questions: int = 0
    threatened: int = 0
    differing: int = 0
    prompts: int = 0
    first: str = field(default="", compare=False)

    def add(self, name: str, outcome: Outcome, questions: tuple[str, ...] = ()) -> None:
        """Count one world; `name` is how to find it again."""
        self.worlds += 1
        self.questions += len(outcome.bare)
        self.threatened += sum(outcome.threatened)
        differing = outcome.differing
        self.differing += len(differing)
        self.prompts += sum(outcome.bare[n].prompt != outcome.full[n].prompt for n in differing)
        if differing and not self.first:
            self.first = f"{name}, question {differing[0]}" + (f": {questions[differing[0]]}" if questions else "")

    def __add__(self, other: "Tally") -> "Tally":
        counts = ("worlds", "questions", "threatened", "differing", "prompts")
        summed = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Tally(**summed, first=self.first or other.first)

    @property
    def share(self) -> float:
        """The share of questions that were threatened."""
        return self.threatened / self.questions if self.questions else 0.0

    def __str__(self) -> str:
        line = (
            f"{self.worlds} worlds, {self.questions} questions, {self.share:.1%} of them with a hidden passage in the "
            f"unfiltered top {TOP}; {self.differing} differ, {self.prompts} in the prompt"
        )
        return f"{line}; first: {self.first}" if self.first else line


def upper_bound(failures: int, trials: int, *, doubt: float = 0.05) -> float:
    """The exact one-sided bound (Clopper and Pearson) on a rate, of which we are sure but for `doubt`."""
    if failures >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if _at_most(failures, trials, middle) > doubt:
            low = middle
        else:
            high = middle
    return high


def _at_most(failures: int, trials: int, rate: float) -> float:
    """The chance of so many failures or fewer."""
    logs = (
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        for k in range(failures + 1)
    )  # fmt: skip
    return math.fsum(map(math.exp, logs))
