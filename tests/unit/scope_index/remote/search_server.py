"""A search process's server in a thread, over lists of our making, and ways to speak with it well and badly."""

import contextlib
import dataclasses
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.indexing.quantizer import ProductQuantizer
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries, ScanResult
from app.scope_index.remote.address import listen
from app.scope_index.remote.client import RemoteLists
from app.scope_index.remote.handshake import NONCE, Proof, Seal
from app.scope_index.remote.messages import Hello, Message, Scan, Welcome, pack, unpack
from app.scope_index.remote.server import ListServer
from app.scope_index.sharding import WHOLE, Shard, shard_of
from app.scope_index.snapshot import Snapshot

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
BOOK = ProductQuantizer(32)
DATABASE = b"d" * 32
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

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
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
    lists: ScopeIndex
    source: Stored
    server: ListServer
    remotes: list[RemoteLists] = field(default_factory=list)

    def remote(
        self,
        *,
        key: bytes = KEY,
        book: ProductQuantizer = BOOK,
        seconds: float = 5.0,
        times: int = 1,
        database: bytes = DATABASE,
    ) -> RemoteLists:
        self.remotes.append(
            RemoteLists([self.address] * times, book, key=key, seconds=seconds, database=lambda: database)
        )
        return self.remotes[-1]


def served(lists: ScopeIndex, shard: Shard = WHOLE) -> ListServer:
    """A server of these lists that knows the key."""
    return ListServer(lists, BOOK, shard, key=KEY, database=lambda: DATABASE)


@contextlib.contextmanager
def running_in(folder: Path) -> Iterator[Running]:
    """A server of the whole, on a socket in this folder, and the end of both sides."""
    source = Stored(WHOLE)
    lists = ScopeIndex(source, BOOK)
    lists.load()
    address = str(folder / "private" / "lists.sock")
    with contextlib.closing(served(lists)) as server:
        server.start(listen(address))
        made = Running(address, lists, source, server)
        yield made
        for remote in made.remotes:
            remote.close()


def asked(remote: RemoteLists | ScopeIndex, scopes: NDArray[np.int32], snapshot: Snapshot = NOW) -> ScanResult:
    view = remote.view(snapshot)
    assert view is not None
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    return view.scan(query, scopes, depth=50)


def works(running: Running) -> None:
    """Whether the server answers as the lists in this process do."""
    scopes = np.array([2, 3, 5, 7, 40, 77], np.int32)
    remote = running.remote()
    assert plain(asked(remote, scopes)) == plain(asked(running.lists, scopes))


class Peer:
    """One end of a connection, which says what it is told to and not what it should."""

    def __init__(self, opened: socket.socket) -> None:
        opened.settimeout(20)
        self.socket = opened
        self.says = self.hears = Seal(b"")

    def write(self, frame: bytes) -> None:
        """A frame as it is."""
        self.socket.sendall(struct.pack("!I", len(frame)) + frame)

    def read(self) -> bytes:
        """The next frame; b"" at the end."""
        size = self.socket.recv(4, socket.MSG_WAITALL)
        return self.socket.recv(struct.unpack("!I", size)[0], socket.MSG_WAITALL) if size else b""

    def say(self, message: bytes) -> None:
        """In a sealed frame."""
        self.write(self.says.close(message))

    def hear(self) -> Message:
        """The next message."""
        return unpack(self.hears.open(self.read()))

    def ended(self) -> bool:
        """Whether the other side closes the connection; waits for it, passes over what comes before, and closes too."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            try:
                while self.socket.recv(1 << 16):
                    pass
            except TimeoutError:
                return False
        self.close()
        return True

    def close(self) -> None:
        self.socket.close()


def raw(address: str) -> Peer:
    """A connection that has proved nothing yet."""
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(20)
    opened.connect(address)
    return Peer(opened)


def proved(address: str) -> Peer:
    """A connection that has proved the key."""
    made, ours = raw(address), b"n" * NONCE
    proof = Proof(KEY, server=made.read(), client=ours)
    made.write(ours + proof.of("client"))
    proof.check("server", made.read())
    made.says, made.hears = proof.seal("client"), proof.seal("server")
    return made


def hello(*, number: int = 1, total: int = 1) -> bytes:
    """A greeting."""
    return pack(Hello(bytes.fromhex(BOOK.digest), DATABASE, number, total))


def greeted(address: str, *, number: int = 1, total: int = 1) -> Peer:
    """A connection that may ask."""
    made = proved(address)
    made.say(hello(number=number, total=total))
    assert made.hear() == Welcome()
    return made
