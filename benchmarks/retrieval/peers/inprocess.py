"""What the peers inside this process share: no connections, and access as an argument of the search."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from benchmarks.retrieval.cases import Caller


class InProcess:
    """A retriever that is its own searcher."""

    exact = False
    unfiltered = False

    def admit(self, callers: Sequence[Caller]) -> None:
        """The visible scopes come with each search."""

    def searcher(self) -> Self:
        """Shared: searching changes nothing."""
        return self

    def backends(self) -> list[int]:
        """None: it is all in this process."""
        return []

    def regrant(self, caller: Caller, scope: int) -> tuple[int, float] | None:  # noqa: ARG002  # the protocol's
        """Nothing is stored about callers."""
        return None

    def close(self) -> None:
        """Nothing: the searcher is the retriever itself, and others may still use it."""


def bytes_below(folder: Path) -> int:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
