"""A search process's server in a thread, over lists of our making, and ways to speak with it well and badly."""

import dataclasses
import socket
from dataclasses import field
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge

import numpy as np
from numpy.typing import NDArray

from app.embedding.codebook import Codebook
from app.retrieval.lists.protocol import Candidates, Entries
from app.retrieval.lists.remote.client import RemoteLists
from app.retrieval.lists.remote.server import ListServer
from app.retrieval.lists.remote.wire import Hello, Scan, Welcome, pack, unpack
from app.retrieval.lists.shards import Shard, shard_of
from app.retrieval.lists.snapshot import Snapshot
from app.retrieval.lists.store import ScopeLists

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
BOOK = Codebook(32)
NOW = Snapshot(90, 100, frozenset({90, 95}))


def plain(value: object) -> object:
    """With bytes in the place of arrays, so that equal means equal bit for bit."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if dataclasses.is_dataclass(value):
        return type(value), [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return value


def scan(**other: object) -> Scan:
    given: dict[str, object] = {
        "snapshot": NOW,
        "since": NOW,
        "depth": 5,
        "query": np.ones(32, np.float32),
        "scopes": np.array([1, 3], np.int32),
    }
    return Scan(**(given | other))  # type: ignore[arg-type]


class Stored:
    """A source of a hundred entries in each of forty scopes, all of them this shard's."""

    def __init__(self, shard: Shard) -> None:
        rng = np.random.default_rng(1)
        scopes = np.repeat(np.arange(1, 41, dtype=np.int32), 100)
        drawn = rng.standard_normal((len(scopes), 32)).astype(np.float32)
        codes = BOOK.encode(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
        every = Entries(np.arange(len(scopes), dtype=np.int64), scopes, codes)
        self._held = every.pick(shard_of(scopes, shard.total) == shard.number - 1)
        self.snapshot = NOW

    def load(self, progress: object) -> tuple[Snapshot, Entries]:
        return self.snapshot, self._held

    def changes(self, since: Snapshot) -> tuple[Snapshot, Entries]:
        return self.snapshot, self._held.pick(np.zeros(len(self._held), np.bool_))

    def count(self) -> int:
        return len(self._held)

    def close(self) -> None:
        pass


@dataclasses.dataclass
class Running:
    """A server on a Unix socket."""

    address: str
    lists: ScopeLists
    source: Stored
    server: ListServer
    remotes: list[RemoteLists] = field(default_factory=list)

    def remote(self, *, key: bytes = KEY, book: Codebook = BOOK, seconds: float = 5.0, times: int = 1) -> RemoteLists:
        self.remotes.append(RemoteLists([self.address] * times, book, key=key, seconds=seconds))
        return self.remotes[-1]


def asked(remote: RemoteLists | ScopeLists, scopes: NDArray[np.int32], snapshot: Snapshot = NOW) -> Candidates:
    view = remote.view(snapshot)
    assert view is not None
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    return view.candidates(query, scopes, depth=50)


def works(running: Running) -> None:
    """Whether the server answers as the lists in this process do."""
    scopes = np.array([2, 3, 5, 7, 40, 77], np.int32)
    remote = running.remote()
    assert plain(asked(remote, scopes)) == plain(asked(running.lists, scopes))


def raw(address: str) -> Connection:
    """A connection that speaks frames and has proved nothing yet."""
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(10)
    opened.connect(address)
    opened.settimeout(None)
    return Connection(opened.detach())


def proved(address: str) -> Connection:
    """A connection that has proved the key."""
    made = raw(address)
    answer_challenge(made, KEY)
    deliver_challenge(made, KEY)
    return made


def greeted(address: str, *, number: int = 1, total: int = 1) -> Connection:
    """A connection that may ask."""
    made = proved(address)
    made.send_bytes(pack(Hello(bytes.fromhex(BOOK.digest), number, total)))
    assert unpack(made.recv_bytes()) == Welcome()
    return made


def ended(connection: Connection) -> bool:
    """Whether the other side has closed the connection; waits for it."""
    try:
        while connection.poll(20):
            connection.recv_bytes()
    except (EOFError, OSError):
        return True
    return False
