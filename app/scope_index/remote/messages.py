"""What API processes and search processes say to each other, as bytes. Pure.

Each message is one frame: two letters, the version, its kind, then numbers and raw arrays, little-endian, of bounded
size. Nothing in it is ever executed or unpickled: bytes of another form raise Malformed and nothing else.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from app.scope_index.protocol import ScanResult
from app.scope_index.snapshot import Snapshot

MAGIC, VERSION = b"CL", 1
# Bytes of a digest, and of one message.
DIGEST = 32
LARGEST = 1 << 24
# Within it: scopes of one request, candidates of one answer, transactions running in a snapshot, dimensions, letters.
MAX_SCOPES, DEEPEST, MAX_RUNNING, MAX_DIMENSIONS, MAX_REASON = 1 << 21, 1 << 20, 1 << 16, 1 << 16, 500

_HEAD = struct.Struct("<2sBB")
_SHARD = struct.Struct("<HH")
_XIDS = struct.Struct("<qq")
_FLAG = struct.Struct("<B")
_COUNT = struct.Struct("<I")
_BOUND = struct.Struct("<d")


class Malformed(ValueError):
    """These bytes are no message, or this message is too large for the wire."""


class _Reader:
    """Takes a message apart from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def numbers(self, form: struct.Struct) -> tuple[int, ...]:
        return tuple(int(n) for n in form.unpack(self.bytes(form.size)))

    def real(self) -> float:
        return float(_BOUND.unpack(self.bytes(_BOUND.size))[0])

    def bytes(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise Malformed("a message ends too early")
        self._at += size
        return taken

    def count(self, most: int) -> int:
        (count,) = self.numbers(_COUNT)
        if count > most:
            raise Malformed(f"{count} items where {most} are the most")
        return count

    def end(self) -> None:
        if self._at != len(self._data):
            raise Malformed("a message goes on behind its end")

    def snapshot(self) -> Snapshot:
        xmin, xmax = self.numbers(_XIDS)
        running = _integers(self, MAX_RUNNING)
        if not 0 <= xmin <= xmax or any(not xmin <= transaction < xmax for transaction in running.tolist()):
            raise Malformed("a snapshot with transactions out of order")
        return Snapshot(xmin, xmax, frozenset(running.tolist()))


@dataclass(frozen=True)
class Hello:
    """The client's first word: whose codes it means, of which database, and which part of them it takes this for."""

    kind: ClassVar[int] = 1
    digest: bytes
    database: bytes
    number: int
    total: int

    def body(self) -> bytes:
        """As bytes."""
        return self.digest + self.database + _SHARD.pack(self.number, self.total)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        digest, database = reader.bytes(DIGEST), reader.bytes(DIGEST)
        number, total = reader.numbers(_SHARD)
        return cls(digest, database, number, total)


class _Bare:
    """A message that says all by its kind."""

    def body(self) -> bytes:
        """As bytes."""
        return b""

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        del reader
        return cls()


@dataclass(frozen=True)
class Welcome(_Bare):
    """The server is what the client takes it for."""

    kind: ClassVar[int] = 2


@dataclass(frozen=True)
class Refused:
    """Why the server closes the connection."""

    kind: ClassVar[int] = 3
    reason: str

    def body(self) -> bytes:
        """As bytes."""
        told = self.reason.encode()[:MAX_REASON]
        return _COUNT.pack(len(told)) + told

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        return cls(reader.bytes(reader.count(MAX_REASON)).decode("utf-8", "replace"))


@dataclass(frozen=True)
class Look:
    """Which reading is there for a reader of this snapshot? With `wake`, somebody met what is not in the lists yet."""

    kind: ClassVar[int] = 4
    snapshot: Snapshot
    wake: bool

    def body(self) -> bytes:
        """As bytes."""
        return _snapshot(self.snapshot) + _FLAG.pack(self.wake)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        snapshot = reader.snapshot()
        (wake,) = reader.numbers(_FLAG)
        return cls(snapshot, bool(wake))


@dataclass(frozen=True)
class Reading:
    """The newest reading that the reader covers."""

    kind: ClassVar[int] = 5
    since: Snapshot

    def body(self) -> bytes:
        """As bytes."""
        return _snapshot(self.since)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        return cls(reader.snapshot())


@dataclass(frozen=True)
class Nothing(_Bare):
    """The lists are not loaded, or have dropped what this reader still sees: PostgreSQL has to answer."""

    kind: ClassVar[int] = 6


@dataclass(frozen=True)
class Scan:
    """The best `depth` entries of ascending `scopes`, for a reader of `snapshot` who brings what `since` lacks."""

    kind: ClassVar[int] = 7
    snapshot: Snapshot
    since: Snapshot
    depth: int
    query: NDArray[np.float32]
    scopes: NDArray[np.int32]

    def body(self) -> bytes:
        """As bytes."""
        parts = (self.query.astype("<f4"), MAX_DIMENSIONS), (self.scopes.astype("<i4"), MAX_SCOPES)
        head = _snapshot(self.snapshot) + _snapshot(self.since) + _COUNT.pack(self.depth)
        return head + b"".join(_array(values, most) for values, most in parts)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        snapshot, since, depth = reader.snapshot(), reader.snapshot(), reader.count(DEEPEST)
        query = _reals(reader, MAX_DIMENSIONS)
        count = reader.count(MAX_SCOPES)
        scopes = np.frombuffer(reader.bytes(4 * count), "<i4").astype(np.int32)
        if not (depth and np.isfinite(query).all() and (np.diff(scopes.astype(np.int64)) > 0).all()):
            raise Malformed("a query that is not finite or for nothing, or scopes that do not ascend")
        return cls(snapshot, since, depth, query, scopes)


@dataclass(frozen=True)
class Found:
    """What a scan found."""

    kind: ClassVar[int] = 8
    near: ScanResult

    def body(self) -> bytes:
        """As bytes."""
        ids, scores = self.near.ids.astype("<i8"), self.near.scores.astype("<f4")
        return _BOUND.pack(self.near.bound) + _array(ids, DEEPEST) + _array(scores, DEEPEST)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """From bytes."""
        bound, ids, scores = reader.real(), _integers(reader, DEEPEST), _reals(reader, DEEPEST)
        if len(ids) != len(scores) or not np.isfinite(scores).all() or np.isnan(bound):
            raise Malformed("candidates without scores")
        # Compared as they are: a difference, or the bound in single precision, could overflow.
        if (scores[1:] > scores[:-1]).any() or (len(scores) and float(scores[-1]) < bound):
            raise Malformed("candidates that are not best first, or below their bound")
        return cls(ScanResult(ids, scores, bound))


Message = Hello | Welcome | Refused | Look | Reading | Nothing | Scan | Found
_KINDS = {made.kind: made for made in (Hello, Welcome, Refused, Look, Reading, Nothing, Scan, Found)}


def pack(message: Message) -> bytes:
    """The message as one frame; raises Malformed for one that is too large."""
    try:
        packed = _HEAD.pack(MAGIC, VERSION, message.kind) + message.body()
    except struct.error as error:
        raise Malformed("a number is too large for the wire") from error
    if len(packed) > LARGEST:
        raise Malformed("a message is too large for the wire")
    return packed


def unpack(frame: bytes) -> Message:
    """The message in a frame; raises Malformed."""
    reader = _Reader(frame)
    magic, version, kind = _HEAD.unpack(reader.bytes(_HEAD.size))
    if (magic, version) != (MAGIC, VERSION):
        raise Malformed("not a message of this version: run the same release on both sides")
    if kind not in _KINDS:
        raise Malformed("a message of no known kind")
    message: Message = _KINDS[kind].read(reader)
    reader.end()
    return message


def _snapshot(snapshot: Snapshot) -> bytes:
    running = np.array(sorted(snapshot.running), "<i8")
    return _XIDS.pack(snapshot.xmin, snapshot.xmax) + _array(running, MAX_RUNNING)


def _array(values: NDArray[np.int64] | NDArray[np.int32] | NDArray[np.float32], most: int) -> bytes:
    if len(values) > most:
        raise Malformed(f"{len(values)} items where {most} are the most")
    return _COUNT.pack(len(values)) + values.tobytes()


def _integers(reader: _Reader, most: int) -> NDArray[np.int64]:
    count = reader.count(most)
    return np.frombuffer(reader.bytes(8 * count), "<i8").astype(np.int64)


def _reals(reader: _Reader, most: int) -> NDArray[np.float32]:
    count = reader.count(most)
    return np.frombuffer(reader.bytes(4 * count), "<f4").astype(np.float32)
