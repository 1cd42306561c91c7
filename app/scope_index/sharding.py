"""Which search process holds a scope: a fixed function of the scope's number and of how many there are. Pure.

Scopes are numbered in the order in which they are made, so the function must spread neighbours and numbers in steps:
multiples of the golden ratio do, better than chance would. PostgreSQL computes it too, so that a process reads its own
part alone; hence no 64-bit mixing, which a signed bigint cannot hold. A scope is never split: the largest one bounds
how even the parts can be.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

# 2**32 over the golden ratio. A scope's number has 31 bits, so the product has 63.
GOLDEN = 2_654_435_769
LOW = 0xFFFF_FFFF
MOST = 256


def shard_of(scopes: NDArray[np.int32], shards: int) -> NDArray[np.int64]:
    """The number, from 0, of the shard that holds each of these scopes."""
    turned: NDArray[np.int64] = (scopes.astype(np.int64) * GOLDEN & LOW) * shards >> 32
    return turned


@dataclass(frozen=True)
class Shard:
    """One part of the lists: the `number`-th, from 1, of `total`."""

    number: int = 1
    total: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not 1 <= self.number <= self.total <= MOST:
            raise ValueError(f"a shard is written as 2/4: a number from 1 to the total, which is {MOST} at most")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `2/4`; raises ValueError."""
        number, separator, total = text.partition("/")
        if not (separator and number.isdecimal() and total.isdecimal()):
            raise ValueError(f"a shard is written as 2/4: a number from 1 to the total, which is {MOST} at most")
        return cls(int(number), int(total))

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def holds(self, scopes: NDArray[np.int32]) -> bool:
        """Whether all of these scopes are this shard's."""
        return bool((shard_of(scopes, self.total) == self.number - 1).all())

    @property
    def condition(self) -> str:
        """The same in SQL, for a row with a `scope_id`."""
        if self.total == 1:
            return "true"
        return f"((cast(scope_id as bigint) * {GOLDEN} & {LOW}) * {self.total} >> 32) = {self.number - 1}"


WHOLE = Shard()
