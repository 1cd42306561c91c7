"""PostgreSQL's snapshots as values: which transactions a reader sees. Pure."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Snapshot:
    """The value of `pg_current_snapshot()`: it sees all transactions before `xmax` but those still `running`."""

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
        """Whether the changes of this transaction are seen, if it committed."""
        return transaction < self.xmax and transaction not in self.running

    def covers(self, other: "Snapshot") -> bool:
        """Whether all that `other` sees is seen here too. Numbers are not in commit order, so sets are compared."""
        return other.xmax <= self.xmax and all(not other.sees(transaction) for transaction in self.running)
