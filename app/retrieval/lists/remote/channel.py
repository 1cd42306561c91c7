"""One authenticated connection between an API process and a search process, over a Unix socket or TCP.

Frames and the proof of the key, by both sides, are those of `multiprocessing.connection`; what unpickles in it is never
called. Sockets are opened here, because it has no time limits. A TCP connection is not encrypted: keep it on a network
of your own.
"""

import contextlib
import errno
import socket
import stat
import struct
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path

from app.retrieval.lists.remote.wire import LARGEST, Message, pack, unpack

BACKLOG = 64
KEY_BYTES = 32


class ChannelLost(Exception):
    """The other side is gone, too slow, or is not who it should be."""


class CannotListen(RuntimeError):
    """The address cannot be listened on; says why and what to do."""


class Channel:
    """Messages to and from one peer. Used by one thread at a time; `shut` may be called by any."""

    def __init__(self, opened: socket.socket, seconds: float) -> None:
        """Takes the socket over. No single read or write waits longer than `seconds` once a message has begun."""
        opened.settimeout(None)
        limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        if opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket = opened
        self._frames: Connection[object, object] = Connection(opened.dup().detach())

    @classmethod
    def connect(cls, address: str, key: bytes, seconds: float) -> "Channel":
        """To a search process that knows the key too; raises ChannelLost."""
        with _as_lost():
            family, where = parse(address)
            opened = socket.socket(family, socket.SOCK_STREAM)
            opened.settimeout(seconds)
            try:
                opened.connect(where)
                channel = cls(opened, seconds)
            except BaseException:
                opened.close()
                raise
        try:
            with _as_lost():
                answer_challenge(channel._frames, key)
                deliver_challenge(channel._frames, key)
        except BaseException:
            channel.close()
            raise
        return channel

    def admit(self, key: bytes) -> None:
        """The server's side of the proof; raises ChannelLost."""
        with _as_lost():
            deliver_challenge(self._frames, key)
            answer_challenge(self._frames, key)

    def send(self, message: Message) -> None:
        """Raises ChannelLost, or Malformed before anything was sent."""
        packed = pack(message)
        with _as_lost():
            self._frames.send_bytes(packed)

    def receive(self, deadline: float | None = None) -> Message:
        """The next message, if it has begun by the deadline (of the monotonic clock). Raises ChannelLost, Malformed."""
        with _as_lost():
            if not self._frames.poll(None if deadline is None else max(deadline - time.monotonic(), 0.0)):
                raise TimeoutError
            frame = self._frames.recv_bytes(LARGEST)
        return unpack(frame)

    @property
    def fresh(self) -> bool:
        """Whether nothing has come that nobody asked for, the end of the connection among it."""
        with contextlib.suppress(OSError):
            return not self._frames.poll(0.0)
        return False

    def shut(self) -> None:
        """End what another thread is waiting for on this channel."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self._frames.close()
        self._socket.close()


def parse(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    """The path of a Unix socket (it begins with /), or `host:port`; raises ValueError."""
    if address.startswith("/"):
        return socket.AF_UNIX, address
    host, separator, port = address.rpartition(":")
    if not (separator and host and port.isdecimal() and int(port) < 1 << 16):
        raise ValueError(f"{address!r} is no address: give the path of a Unix socket, or host:port")
    bare = host.strip("[]")
    return (socket.AF_INET6 if ":" in bare else socket.AF_INET), (bare, int(port))


def key_of(text: str) -> bytes:
    """The shared key from its hex form; raises ValueError, without repeating it."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("CLEARANCE_LISTS__KEY must have 32 bytes, in hex: openssl rand -hex 32") from None
    return key


def listen(address: str) -> socket.socket:
    """A listening socket; raises CannotListen. A Unix socket's folder is made, and must be its owner's alone."""
    family, where = parse(address)
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if isinstance(where, str):
            _prepare(Path(where))
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        if isinstance(where, str):
            Path(where).chmod(0o600)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"cannot listen on {address}: {error.strerror or error}") from error
    except CannotListen:
        listening.close()
        raise
    return listening


def _prepare(path: Path) -> None:
    """The folder of a socket, and no socket in it that a process of before has left."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_mode & 0o077:
        raise CannotListen(f"others may enter {path.parent}: chmod 700 it, the socket is for this user alone")
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise CannotListen(f"{path} is there and is no socket: give another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise CannotListen(f"another process listens on {path}: stop it, or give another path")
    path.unlink()


@contextlib.contextmanager
def _as_lost() -> Iterator[None]:
    """Whatever ends a connection, as ChannelLost with the kind of its cause: messages of strangers are not repeated."""
    try:
        yield
    except (OSError, EOFError, AuthenticationError, AssertionError, ValueError) as error:
        raise ChannelLost(type(error).__name__) from error
