"""A search process's server in a thread, over an index of our making, and ways to speak with it well and badly."""

import contextlib
import dataclasses
import socket
import ssl
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.indexing.quantizer import ProductQuantizer
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries, ScanResult
from app.scope_index.remote import pool
from app.scope_index.remote.address import listen, parse
from app.scope_index.remote.client import RemoteIndex
from app.scope_index.remote.messages import Message, ScanRequest, Target, ViewRequest, unpack
from app.scope_index.remote.server import IndexServer
from app.scope_index.remote.tls import SharedCertificate
from app.scope_index.sharding import WHOLE, Shard, shard_of
from app.scope_index.snapshot import Snapshot
from tests.support.certificates import certified, written

QUANTIZER = ProductQuantizer(32)
DATABASE = b"d" * 32
TARGET = Target(bytes.fromhex(QUANTIZER.digest), DATABASE, 1, 1)
NOW = Snapshot(90, 100, frozenset({90, 95}))
VIEW = ViewRequest(TARGET, NOW, wake=False)


def plain(value: object) -> object:
    """With bytes in the place of arrays, so that equal means equal bit for bit."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if dataclasses.is_dataclass(value):
        return type(value), [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return value


def scan_request(**other: Any) -> ScanRequest:
    given = ScanRequest(TARGET, NOW, NOW, 5, np.ones(32, np.float32), np.array([1, 3], np.int32))
    return dataclasses.replace(given, **other)


def shared(content: bytes) -> SharedCertificate:
    """What such a file holds."""
    with tempfile.TemporaryDirectory() as folder:
        return SharedCertificate(written(Path(folder) / "search.pem", content))


OURS = certified()
CERTIFICATE = shared(OURS.pem)


def pause(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """For so long a search process that has failed is not tried again."""
    monkeypatch.setattr(pool, "MIN_PAUSE", seconds)
    monkeypatch.setattr(pool, "MAX_PAUSE", seconds)


class Stored:
    """A source of a hundred entries in each of forty scopes, all of them this shard's."""

    def __init__(self, shard: Shard) -> None:
        rng = np.random.default_rng(1)
        scopes = np.repeat(np.arange(1, 41, dtype=np.int32), 100)
        drawn = rng.standard_normal((len(scopes), 32)).astype(np.float32)
        codes = QUANTIZER.encode(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
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
    """A server, and the clients that a test makes of it."""

    address: str
    index: ScopeIndex
    source: Stored
    server: IndexServer
    remotes: list[RemoteIndex] = field(default_factory=list)

    def remote(self, *, times: int = 1, **options: Any) -> RemoteIndex:
        self.remotes.append(client([self.address] * times, **options))
        return self.remotes[-1]


def client(
    addresses: list[str],
    quantizer: ProductQuantizer = QUANTIZER,
    certificate: SharedCertificate = CERTIFICATE,
    seconds: float = 60.0,
    database: bytes = DATABASE,
) -> RemoteIndex:
    """An API process's side."""
    return RemoteIndex(addresses, quantizer, certificate=certificate, seconds=seconds, database=lambda: database)


def served(
    index: ScopeIndex, over: str, shard: Shard = WHOLE, certificate: SharedCertificate = CERTIFICATE
) -> tuple[IndexServer, str]:
    """A server of this index that listens there, and its address."""
    listening = listen(over)
    made = IndexServer(index, QUANTIZER, shard, certificate=certificate, database=lambda: DATABASE)
    made.start(listening)
    return made, address_of(listening)


def address_of(listening: socket.socket) -> str:
    named = listening.getsockname()
    return named if isinstance(named, str) else f"127.0.0.1:{named[1]}"


@contextlib.contextmanager
def running_at(over: str, shard: Shard = WHOLE, certificate: SharedCertificate = CERTIFICATE) -> Iterator[Running]:
    """A server that listens there, and the end of both sides."""
    source = Stored(shard)
    index = ScopeIndex(source, QUANTIZER)
    index.load()
    server, address = served(index, over, shard, certificate)
    with contextlib.closing(server):
        made = Running(address, index, source, server)
        yield made
        for remote in made.remotes:
            remote.close()


def asked(index: RemoteIndex | ScopeIndex, scopes: NDArray[np.int32], snapshot: Snapshot = NOW) -> ScanResult:
    view = index.view(snapshot)
    assert view is not None
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    return view.scan(query, scopes, depth=50)


def works(running: Running) -> None:
    """Whether the server answers as the index in this process does."""
    scopes = np.array([2, 3, 5, 7, 40, 77], np.int32)
    assert plain(asked(running.remote(), scopes)) == plain(asked(running.index, scopes))


class Peer:
    """One end of a connection, which says what it is told to and not what it should."""

    def __init__(self, opened: socket.socket) -> None:
        opened.settimeout(60)
        self.socket = opened

    def say(self, message: bytes) -> None:
        """A frame as it is."""
        self.socket.sendall(struct.pack("!I", len(message)) + message)

    def hear(self) -> Message:
        """The next message."""
        return unpack(self._exactly(struct.unpack("!I", self._exactly(4))[0]))

    def _exactly(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            piece = self.socket.recv(size - len(taken))
            assert piece, "the connection ended"
            taken += piece
        return taken

    def ended(self) -> bool:
        """Whether the other side closes the connection; waits for it, passes over what comes before, and closes too."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError, ssl.SSLError):
            try:
                while self.socket.recv(1 << 16):
                    pass
            except TimeoutError:
                return False
        self.close()
        return True

    def close(self) -> None:
        self.socket.close()


def stranger(address: str) -> Peer:
    """A connection without TLS."""
    family, where = parse(address)
    opened = socket.socket(family)
    opened.settimeout(60)
    opened.connect(where)
    return Peer(opened)


def member(address: str, certificate: SharedCertificate = CERTIFICATE) -> Peer:
    """A connection that may ask; raises OSError where the server turns out to be another."""
    peer = stranger(address)
    if address.startswith("/"):
        return peer
    wrapped = certificate.wrap(peer.socket, server=False)
    certificate.handshake(wrapped)
    return Peer(wrapped)
