"""What every retriever under test does. One file each in `peers/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.postgres import Server
from benchmarks.retrieval.world import Floats, Integers, World


class NotRun(Exception):
    """This peer cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Built:
    """What building took. Bytes count vectors and index, in memory (of this process) and on disk."""

    seconds: float
    memory: int
    disk: int


@dataclass(frozen=True)
class Batch:
    """Rows to write: `ids` (m,), `vectors` (m, d), `scopes` (m,)."""

    ids: Integers
    vectors: Floats
    scopes: NDArray[np.int32]


@dataclass(frozen=True)
class Place:
    """Where a peer keeps what it built, and the server for those that need one."""

    folder: Path
    server: Server


class Searcher(Protocol):
    """One client: its connection, if the peer has connections. Used by one thread."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """The ids of the best k vectors (d,) that the caller may see, best first."""

    def backends(self) -> list[int]:
        """Process ids of other processes that work for this client."""

    def close(self) -> None:
        """Give back what it holds."""


class Retriever(Protocol):
    """A way to search under permissions."""

    @property
    def name(self) -> str:
        """As tables show it."""

    @property
    def settings(self) -> str:
        """What was chosen, for those who would choose otherwise."""

    @property
    def exact(self) -> bool:
        """Whether its answers must equal the truth."""

    @property
    def unfiltered(self) -> bool:
        """Whether it ignores the caller."""

    def build(self, world: World) -> Built:
        """Build from nothing."""

    def reopen(self, world: World) -> None:
        """Use what an earlier run built in the same place."""

    def admit(self, callers: Sequence[Caller]) -> None:
        """Say who may see what, in the way that this peer stores it; replaces what was said before."""

    def searcher(self) -> Searcher:
        """A client."""

    def write(self, batch: Batch) -> None:
        """Add rows; the next search finds them."""

    def remove(self, batch: Batch) -> None:
        """Take them away again."""

    def regrant(self, caller: Caller, scope: int) -> tuple[int, float] | None:
        """Take the scope from this caller and give it back: rows of vectors written, and seconds for each of the two.

        None where access is an argument of the search alone and nothing that is stored changes.
        """

    def close(self) -> None:
        """Let go of everything."""
