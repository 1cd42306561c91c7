"""A witness (c2sp.org/tlog-witness): signs that a log only ever added to what the witness saw of it before.

It keeps the last checkpoint of each log that it knows, in a folder of its own, and needs no database and no service of
ours. What it signed is on disk before it says so: a witness that forgets could sign two histories.
"""

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.evidence.checkpoint import Checkpoint
from app.evidence.consistency import is_consistent
from app.evidence.merkle import EMPTY_ROOT, Head, decode, encode
from app.evidence.signed_note import BadNote, NoteSignature, SigningKey, VerifierKey

OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
MAX_PATH = 63
MAX_REQUEST_BYTES = 32_768
NOTHING = Head(0, EMPTY_ROOT)


@dataclass(frozen=True)
class WitnessRequest:
    """What a log asks to be signed: its checkpoint, and the proof that it continues one of `old` entries."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    def __str__(self) -> str:
        lines = "".join(f"{encode(each)}\n" for each in self.path)
        return f"old {self.old}\n{lines}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> "WitnessRequest":
        """Read the body of a request; raises BadNote."""
        head, blank, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        old = OLD.fullmatch(first)
        if not blank or old is None or len(lines) > MAX_PATH:
            raise BadNote("a request is a line 'old SIZE', hashes of a proof, an empty line and a checkpoint")
        try:
            path = tuple(decode(line) for line in lines)
        except ValueError as error:
            raise BadNote("a hash of the proof is not base64") from error
        return cls(int(old[1]), path, Checkpoint.parse(note))


class WitnessRefused(Exception):
    """The witness does not sign. `status` is that of HTTP, `size` that of the checkpoint it signed last, where it
    matters.
    """

    def __init__(self, status: int, message: str, *, size: int | None = None) -> None:
        super().__init__(message)
        self.status, self.size = status, size


class Witness:
    """Signs for the logs whose keys it was given; several processes may share one folder."""

    def __init__(self, folder: Path, key: SigningKey, logs: Sequence[VerifierKey]) -> None:
        """Raises ValueError for the key of a log where one of a witness belongs, or the other way round."""
        if key.use != "witness" or any(log.use != "log" for log in logs):
            raise ValueError("a witness signs with the key of a witness, for the keys of logs")
        self._folder, self._key = folder, key
        self._logs: Mapping[str, list[VerifierKey]] = {
            log.name: [each for each in logs if each.name == log.name] for log in logs
        }
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, request: WitnessRequest, *, moment: int) -> NoteSignature:
        """Sign the checkpoint of the request and keep it as the last one of its log, or raise WitnessRefused."""
        checkpoint = request.checkpoint
        trusted = self._logs.get(checkpoint.origin)
        if trusted is None:
            raise WitnessRefused(404, "this log is not one that is witnessed here")
        try:
            checkpoint.log_signers(trusted)
        except BadNote as error:
            raise WitnessRefused(403, str(error)) from error
        if request.old > checkpoint.head.size:
            raise WitnessRefused(400, "the old size is larger than the checkpoint's")
        with self._locked(checkpoint.origin) as path:
            last = _last(path)
            self._require_continuation(request, last)
            if checkpoint.head != last:
                _replace(path, str(checkpoint))
        return self._key.sign(checkpoint.note.text, moment=moment)

    def last(self, origin: str) -> Head:
        """The head of a log that was signed last; of a log that never was, the one of nothing."""
        with self._locked(origin) as path:
            return _last(path)

    @staticmethod
    def _require_continuation(request: WitnessRequest, last: Head) -> None:
        head = request.checkpoint.head
        if request.old != last.size:
            raise WitnessRefused(409, f"the checkpoint that was signed last has {last.size} entries", size=last.size)
        if head.size == last.size and head.root != last.root:
            raise WitnessRefused(
                409, f"another head of {last.size} entries was signed: the log was rewritten", size=last.size
            )
        if not is_consistent(last, head, request.path):
            raise WitnessRefused(422, f"the proof does not lead from the {last.size} entries that were signed last")

    @contextmanager
    def _locked(self, origin: str) -> Iterator[Path]:
        """The file of a log, which nobody else reads or writes meanwhile."""
        path = self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path


def _last(path: Path) -> Head:
    try:
        return Checkpoint.parse(path.read_text("utf-8")).head
    except FileNotFoundError:
        return NOTHING


def _replace(path: Path, text: str) -> None:
    """Replace the file in one step; on disk when this returns."""
    work = path.with_name(f".{secrets.token_hex(8)}")
    with work.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    work.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
