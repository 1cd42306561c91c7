"""Verifies an exported log offline, with nothing but the file and, better, a head that was kept from earlier or the key
by which the log signs its heads.

Without either a file can only be shown to agree with itself. With the key alone, whoever has the log's signing key
could still have rewritten all of it; a kept head, or the signature of a witness, shows that nobody did, and time stamps
show when at the latest it was written.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.evidence.checkpoint import Checkpoint, follow_key_change
from app.evidence.kept_head import head_of
from app.evidence.merkle import Head, encode, leaf_hash
from app.evidence.opened import opened_text_matches
from app.evidence.places import Places
from app.evidence.records import read_record, unique_keys
from app.evidence.report import LogFindingKind, VerifyReport
from app.evidence.roots import Roots
from app.evidence.signed_note import BadNote, VerifierKey
from app.evidence.stamps import Stamps, read_stamps
from app.evidence.timestamp import BadTimestamp

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

FORMAT = "clearance-audit"
FORMAT_VERSION = 1
HEADER_KEYS = {"format", "version", "complete", "range", "filters", "checkpoint", "timestamps"}
ENTRY_KEYS = {"seq", "leaf_hash", "record"}


def verify(
    path: Path,
    *,
    head: Head | None = None,
    trusted: Sequence[VerifierKey] = (),
    authorities: "Sequence[Certificate]" = (),
) -> VerifyReport:
    """Check the JSONL export at `path`, and against `head` if one was kept. Raises OSError alone.

    With keys that are `trusted`, its checkpoint must be signed by one of the log's, and by one of the witnesses' if any
    is among them. A key that the log introduced later, signed by a trusted one, is trusted from there on. With roots of
    time stamping `authorities`, one of these must have stamped a head of it.
    """
    checker = _Checker(VerifyReport(str(path), held=head), trusted, authorities)
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            checker.line(number, raw)
    return checker.finish()


class _Checker:
    def __init__(
        self, report: VerifyReport, trusted: Sequence[VerifierKey], authorities: "Sequence[Certificate]"
    ) -> None:
        self.report = report
        self.trusted, self.authorities = list(trusted), authorities
        self.checkpoint: Checkpoint | None = None
        self.stamps = Stamps()
        self.places = Places()
        self.ids: dict[uuid.UUID, int] = {}
        self.announced: int | None = None
        self.roots = Roots()
        if report.held is not None:
            self.roots.want(report.held.size)

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
            self._stamped_heads()
        elif report.held is not None or self.trusted or self.authorities:
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
                if complete and "timestamps" in value:
                    self._read_stamps(value["timestamps"])
            case _:
                self._find("format", None, "line 1 is no header")

    def _read_checkpoint(self, note: object) -> None:
        try:
            self.checkpoint = Checkpoint.parse(str(note))
        except BadNote as error:
            self._find("format", None, f"the checkpoint of the file is none: {error}")
            return
        self.roots.want(self.checkpoint.head.size)

    def _read_stamps(self, value: object) -> None:
        try:
            self.stamps = Stamps(read_stamps(value))
        except ValueError as error:
            self._find("format", None, f"the time stamps of the file are none: {error}")
        for stamp in self.stamps.heads:
            self.roots.want(stamp.checkpoint.head.size)

    def _head_line(self, number: int, value: Mapping[str, Any]) -> None:
        self._refuse_extra("the head's line", None, set(value) - {"head"})
        try:
            self.report.head = head_of(value["head"])
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
            self.roots.append(claimed, computed)

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
        self.stamps.follow(seq, record)
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

    def _own_head(self) -> None:
        own, count = self.report.head, self.places.expected
        if own is None:
            return
        if own.size > count:
            self._find("truncation", count, f"the file ends before entry {count}, its head has {own.size} entries")
        elif own.size < count:
            self._find("addition", own.size, f"entry {own.size} and those behind it are not under the file's head")
        elif self.places.whole and own.root not in self.roots.now():
            self._find("rewrite", None, "the file's head is not the head of its entries")

    def _held_head(self) -> None:
        held, count = self.report.held, self.places.expected
        if held is None:
            return
        if held.size > count:
            self._find(
                "truncation", count, f"the file ends before entry {count}, the head kept has {held.size} entries"
            )
        elif self.roots.contradict(held.size, held.root):
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
        elif self.roots.contradict(checkpoint.head.size, checkpoint.head.root):
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

    def _stamped_heads(self) -> None:
        """What the file's time stamps say: of its entries, and, where authorities are trusted, when they existed."""
        for head in dict.fromkeys(stamp.checkpoint.head for stamp in self.stamps.heads):
            if head.size > self.places.expected:
                self._find("truncation", self.places.expected, f"a head of {head.size} entries was time-stamped")
            elif self.roots.contradict(head.size, head.root):
                self._find("rewrite", None, f"the first {head.size} entries are not those that were time-stamped")
        if self.authorities:
            try:
                self.report.stamps = self.stamps.judge(self.authorities)
            except BadTimestamp as error:
                self._find("timestamp", None, str(error))

    def _refuse_extra(self, what: str, seq: int | None, extra: set[str]) -> None:
        if extra:
            self._find("format", seq, f"{what} carries what no export writes: {', '.join(sorted(extra))}")

    def _find(self, kind: LogFindingKind, seq: int | None, message: str) -> None:
        self.report.add(kind, seq, message)
