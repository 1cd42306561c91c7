"""Verifies an exported log offline, with nothing but the file and, better, a head that was kept from earlier or the key
by which the log signs its heads.

Without either a file can only be shown to agree with itself. With the key alone, whoever has the log's signing key
could still have rewritten all of it; a kept head, or the signature of a witness, shows that nobody did.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.evidence.checkpoint import Checkpoint, follow_key_change
from app.evidence.merkle import Frontier, Head, decode, encode, leaf_hash
from app.evidence.opened import opened_text_matches
from app.evidence.places import Places
from app.evidence.records import read_record, unique_keys
from app.evidence.report import LogFindingKind, VerifyReport
from app.evidence.signed_note import MAX_NOTE_BYTES, BadNote, VerifierKey

FORMAT = "clearance-audit"
FORMAT_VERSION = 1
HEADER_KEYS = {"format", "version", "complete", "range", "filters", "checkpoint"}
ENTRY_KEYS = {"seq", "leaf_hash", "record"}


def verify(path: Path, *, head: Head | None = None, trusted: Sequence[VerifierKey] = ()) -> VerifyReport:
    """Check the JSONL export at `path`, and against `head` if one was kept. Raises OSError alone.

    With keys that are `trusted`, its checkpoint must be signed by one of the log's, and by one of the witnesses' if any
    is among them. A key that the log introduced later, signed by a trusted one, is trusted from there on.
    """
    checker = _Checker(VerifyReport(str(path), held=head), trusted)
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            checker.line(number, raw)
    return checker.finish()


def read_head(given: str, trusted: Sequence[VerifierKey] = ()) -> Head:
    """The head in `size:root`, or in a file that holds this, a checkpoint, a head line, or an earlier export.

    Raises ValueError; also for a checkpoint that none of the trusted keys signed, where any are given.
    """
    path = Path(given)
    if not path.is_file():
        return Head.parse(given)
    raw = path.read_bytes()
    if b"\n\n" in raw[:MAX_NOTE_BYTES]:
        checkpoint = Checkpoint.parse(raw.decode())
        if trusted:
            checkpoint.log_signers(trusted)
        return checkpoint.head
    last = raw.strip().rpartition(b"\n")[2].decode()
    if not last.startswith("{"):
        return Head.parse(last)
    value = json.loads(last)
    return _head(value.get("head", value))


def _head(value: Any) -> Head:
    try:
        size, root = value["size"], decode(value["root"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("no head in it") from error
    if not isinstance(size, int) or isinstance(size, bool):
        raise ValueError("the size of a head is a number")
    if extra := set(value) - {"size", "root", "at"}:
        raise ValueError(f"it carries what no export writes: {', '.join(sorted(extra))}")
    if not isinstance(value.get("at", ""), str):
        raise ValueError("its time is no text")
    return Head(size, root)


class _Checker:
    def __init__(self, report: VerifyReport, trusted: Sequence[VerifierKey]) -> None:
        self.report = report
        self.trusted = list(trusted)
        self.checkpoint: Checkpoint | None = None
        self.at_checkpoint: tuple[bytes, bytes] | None = None
        self.places = Places()
        self.ids: dict[uuid.UUID, int] = {}
        self.announced: int | None = None
        # Over what the lines claim and over what the records give: an edit of either shows which of the two is true.
        self.claimed, self.computed = Frontier(), Frontier()
        self.at_held = self._roots() if report.held and report.held.size == 0 else None

    def line(self, number: int, raw: bytes) -> None:
        """Check one line of the file, the first being 1."""
        try:
            value = json.loads(raw.decode(), object_pairs_hook=unique_keys)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            self._find("format", None, f"line {number} is not a JSON object")
        elif self.report.head is not None:
            self._find("addition", None, f"line {number} stands behind the head")
        elif "head" in value:
            self._head_line(number, value)
        elif number == 1:
            self._header(value)
        else:
            self._entry(number, value)

    def finish(self) -> VerifyReport:
        """Draw the conclusions that need the whole file."""
        report = self.report
        if report.head is None:
            self._find("truncation", None, "the file ends without its head line")
        if self.announced is None:
            self._find("format", None, "the file does not begin with a header line")
            report.complete = True  # held to the stricter reading
        if report.complete:
            for first, end in self.places.missing:
                which = f"entry {first} is" if end == first + 1 else f"entries {first} to {end - 1} are"
                self._find("drop", first, f"{which} missing")
            self._own_head()
            self._held_head()
            self._signed_head()
        elif report.held is not None or self.trusted:
            self._find("selection", None, "a selection cannot be compared with a head: export the whole log")
        return report

    def _header(self, value: Mapping[str, Any]) -> None:
        match value:
            case {
                "format": str(name),
                "version": int(version),
                "complete": bool(complete),
                "range": {"first": 0, "size": int(size), **beside},
                "filters": dict(filters),
            } if not beside and all(isinstance(f, str) for f in filters.values()) and complete is not bool(filters):
                if (name, version) != (FORMAT, FORMAT_VERSION):
                    self._find("format", None, f"{name} {version} is not a format that this program knows")
                self._refuse_extra("the header", None, set(value) - HEADER_KEYS)
                self.report.complete, self.announced = complete, size
                if complete and "checkpoint" in value:
                    self._read_checkpoint(value["checkpoint"])
            case _:
                self._find("format", None, "line 1 is no header")

    def _read_checkpoint(self, note: object) -> None:
        try:
            self.checkpoint = Checkpoint.parse(str(note))
        except BadNote as error:
            self._find("format", None, f"the checkpoint of the file is none: {error}")
            return
        if self.checkpoint.head.size == 0:
            self.at_checkpoint = self._roots()

    def _head_line(self, number: int, value: Mapping[str, Any]) -> None:
        self._refuse_extra("the head's line", None, set(value) - {"head"})
        try:
            self.report.head = _head(value["head"])
        except ValueError as error:
            self._find("format", None, f"line {number}: {error}")
            return
        if self.announced is not None and self.report.head.size != self.announced:
            message = f"the header announces {self.announced} entries, the head has {self.report.head.size}"
            self._find("format", None, message)

    def _entry(self, number: int, value: Mapping[str, Any]) -> None:
        match value:
            case {"seq": int(seq), "leaf_hash": str(claimed), "record": str(body)} if seq >= 0 and not isinstance(
                seq, bool
            ):
                pass
            case _:
                self._find("format", None, f"line {number} is no entry")
                return
        self._refuse_extra(f"entry {seq}", seq, set(value) - ENTRY_KEYS - {"opened"})
        self.report.entries += 1
        self._place(seq, number)
        computed = self._record(seq, body, value.get("opened", {}))
        if claimed != encode(computed):
            self._find("edit", seq, f"the record of entry {seq} does not match its leaf hash")
        if self.places.whole:
            self._grow(claimed, computed)

    def _place(self, seq: int, number: int) -> None:
        match self.places.take(seq):
            case "reorder":
                self._find("reorder", seq, f"entry {seq} stands on line {number}, behind a later one")
            case "duplicate":
                self._find("duplicate", seq, f"entry {seq} stands on line {number} once more")

    def _record(self, seq: int, body: str, opened: object) -> bytes:
        record = read_record(body)
        if record is None:
            # It was written so: its hash is checked like any other's, and nothing in it can be opened.
            self._find("canonical", seq, f"entry {seq} is no record as the service writes them")
            self._opened(seq, {}, opened)
            return leaf_hash(body.encode(errors="replace").decode())
        identity = uuid.UUID(record["id"])
        earlier = self.ids.setdefault(identity, seq)
        if earlier != seq:
            self._find("duplicate", seq, f"entry {seq} is the record of entry {earlier} once more")
        self._opened(seq, record, opened)
        if record["kind"] == "signingkey.changed" and (key := follow_key_change(self.trusted, record)):
            self.trusted.append(key)
        return leaf_hash(body)

    def _opened(self, seq: int, record: Mapping[str, Any], opened: object) -> None:
        if not isinstance(opened, dict):
            self._find("format", seq, f"what entry {seq} opens is not an object")
            return
        for name, words in opened.items():
            sealed = record.get(name)
            if not opened_text_matches(sealed, words):
                self._find("opened", seq, f"the opened {name} of entry {seq} is not what was recorded")
            elif "text" in words:
                self.report.opened += 1
            elif "salt" not in words:
                self.report.erased += 1

    def _grow(self, claimed: str, computed: bytes) -> None:
        try:
            self.claimed.append(decode(claimed))
        except ValueError:
            self.claimed.append(computed)  # named as an edit already
        self.computed.append(computed)
        if self.report.held is not None and self.computed.size == self.report.held.size:
            self.at_held = self._roots()
        if self.checkpoint is not None and self.computed.size == self.checkpoint.head.size:
            self.at_checkpoint = self._roots()

    def _roots(self) -> tuple[bytes, bytes]:
        return self.claimed.root(), self.computed.root()

    def _own_head(self) -> None:
        own, count = self.report.head, self.places.expected
        if own is None:
            return
        if own.size > count:
            self._find("truncation", count, f"the file ends before entry {count}, its head has {own.size} entries")
        elif own.size < count:
            self._find("addition", own.size, f"entry {own.size} and those behind it are not under the file's head")
        elif self.places.whole and own.root not in self._roots():
            self._find("rewrite", None, "the file's head is not the head of its entries")

    def _held_head(self) -> None:
        held, count = self.report.held, self.places.expected
        if held is None:
            return
        if held.size > count:
            self._find(
                "truncation", count, f"the file ends before entry {count}, the head kept has {held.size} entries"
            )
        elif self.at_held is not None and held.root not in self.at_held:
            message = f"the first {held.size} entries are not those of the head kept: the log was rewritten"
            self._find("rewrite", None, message)

    def _signed_head(self) -> None:
        """What the file's checkpoint says: of its entries, and, where keys are trusted, who signed it."""
        checkpoint = self.checkpoint
        if checkpoint is None:
            if self.trusted:
                self._find("signature", None, "there is no checkpoint in the file: nobody signed a head of it")
            return
        if checkpoint.head.size > self.places.expected:
            self._find("truncation", self.places.expected, f"its checkpoint has {checkpoint.head.size} entries")
        elif self.at_checkpoint is not None and checkpoint.head.root not in self.at_checkpoint:
            self._find("rewrite", None, f"the first {checkpoint.head.size} entries are not those of its checkpoint")
        try:
            signers = [*checkpoint.log_signers(self.trusted), *self._witnesses(checkpoint)] if self.trusted else []
        except BadNote as error:
            self._find("signature", None, f"the checkpoint of {checkpoint.head.size} entries: {error}")
            return
        self.report.checkpoint, self.report.signers = checkpoint.head, tuple(key.name for key in signers)

    def _witnesses(self, checkpoint: Checkpoint) -> Sequence[VerifierKey]:
        found = checkpoint.witnesses(self.trusted)
        if not found and any(key.use == "witness" for key in self.trusted):
            raise BadNote("none of the witnesses that you trust signed it")
        return found

    def _refuse_extra(self, what: str, seq: int | None, extra: set[str]) -> None:
        if extra:
            self._find("format", seq, f"{what} carries what no export writes: {', '.join(sorted(extra))}")

    def _find(self, kind: LogFindingKind, seq: int | None, message: str) -> None:
        self.report.add(kind, seq, message)
