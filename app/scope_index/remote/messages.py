"""The messages between API processes and search processes, as bytes. Pure.

Two letters, the version and the kind, then numbers and raw arrays, little-endian, of bounded size. Nothing in a message
is ever executed or unpickled: bytes of another form raise InvalidMessage and nothing else.
"""

import struct
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from app.scope_index.protocol import ScanResult
from app.scope_index.snapshot import Snapshot

MAGIC, VERSION = b"CL", 2
# Bytes of one message; and within it scopes of a request, candidates of a reply, transactions running in a snapshot,
# dimensions, bytes of a reason.
MAX_MESSAGE = 1 << 24
MAX_SCOPES, MAX_DEPTH, MAX_RUNNING, MAX_DIMENSIONS, MAX_REASON = 1 << 21, 1 << 20, 1 << 16, 1 << 16, 500

_HEAD = struct.Struct("<2sBB")
_TARGET = struct.Struct("<32s32sHH")
_XIDS = struct.Struct("<qq")
_FLAG = struct.Struct("<?")
_COUNT = struct.Struct("<I")
_BOUND = struct.Struct("<d")


class InvalidMessage(ValueError):
    """These bytes are no message, or this message is too large to be sent."""


class _Reader:
    """Takes a message apart from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def bytes(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise InvalidMessage("a message ends too early")
        self._at += size
        return taken

    def numbers(self, form: struct.Struct) -> tuple[Any, ...]:
        return form.unpack(self.bytes(form.size))

    def count(self, limit: int) -> int:
        (count,) = self.numbers(_COUNT)
        if count > limit:
            raise InvalidMessage(f"{count} items where {limit} are the most")
        return int(count)

    def array(self, dtype: str, limit: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(self.count(limit) * np.dtype(dtype).itemsize), dtype)

    def snapshot(self) -> Snapshot:
        xmin, xmax = self.numbers(_XIDS)
        running = self.array("<i8", MAX_RUNNING).tolist()
        if not 0 <= xmin <= xmax or any(not xmin <= transaction < xmax for transaction in running):
            raise InvalidMessage("a snapshot with transactions out of order")
        return Snapshot(xmin, xmax, frozenset(running))

    def target(self) -> "Target":
        return Target(*self.numbers(_TARGET))

    def end(self) -> None:
        if self._at != len(self._data):
            raise InvalidMessage("a message goes on behind its end")


def _count(count: int, limit: int) -> bytes:
    if count > limit:
        raise InvalidMessage(f"{count} items where {limit} are the most")
    return _COUNT.pack(count)


def _array(values: NDArray[Any], dtype: str, limit: int) -> bytes:
    return _count(len(values), limit) + values.astype(dtype).tobytes()


def _snapshot(snapshot: Snapshot) -> bytes:
    running = np.array(sorted(snapshot.running), np.int64)
    return _XIDS.pack(snapshot.xmin, snapshot.xmax) + _array(running, "<i8", MAX_RUNNING)


class Target(NamedTuple):
    """The index that a request means: digests of quantizer and database, 32 bytes each, and the shard, from 1."""

    quantizer: bytes
    database: bytes
    shard: int
    shards: int


@dataclass(frozen=True)
class ViewRequest:
    """Asks for the newest snapshot that the index is complete for and that the reader's snapshot covers.

    With `wake`, a reader has met rows that the index lacks.
    """

    kind: ClassVar[int] = 1
    target: Target
    snapshot: Snapshot
    wake: bool

    def body(self) -> bytes:
        return _TARGET.pack(*self.target) + _snapshot(self.snapshot) + _FLAG.pack(self.wake)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        return cls(reader.target(), reader.snapshot(), *reader.numbers(_FLAG))


@dataclass(frozen=True)
class ViewReply:
    """The snapshot that was asked for."""

    kind: ClassVar[int] = 2
    since: Snapshot

    def body(self) -> bytes:
        return _snapshot(self.since)

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        return cls(reader.snapshot())


@dataclass(frozen=True)
class IndexNotReady:
    """The index is not loaded, or lacks what this reader still sees: PostgreSQL has to answer."""

    kind: ClassVar[int] = 3

    def body(self) -> bytes:
        return b""

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        del reader
        return cls()


@dataclass(frozen=True)
class ScanRequest:
    """Asks for the best `depth` entries of ascending `scopes`, for a reader of `snapshot` who supplies the rows newer
    than `since`.
    """

    kind: ClassVar[int] = 4
    target: Target
    snapshot: Snapshot
    since: Snapshot
    depth: int
    query: NDArray[np.float32]
    scopes: NDArray[np.int32]

    def body(self) -> bytes:
        head = _TARGET.pack(*self.target) + _snapshot(self.snapshot) + _snapshot(self.since)
        arrays = _array(self.query, "<f4", MAX_DIMENSIONS) + _array(self.scopes, "<i4", MAX_SCOPES)
        return head + _count(self.depth, MAX_DEPTH) + arrays

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        target, snapshot, since, depth = reader.target(), reader.snapshot(), reader.snapshot(), reader.count(MAX_DEPTH)
        query, scopes = reader.array("<f4", MAX_DIMENSIONS), reader.array("<i4", MAX_SCOPES)
        if not (depth and np.isfinite(query).all() and (scopes[1:] > scopes[:-1]).all()):
            raise InvalidMessage("a query that is not finite or for nothing, or scopes that do not ascend")
        return cls(target, snapshot, since, depth, query, scopes)


@dataclass(frozen=True)
class ScanReply:
    """The entries that were asked for."""

    kind: ClassVar[int] = 5
    result: ScanResult

    def body(self) -> bytes:
        ids, scores = _array(self.result.ids, "<i8", MAX_DEPTH), _array(self.result.scores, "<f4", MAX_DEPTH)
        return _BOUND.pack(self.result.bound) + ids + scores

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        (bound,) = reader.numbers(_BOUND)
        ids, scores = reader.array("<i8", MAX_DEPTH), reader.array("<f4", MAX_DEPTH)
        if len(ids) != len(scores) or not np.isfinite(scores).all() or np.isnan(bound):
            raise InvalidMessage("candidates without scores")
        # Compared as they are: a difference, or the bound in single precision, could overflow.
        if (scores[1:] > scores[:-1]).any() or (len(scores) and float(scores[-1]) < bound):
            raise InvalidMessage("candidates that are not best first, or below their bound")
        return cls(ScanResult(ids, scores, bound))


@dataclass(frozen=True)
class Refused:
    """Why the search process does not answer this request; it then closes the connection."""

    kind: ClassVar[int] = 6
    reason: str

    def body(self) -> bytes:
        reason = self.reason.encode()[:MAX_REASON]
        return _COUNT.pack(len(reason)) + reason

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        return cls(reader.bytes(reader.count(MAX_REASON)).decode("utf-8", "replace"))


Request = ViewRequest | ScanRequest
Message = Request | ViewReply | IndexNotReady | ScanReply | Refused
_KINDS = {message.kind: message for message in (ViewRequest, ViewReply, IndexNotReady, ScanRequest, ScanReply, Refused)}


def pack(message: Message) -> bytes:
    """The message as bytes; raises InvalidMessage for one that is too large."""
    try:
        packed = _HEAD.pack(MAGIC, VERSION, message.kind) + message.body()
    except struct.error as error:
        raise InvalidMessage("a number is too large for a message") from error
    if len(packed) > MAX_MESSAGE:
        raise InvalidMessage("a message is too large")
    return packed


def unpack(data: bytes) -> Message:
    """The message in these bytes; raises InvalidMessage."""
    reader = _Reader(data)
    magic, version, kind = reader.numbers(_HEAD)
    if (magic, version) != (MAGIC, VERSION):
        raise InvalidMessage("not a message of this version: run the same release on both sides")
    if kind not in _KINDS:
        raise InvalidMessage("a message of no known kind")
    message: Message = _KINDS[kind].read(reader)
    reader.end()
    return message
