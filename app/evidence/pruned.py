"""Which records of a log were pruned, and which of them its own records say were: nobody else may take one away."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from app.evidence.records import LOG_PRUNED, part

# From a first number to the one behind the last.
Range: TypeAlias = tuple[int, int]
WRITER = "clearance_sequencer"


class Pruned:
    """Takes the numbers without a record and what records say of it, in their order; keeps neighbours as one range."""

    def __init__(self) -> None:
        self.count = 0
        self._bare: list[Range] = []
        self._declared: list[Range] = []

    def take(self, seq: int) -> None:
        """This entry has no record."""
        self.count += 1
        if self._bare and self._bare[-1][1] == seq:
            self._bare[-1] = (self._bare[-1][0], seq + 1)
        else:
            self._bare.append((seq, seq + 1))

    def follow(self, seq: int, record: Mapping[str, Any]) -> None:
        """Note what a record says of earlier ones, if it is one that says so, and of the part of ours that may."""
        if record["kind"] == LOG_PRUNED and record.get("writer") == WRITER:
            self._declared += _ranges(part(record, "entries"), seq)

    def undeclared(self) -> Iterator[Range]:
        """The numbers without a record of which no record says that they were pruned."""
        declared = iter(_merged(self._declared))
        said = next(declared, None)
        for first, end in _merged(self._bare):
            begin = first
            while said is not None and said[0] < end:
                if begin < said[0]:
                    yield begin, said[0]
                begin = max(begin, said[1])
                if said[1] > end:
                    break  # it may cover the next ones too
                said = next(declared, None)
            if begin < end:
                yield begin, end


def _ranges(value: object, before: int) -> Iterator[Range]:
    """The ranges of a record, as far as they are some, and of numbers before its own."""
    for each in value if isinstance(value, list) else ():
        match each:
            case [int(first), int(last)] if 0 <= first <= last < before:
                yield first, last + 1


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in order, each once."""
    found: list[Range] = []
    for first, end in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found
