"""One connection between an API process and a search process: a Unix socket between processes of one user, or TLS.

A message is a frame: its length in four bytes, then its bytes. Each call has a deadline of the monotonic clock, however
slowly the bytes come. Errors are OSError, TimeoutError among them, and InvalidMessage.
"""

import contextlib
import os
import select
import socket
import ssl
import struct
import time

from app.scope_index.remote.address import parse
from app.scope_index.remote.messages import MAX_MESSAGE, InvalidMessage, Message, unpack
from app.scope_index.remote.tls import SharedCertificate, WrongPeer

_SIZE = struct.Struct("!I")
_CREDENTIALS = struct.Struct("3i")  # process, user, group
# Bytes taken at once: memory for what a frame claims to be long is not laid out before it comes.
MAX_PIECE = 1 << 16
# A peer whose machine is gone is noticed within a minute, and its connection does not count against the rest.
KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class Connection:
    """Messages to and from one peer. Used by one thread at a time; `shut` may be called by any."""

    def __init__(self, opened: socket.socket, certificate: SharedCertificate | None, *, server: bool) -> None:
        """Takes the socket over. `handshake` comes first."""
        self._certificate = certificate
        if opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEP_ALIVE:
                opened.setsockopt(socket.IPPROTO_TCP, option, value)
            if certificate is None:
                raise WrongPeer("an address with a port needs a certificate")
            opened = certificate.wrap(opened, server=server)
        self._socket = opened

    @classmethod
    def connect(cls, address: str, certificate: SharedCertificate | None, deadline: float) -> "Connection":
        """To a search process of this installation."""
        family, where = parse(address)
        with contextlib.ExitStack() as undo:
            opened = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            opened.settimeout(_left(deadline))
            opened.connect(where)
            connection = undo.enter_context(contextlib.closing(cls(opened, certificate, server=False)))
            connection.handshake(deadline)
            undo.pop_all()
        return connection

    def handshake(self, deadline: float) -> None:
        """Make sure who the other side is; raises WrongPeer, or another OSError."""
        self._socket.settimeout(_left(deadline))
        if isinstance(self._socket, ssl.SSLSocket) and self._certificate is not None:
            self._certificate.handshake(self._socket)
            return
        told = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(told)[1] != os.geteuid():
            raise WrongPeer("it is a process of another user")

    def send(self, message: bytes, deadline: float) -> None:
        left = memoryview(_SIZE.pack(len(message)) + message)
        while left:
            self._socket.settimeout(_left(deadline))
            left = left[self._socket.send(left) :]

    def receive(self, deadline: float) -> Message:
        (size,) = _SIZE.unpack(self._read(_SIZE.size, deadline))
        if size > MAX_MESSAGE:
            raise InvalidMessage("a frame that is too long")
        return unpack(self._read(size, deadline))

    def wait(self, milliseconds: int | None = None) -> bool:
        """Whether something comes, the end of the connection too, within this time."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(milliseconds))

    def shut(self) -> None:
        """End what another thread is waiting for on this connection."""
        with contextlib.suppress(OSError):
            # Not SSLSocket's own: after that, the other thread would go on in plain text.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

    def _read(self, size: int, deadline: float) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            self._socket.settimeout(_left(deadline))
            piece = self._socket.recv(min(size - len(taken), MAX_PIECE))
            if not piece:
                raise ConnectionResetError("it closed the connection")
            taken += piece
        return bytes(taken)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left
