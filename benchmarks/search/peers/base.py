"""What every way to search under permissions does, and how it is measured: one file each beside this one."""

import contextlib
import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.conninfo import make_conninfo

from app.local.postgres import EmbeddedPostgres
from benchmarks.search.cases import Caller
from benchmarks.search.vectors import Floats, Vectors
from benchmarks.world import PASSWORD, server

APP = "bench_app"
BLOCK = 2_000  # rows in a batch
# Parallel workers would take the second core from the neighbours, and their CPU time is counted nowhere.
SETTINGS = {
    "shared_buffers": "3GB",
    "maintenance_work_mem": "3GB",
    "max_parallel_workers_per_gather": "0",
    "max_wal_size": "8GB",
    "jit": "off",
    "autovacuum": "off",  # tables are vacuumed when they are built; a worker's work would be counted nowhere
    "random_page_cost": "1.1",
    "max_connections": "200",
}


class NotRun(Exception):
    """This peer cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Built:
    """What building took. Bytes count vectors and index, in memory (of this process) and on disk."""

    seconds: float
    memory: int
    disk: int


class Batch(NamedTuple):
    """Rows to write: `ids` (m,), `rows` (m, d), `scopes` (m,)."""

    ids: NDArray[Any]
    rows: NDArray[Any]
    scopes: NDArray[Any]

    def at(self, places: Any) -> "Batch":
        """Some of the rows, or all in another order."""
        return Batch(*(column[places] for column in self))


@dataclass(frozen=True)
class Place:
    """The server for peers that need one, and a folder of this name for what others keep.

    `made` are the seconds that each of the tables took that peers share.
    """

    server: EmbeddedPostgres
    name: str
    made: dict[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.server.folder.parent / self.name

    def connect(self, role: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the superuser, or of APP: it owns nothing and is bound by row-level security."""
        dsn = make_conninfo(host="127.0.0.1", port=self.server.port, user=role, password=PASSWORD, dbname="postgres")
        return psycopg.connect(dsn, autocommit=True)


class Searcher(Protocol):
    """One client: its connection, if the peer has connections. Used by one thread."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """The ids of the best k vectors that the caller may see, best first."""

    def backends(self) -> list[int]:
        """Process ids of other processes that work for this client."""

    def close(self) -> None:
        """Give back what it holds."""


class Peer(ABC):
    """A way to search under permissions. As it stands here: in this process, with access as an argument of a search."""

    name: ClassVar[str]
    settings: ClassVar[str]
    unfiltered: ClassVar[bool] = False  # it ignores the caller

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def build(self, vectors: Vectors) -> Built:
        """Build from nothing."""

    @abstractmethod
    def searcher(self) -> Searcher:
        """A client."""

    def write(self, batch: Batch) -> None:  # noqa: ARG002
        """Add rows, with all indexes in place; the next search finds them."""
        raise NotRun("only those whose rate is published are measured")

    def admit(self, callers: Sequence[Caller]) -> None:  # noqa: B027  # some peers store it
        """Say who may see what, in the way that this peer stores it; replaces what was said before."""

    def regrant(self, scope: int) -> tuple[int, float] | None:  # noqa: ARG002
        """Take a scope from who sees it and give it back: rows of vectors written, and seconds for each of the two.

        None where it is not measured: with grants in a table, or as an argument, no vector is written.
        """
        return None

    def close(self) -> None:  # noqa: B027  # most hold nothing
        """Give back what it holds."""


class InProcess(Peer):
    """A peer that is its own client: searching changes nothing."""

    @abstractmethod
    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """The ids of the best k vectors that the caller may see, best first."""

    def searcher(self) -> Searcher:
        return self

    def backends(self) -> list[int]:
        return []


def need(module: str) -> Any:
    """A vendor's module; raises NotRun if it is not installed, as most are not beside the product."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NotRun(f"{error.name} is not installed (benchmarks/search/requirements.txt)") from error


def whole(vectors: Vectors) -> Batch:
    return Batch(np.arange(vectors.size, dtype=np.int64), vectors.rows, vectors.scopes)


def blocks(vectors: Vectors) -> Iterator[Batch]:
    """All of them in batches, for those that take no more at once."""
    for begin in range(0, vectors.size, BLOCK):
        yield whole(vectors).at(slice(begin, begin + BLOCK))


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def serve(*, workers: int = 0) -> Iterator[EmbeddedPostgres]:
    """A server with the role of the searches; `workers` help to build indexes."""
    with server(SETTINGS | {"max_parallel_maintenance_workers": str(workers)}) as running:
        with Place(running, "").connect() as connection:
            connection.execute("create extension vector")
            connection.execute(f"create role {APP} login password '{PASSWORD}'".encode())
            connection.execute(f"grant usage on schema public to {APP}".encode())
        yield running
