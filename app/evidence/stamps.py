"""The time stamps that an export carries: each with the checkpoint that it is of.

What they show of a log that its operator could have written anew: an authority's clock cannot be turned back, so that
each record existed at the latest when the first head above it was stamped.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import decode, encode
from app.evidence.timestamp import BadTimestamp, stamped_at

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_STAMPS = 512


@dataclass(frozen=True)
class StampedHead:
    """A signed head, and the token of an authority over the bytes that the log signed: its text, without signatures."""

    checkpoint: Checkpoint
    token: bytes

    def to_json(self) -> dict[str, str]:
        return {"checkpoint": str(self.checkpoint), "token": encode(self.token)}


def read_stamps(value: object) -> list[StampedHead]:
    """The time stamps of a header, smallest head first; raises ValueError (BadNote is one)."""
    if not (isinstance(value, list) and len(value) <= MAX_STAMPS):
        raise ValueError(f"they are no list, or more than {MAX_STAMPS}")
    return sorted(map(_read, value), key=lambda stamp: stamp.checkpoint.head.size)


def _read(value: Any) -> StampedHead:
    match value:
        case {"checkpoint": str(note), "token": str(token), **beside} if not beside:
            return StampedHead(Checkpoint.parse(note), decode(token))
    raise ValueError("one of them has not exactly a checkpoint and a token")


@dataclass(frozen=True)
class StampReport:
    """What the time stamps of a file show to somebody who trusts an authority: the first `size` entries existed at
    `at`, and none longer than `longest` after the time that it claims, which is that of the entry `slowest`.

    Of `strangers` stamps nothing follows: no authority that is trusted made them.
    """

    size: int
    at: dt.datetime
    longest: dt.timedelta
    slowest: int
    strangers: int

    @property
    def lines(self) -> list[str]:
        """For a person."""
        lines = [f"  time-stamped: the first {self.size} entries existed at {_moment(self.at)}"]
        if self.size:
            lines.append(
                f"  each of them existed at most {_duration(self.longest)} after the time that it claims"
                f" (entry {self.slowest} waited so long for a time stamp)"
            )
        if self.strangers:
            lines.append(f"  {self.strangers} of its time stamps are by no authority that you trust")
        return lines


class Stamps:
    """Follows how long the records of a file waited for each of its time stamps."""

    def __init__(self, heads: Sequence[StampedHead] = ()) -> None:
        self.heads = heads
        self._sizes = [stamp.checkpoint.head.size for stamp in heads]
        self._first: dict[int, tuple[dt.datetime, int]] = {}  # by stamp, of the records that it is the first to cover

    def follow(self, seq: int, said: object) -> None:
        """Note when an entry says that it was written."""
        place = bisect_right(self._sizes, seq)
        if place < len(self._sizes) and (at := _time(said)) is not None:
            self._first[place] = min(self._first.get(place, (at, seq)), (at, seq))

    def judge(self, roots: "Sequence[Certificate]") -> StampReport:
        """What they show under these roots; raises BadTimestamp where no authority under them made one."""
        moments = list[dt.datetime | None]()
        reason = "there is no time stamp in the file"
        for stamp in self.heads:
            try:
                moments.append(stamped_at(stamp.token, stamp.checkpoint.note.text, roots))
            except BadTimestamp as error:
                moments.append(None)
                reason = f"none of its time stamps is by an authority that you trust: {error}"
        good = [(size, at) for size, at in zip(self._sizes, moments, strict=True) if at is not None]
        if not good:
            raise BadTimestamp(reason)
        longest, slowest = max(self._waits(moments), default=(dt.timedelta(), 0))
        size, at = max(good, key=lambda each: (each[0], -each[1].timestamp()))
        return StampReport(size, at, max(longest, dt.timedelta()), slowest, len(moments) - len(good))

    def _waits(self, moments: Sequence[dt.datetime | None]) -> list[tuple[dt.timedelta, int]]:
        """Until the earliest good stamp above them, for the oldest record that each stamp is the first to cover."""
        found, covered = list[tuple[dt.timedelta, int]](), list[dt.datetime]()
        for place in reversed(range(len(moments))):
            covered += [at for at in (moments[place],) if at is not None]
            if covered and place in self._first:
                at, seq = self._first[place]
                found.append((min(covered) - at, seq))
        return found


def _time(value: object) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _moment(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _duration(wait: dt.timedelta) -> str:
    days, seconds = wait.days, wait.seconds
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join(filter(None, parts)) or f"{seconds} s"
