"""PostgreSQL's snapshots as values: which transactions a reader sees. Pure."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Snapshot:
    """What `pg_current_snapshot()` gives: all transactions before `xmax` are seen but for those still `running`."""

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From PostgreSQL's form, `xmin:xmax:running,…`; raises ValueError."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(map(int, running.split(","))) if running else frozenset())

    def __str__(self) -> str:
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.running)))}"

    def sees(self, transaction: int) -> bool:
        """Whether what this transaction did is seen, if it committed."""
        return transaction < self.xmax and transaction not in self.running

    def covers(self, other: "Snapshot") -> bool:
        """Whether all that `other` sees is seen here too. Order of numbers is not order of commits: sets decide."""
        return other.xmax <= self.xmax and all(not other.sees(transaction) for transaction in self.running)
