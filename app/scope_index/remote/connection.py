"""One authenticated connection between an API process and a search process, over a Unix socket or TCP.

A message is a frame: its length, its seal, its bytes. Nothing is waited for beyond a deadline of the monotonic clock,
however slowly it comes. A TCP connection is sealed, not encrypted: keep it on a network of your own.
"""

import contextlib
import secrets
import socket
import struct
import time
from collections.abc import Iterator

from app.scope_index.remote.address import parse
from app.scope_index.remote.handshake import NONCE, TAG, Proof, Seal
from app.scope_index.remote.messages import LARGEST, Message, pack, unpack

_SIZE = struct.Struct("!I")
# Bytes taken at once: what a frame claims to be long is not laid out before it comes.
PIECE = 1 << 16
# A peer whose machine is gone is noticed within a minute, and its connection does not count against the rest.
ALIVE = ((socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class ChannelLost(Exception):
    """The other side is gone, too slow, or is not who it should be."""


class Channel:
    """Messages to and from one peer. Used by one thread at a time; `shut` may be called by any."""

    _ours: Seal
    _theirs: Seal

    def __init__(self, opened: socket.socket) -> None:
        """Takes the socket over. Nothing can be said before `prove` or `admit`."""
        if opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in ALIVE:
                opened.setsockopt(socket.IPPROTO_TCP, option, value)
        self._socket = opened

    @classmethod
    def connect(cls, address: str, key: bytes, deadline: float) -> "Channel":
        """To a search process that knows the key too; raises ChannelLost."""
        with _as_lost(), contextlib.ExitStack() as undo:
            family, where = parse(address)
            opened = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            opened.settimeout(_left(deadline))
            opened.connect(where)
            channel = cls(opened)
            channel._prove(key, deadline)
            undo.pop_all()
        return channel

    def _prove(self, key: bytes, deadline: float) -> None:
        """The client's side. It proves first: a server that knows no key learns nothing it could use elsewhere."""
        theirs, ours = self._read(NONCE, deadline), secrets.token_bytes(NONCE)
        proof = Proof(key, server=theirs, client=ours)
        self._write(ours + proof.of("client"), deadline)
        given = self._read(TAG, deadline)
        if not given:
            raise ChannelLost("it has another key")
        proof.check("server", given)
        self._ours, self._theirs = proof.seal("client"), proof.seal("server")

    def admit(self, key: bytes, deadline: float) -> None:
        """The server's side; raises ChannelLost."""
        with _as_lost():
            ours = secrets.token_bytes(NONCE)
            self._write(ours, deadline)
            given = self._read(NONCE + TAG, deadline)
            proof = Proof(key, server=ours, client=given[:NONCE])
            try:
                proof.check("client", given[NONCE:])
            except ValueError:
                self._write(b"", deadline)
                raise
            self._write(proof.of("server"), deadline)
            self._ours, self._theirs = proof.seal("server"), proof.seal("client")

    def send(self, message: Message, deadline: float) -> None:
        """Raises ChannelLost, or Malformed before anything was sent."""
        packed = pack(message)
        with _as_lost():
            self._write(self._ours.close(packed), deadline)

    def receive(self, deadline: float) -> Message:
        """The next message; raises ChannelLost, Malformed."""
        with _as_lost():
            message = self._theirs.open(self._read(LARGEST + TAG, deadline))
        return unpack(message)

    def wait(self) -> None:
        """Until something comes, for however long; raises ChannelLost when it is the end."""
        with _as_lost():
            self._socket.settimeout(None)
            if not self._socket.recv(1, socket.MSG_PEEK):
                raise EOFError

    @property
    def fresh(self) -> bool:
        """Whether nothing has come that nobody asked for, the end of the connection among it."""
        try:
            self._socket.setblocking(False)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def shut(self) -> None:
        """End what another thread is waiting for on this channel."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()

    def _write(self, frame: bytes, deadline: float) -> None:
        self._socket.settimeout(_left(deadline))
        self._socket.sendall(_SIZE.pack(len(frame)) + frame)

    def _read(self, most: int, deadline: float) -> bytes:
        (size,) = _SIZE.unpack(self._taken(_SIZE.size, deadline))
        if size > most:
            raise ChannelLost("a frame that is too long")
        return self._taken(size, deadline)

    def _taken(self, size: int, deadline: float) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            self._socket.settimeout(_left(deadline))
            piece = self._socket.recv(min(size - len(taken), PIECE))
            if not piece:
                raise EOFError
            taken += piece
        return bytes(taken)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@contextlib.contextmanager
def _as_lost() -> Iterator[None]:
    """Whatever ends a connection, as ChannelLost with the kind of its cause: messages of strangers are not repeated."""
    try:
        yield
    except (OSError, EOFError, ValueError) as error:
        raise ChannelLost(type(error).__name__) from error
