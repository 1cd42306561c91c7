"""Search processes, real ones or in threads, beside the lists of one process; and a company of callers who ask both."""

import contextlib
import itertools
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import log
from app.acl.rules import OwnRule
from app.db.engine import connect
from app.db.session import Database
from app.identity.subject import Subject
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.database_id import DatabaseIdentity
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.remote.address import listen
from app.scope_index.remote.client import RemoteIndex, RemoteView
from app.scope_index.remote.server import IndexServer
from app.scope_index.sharding import Shard
from app.scope_index.snapshot import Snapshot
from tests.support.cluster import Db
from tests.support.environment import free_port
from tests.support.library_db import LibraryDb, allow
from tests.support.processes import Process, process
from tests.support.scope_index_world import BOOK, seen
from tests.support.vector_rows import DIMENSIONS, Stacks, unit
from tests.support.waiting import wait_for

# No test depends on how fast the machine is: nothing is given up for being slow.
PATIENCE = 60.0


@contextlib.contextmanager
def search_process(
    folder: Path, db: Db, shard: Shard, *, dimensions: int = DIMENSIONS, certificate: Path | None = None
) -> Iterator[tuple[Process, str]]:
    """`python -m app.search_process`, as an operator starts it, and its address; it may still be loading.

    With a certificate it listens on TCP, else on a Unix socket.
    """
    address = str(folder / "sockets" / f"{shard.number}.sock")
    if certificate is not None:
        address = f"127.0.0.1:{free_port()}"
    given = {
        "CLEARANCE_DATABASE__SEARCH_URL": db.url("search"),
        "CLEARANCE_LISTS__LISTEN": address,
        "CLEARANCE_LISTS__CERTIFICATE": str(certificate or ""),
        "CLEARANCE_LISTS__SHARD": str(shard),
        "CLEARANCE_LISTS__DIMENSIONS": str(dimensions),
    }
    with process(folder, ["app.search_process"], given) as made:
        yield made, address


def remote(db: Db, addresses: list[str]) -> RemoteIndex:
    """An API process's side of these."""
    database = DatabaseIdentity(db.url("app"))
    return RemoteIndex(addresses, BOOK, certificate=None, seconds=PATIENCE, database=database)


@dataclass
class Threads:
    """Search processes in threads of this one, over real sockets; each is read and renewed in its turn."""

    parts: list[ScopeIndex]
    client: RemoteIndex
    _turn: "itertools.cycle[int]" = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._turn = itertools.cycle(range(len(self.parts)))

    def view(self, snapshot: Snapshot) -> RemoteView | None:
        return self.client.view(snapshot)

    def follow(self) -> None:
        """One of them reads what is new: they never stand at the same reading."""
        with self._lock:
            self.parts[next(self._turn)].follow()

    def load(self) -> None:
        """One of them makes its base anew."""
        with self._lock:
            self.parts[next(self._turn)].load()

    def close(self) -> None:
        self.client.close()


@contextlib.contextmanager
def threads(folder: Path, db: Db, total: int) -> Iterator[Threads]:
    """So many shards, loaded; they follow the database when they are told to."""
    log.configure(json=True)
    with contextlib.ExitStack() as stack:
        parts, addresses = [], []
        for number in range(1, total + 1):
            shard = Shard(number, total)
            lists = stack.enter_context(
                contextlib.closing(ScopeIndex(CodeReader(connect(db.url("search"), pool_size=2), BOOK, shard), BOOK))
            )
            lists.load()
            made = IndexServer(lists, BOOK, shard, certificate=None, database=DatabaseIdentity(db.url("search")))
            server = stack.enter_context(contextlib.closing(made))
            addresses.append(str(folder / "sockets" / f"{number}.sock"))
            server.start(listen(addresses[-1]))
            parts.append(lists)
        yield Threads(parts, stack.enter_context(contextlib.closing(remote(db, addresses))))


@dataclass
class Company:
    """Ten collections with two scopes each, and callers who see some of them."""

    library: LibraryDb
    database: Database
    rng: np.random.Generator
    stacks: Stacks
    callers: list[Subject]
    collections: list[uuid.UUID]
    scopes: list[list[int]]

    def add(self, collection: int, vectors: NDArray[np.float32], scope: int = 0) -> int:
        """A document on that collection."""
        return self.stacks.add(self.collections[collection], self.scopes[collection][scope], vectors)

    @contextlib.contextmanager
    def reading(self, caller: Subject) -> Iterator[ReaderSnapshot]:
        """A transaction of this caller."""
        with self.database.reading(caller.user_id) as session:
            yield seen(session, caller)


def company(library: LibraryDb, database: Database) -> Company:
    """Four thousand passages; caller `n` sees every collection that n + 1 divides, the first one all of them."""
    rng, stacks = np.random.default_rng(21), Stacks(library)
    people = [library.person(f"caller {n}") for n in range(6)]
    collections, scopes = [], []
    for number in range(10):
        grants = frozenset(allow("user", person) for n, person in enumerate(people) if number % (n + 1) == 0)
        collections.append(library.collection(f"collection {number}", *grants))
        scopes.append([library.scope(collections[-1]), library.scope(collections[-1], OwnRule(grants))])
    made = Company(library, database, rng, stacks, [library.subject(p) for p in people], collections, scopes)
    for number in range(10):
        # Scopes of very different sizes: most have a list of their own, some share one.
        made.add(number, unit(rng, 60 + 70 * number), scope=0)
        made.add(number, unit(rng, 8 * number + 3), scope=1)
    return made


def loaded(processes: list[Process], lists: RemoteIndex, company: Company) -> None:
    """Wait until the search processes answer."""

    def answer() -> bool:
        # A reader of now: one that began before the lists were read may not cover what they know.
        with company.reading(company.callers[0]) as reader:
            return lists.view(reader.corpus.snapshot) is not None

    wait_for(
        answer,
        seconds=PATIENCE,
        message=lambda: "\n".join(made.said for made in processes),
    )
