"""What a row of the benchmark hands back: figures with their goals, and the cases behind them for a person to read."""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 60  # characters of text shown on either side of a case


@dataclass(frozen=True, slots=True)
class Case:
    """A stretch of a text that was left in the clear or masked without need; `weight` orders cases, worst first."""

    what: str
    text: str
    start: int
    end: int
    weight: float

    def __str__(self) -> str:
        before = self.text[max(self.start - _SHOWN, 0) : self.start]
        after = self.text[self.end : self.end + _SHOWN]
        shown = f"{before}»{self.text[self.start : self.end][: 3 * _SHOWN]}«{after}"
        readable = (each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown)
        return f"{self.what}: {''.join(readable)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `of`: the figure is a count out of so many; `at_most`: the goal is an upper bound.

    Counts are integers, shares and times are not.
    """

    what: str
    now: float
    goal: float | None = None
    at_most: bool = False
    of: int | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.now <= self.goal if self.at_most else self.now >= self.goal

    def cells(self) -> tuple[str, str, str, str]:
        """What, now, goal, and whether it is met."""
        goal = "" if self.goal is None else f"{'≤' if self.at_most else '≥'} {self._number(self.goal)}"
        now = self.number + ("" if self.of is None else f" of {self.of:,}")
        return self.what, " ".join(filter(None, (now, self.note))), goal, {True: "yes", False: "no", None: ""}[self.met]

    @property
    def number(self) -> str:
        return self._number(self.now)

    def _number(self, value: float) -> str:
        return f"{value:,.0f}" if isinstance(value, int) or self.of is not None else f"{value:.3f}"


@dataclass(frozen=True, slots=True)
class Row:
    """A measured row, or the reason why it was not measured."""

    figures: Sequence[Figure] = ()
    misses: Sequence[Case] = ()
    false_alarms: Sequence[Case] = ()
    skipped: str = ""


def joined(rows: Sequence[Row]) -> Row:
    """Parts of one row as one."""
    return Row(
        [figure for row in rows for figure in row.figures],
        [case for row in rows for case in row.misses],
        [case for row in rows for case in row.false_alarms],
        "; ".join(row.skipped for row in rows if row.skipped),
    )
