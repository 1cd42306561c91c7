"""Which search process holds a scope: a fixed function of the scope's number and the number of processes. Pure.

Scopes are numbered in the order of their creation, so the function must spread adjacent numbers and regular steps:
multiples of the golden ratio do, better than chance would. PostgreSQL computes it too, so that a process reads only its
own part; hence no 64-bit mixing, which a signed bigint cannot hold. A scope is never split, so the largest one limits
how even the parts can be.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

# 2**32 over the golden ratio. A scope's number has 31 bits, so the product has 63.
GOLDEN = 2_654_435_769
LOW_32_BITS = 0xFFFF_FFFF
MAX_SHARDS = 256


def shard_of(scopes: NDArray[np.int32], shards: int) -> NDArray[np.int64]:
    """The number, from 0, of the shard that holds each of these scopes."""
    numbers: NDArray[np.int64] = (scopes.astype(np.int64) * GOLDEN & LOW_32_BITS) * shards >> 32
    return numbers


@dataclass(frozen=True)
class Shard:
    """One part of the index: the `number`-th, from 1, of `total`."""

    number: int = 1
    total: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not 1 <= self.number <= self.total <= MAX_SHARDS:
            raise ValueError(f"a shard is written as 2/4: a number from 1 to the total, which is {MAX_SHARDS} at most")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `2/4`; raises ValueError."""
        number, separator, total = text.partition("/")
        if not (separator and number.isdecimal() and total.isdecimal()):
            raise ValueError(f"a shard is written as 2/4: a number from 1 to the total, which is {MAX_SHARDS} at most")
        return cls(int(number), int(total))

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def holds(self, scopes: NDArray[np.int32]) -> bool:
        """Whether all of these scopes are this shard's."""
        return bool((shard_of(scopes, self.total) == self.number - 1).all())

    @property
    def condition(self) -> str:
        """`holds` as an SQL condition on a row with a `scope_id`."""
        if self.total == 1:
            return "true"
        return f"((cast(scope_id as bigint) * {GOLDEN} & {LOW_32_BITS}) * {self.total} >> 32) = {self.number - 1}"


WHOLE = Shard()
