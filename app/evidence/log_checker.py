"""Holds the entries of an exported log to one another, to its head, to a head that was kept, and to signatures.

It takes them from whatever file they stand in, in their order, and keeps none of them.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.evidence.checkpoint import Checkpoint, follow_key_change
from app.evidence.kept_head import head_of
from app.evidence.merkle import decode, encode, leaf_hash
from app.evidence.opened import opened_text_matches
from app.evidence.places import Places
from app.evidence.pruned import Pruned
from app.evidence.records import KEY_CHANGED, id_bytes, read_record
from app.evidence.report import LogFindingKind, VerifyReport
from app.evidence.roots import Roots
from app.evidence.signed_note import BadNote, VerifierKey
from app.evidence.sound_entry import SoundEntry
from app.evidence.stamps import Stamps, read_stamps
from app.evidence.timestamp import BadTimestamp

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

FORMAT = "clearance-audit"
FORMAT_VERSION = 1
HEADER_KEYS = {"format", "version", "complete", "range", "filters", "checkpoint", "timestamps"}
ENTRY_KEYS = {"seq", "leaf_hash", "record"}


class LogChecker:
    """Takes the header, the entries and the head of a file as they come, and holds each to the others."""

    def __init__(
        self, report: VerifyReport, trusted: Sequence[VerifierKey], authorities: "Sequence[Certificate]"
    ) -> None:
        self.report = report
        self.trusted, self.authorities = list(trusted), authorities
        self.checkpoint: Checkpoint | None = None
        self.stamps = Stamps()
        self.places = Places()
        self.pruned = Pruned()
        self.ids: dict[bytes, int] = {}
        self.announced: int | None = None
        self.roots = Roots()
        if report.held is not None:
            self.roots.want(report.held.size)

    def finish(self) -> VerifyReport:
        """Draw the conclusions that need the whole file."""
        report = self.report
        report.pruned = self.pruned.count
        if report.head is None:
            self.find("truncation", None, "the file ends without its head line")
        if self.announced is None:
            self.find("format", None, "the file does not begin with a header line")
            report.complete = True  # held to the stricter reading
        if report.complete:
            for first, end in self.places.missing:
                which = f"entry {first} is" if end == first + 1 else f"entries {first} to {end - 1} are"
                self.find("drop", first, f"{which} missing")
            for first, end in self.pruned.undeclared():
                which = f"entry {first} has" if end == first + 1 else f"entries {first} to {end - 1} have"
                self.find("drop", first, f"{which} no record, and no record says that they were pruned")
            self._own_head()
            self._held_head()
            self._signed_head()
            self._stamped_heads()
        elif report.held is not None or self.trusted or self.authorities:
            self.find("selection", None, "a selection cannot be compared with a head: export the whole log")
        return report

    def header(self, value: Mapping[str, Any]) -> None:
        """Take what the file says of itself."""
        match value:
            case {
                "format": str(name),
                "version": int(version),
                "complete": bool(complete),
                "range": {"first": 0, "size": int(size), **beside},
                "filters": dict(filters),
            } if not beside and all(isinstance(f, str) for f in filters.values()) and complete is not bool(filters):
                if (name, version) != (FORMAT, FORMAT_VERSION):
                    self.find("format", None, f"{name} {version} is not a format that this program knows")
                self._refuse_extra("the header", None, set(value) - HEADER_KEYS)
                self.report.complete, self.announced = complete, size
                if complete and "checkpoint" in value:
                    self._read_checkpoint(value["checkpoint"])
                if complete and "timestamps" in value:
                    self._read_stamps(value["timestamps"])
            case _:
                self.find("format", None, "what the file says of itself is no header")

    def _read_checkpoint(self, note: object) -> None:
        try:
            self.checkpoint = Checkpoint.parse(str(note))
        except BadNote as error:
            self.find("format", None, f"the checkpoint of the file is none: {error}")
            return
        self.roots.want(self.checkpoint.head.size)

    def _read_stamps(self, value: object) -> None:
        try:
            self.stamps = Stamps(read_stamps(value))
        except ValueError as error:
            self.find("format", None, f"the time stamps of the file are none: {error}")
        for stamp in self.stamps.heads:
            self.roots.want(stamp.checkpoint.head.size)

    def head(self, value: Mapping[str, Any]) -> None:
        """Take the head that the file gives, behind all entries."""
        self._refuse_extra("the head's line", None, set(value) - {"head"})
        try:
            self.report.head = head_of(value["head"])
        except ValueError as error:
            self.find("format", None, f"the head: {error}")
            return
        if self.announced is not None and self.report.head.size != self.announced:
            message = f"the header announces {self.announced} entries, the head has {self.report.head.size}"
            self.find("format", None, message)

    def entry(self, place: str, value: Mapping[str, Any]) -> None:
        """Take the next entry, which stands at this place of the file."""
        match value:
            case {"seq": int(seq), "leaf_hash": str(claimed), "record": str() | None as body} if (
                seq >= 0 and not isinstance(seq, bool)
            ):
                pass
            case _:
                self.find("format", None, f"{place} is no entry")
                return
        self._refuse_extra(f"entry {seq}", seq, set(value) - ENTRY_KEYS - {"opened"})
        self.report.entries += 1
        self._take_place(seq, place)
        opened = value.get("opened", {})
        computed = self._pruned(seq, claimed, opened) if body is None else self._record(seq, body, opened)
        if claimed != encode(computed):
            self.find("edit", seq, f"the record of entry {seq} does not match its leaf hash")
        if self.places.whole:
            self.roots.append(claimed, computed)

    def _pruned(self, seq: int, claimed: str, opened: object) -> bytes:
        """The hash of a record that is gone: what the line claims, to which the roots are held."""
        self.pruned.take(seq)
        self._opened(seq, {}, opened)
        try:
            return decode(claimed)
        except ValueError:
            return b""

    def sound_entry(self, place: str, entry: SoundEntry) -> None:
        """Take the next entry, right by itself: as `entry` does, for what needs those before it."""
        self.report.entries += 1
        self._take_place(entry.seq, place)
        self._take_id(entry.seq, entry.identity)
        self.report.opened += entry.opened
        self.report.erased += entry.erased
        self.stamps.follow(entry.seq, entry.at)
        if self.places.whole:
            self.roots.append_same(entry.leaf_hash)

    def _take_place(self, seq: int, place: str) -> None:
        match self.places.take(seq):
            case "reorder":
                self.find("reorder", seq, f"entry {seq} stands on {place}, behind a later one")
            case "duplicate":
                self.find("duplicate", seq, f"entry {seq} stands on {place} once more")

    def _take_id(self, seq: int, identity: bytes) -> None:
        earlier = self.ids.setdefault(identity, seq)
        if earlier != seq:
            self.find("duplicate", seq, f"entry {seq} is the record of entry {earlier} once more")

    def _record(self, seq: int, body: str, opened: object) -> bytes:
        record = read_record(body)
        if record is None:
            # It was written so: its hash is checked like any other's, and nothing in it can be opened.
            self.find("canonical", seq, f"entry {seq} is no record as the service writes them")
            self._opened(seq, {}, opened)
            return leaf_hash(body.encode(errors="replace").decode())
        self._take_id(seq, id_bytes(record))
        self._opened(seq, record, opened)
        self.stamps.follow(seq, record.get("at"))
        self.pruned.follow(seq, record)
        if record["kind"] == KEY_CHANGED and (key := follow_key_change(self.trusted, record)):
            self.trusted.append(key)
        return leaf_hash(body)

    def _opened(self, seq: int, record: Mapping[str, Any], opened: object) -> None:
        if not isinstance(opened, dict):
            self.find("format", seq, f"what entry {seq} opens is not an object")
            return
        for name, words in opened.items():
            sealed = record.get(name)
            if not opened_text_matches(sealed, words):
                self.find("opened", seq, f"the opened {name} of entry {seq} is not what was recorded")
            elif "text" in words:
                self.report.opened += 1
            elif "salt" not in words:
                self.report.erased += 1

    def _own_head(self) -> None:
        own, count = self.report.head, self.places.expected
        if own is None:
            return
        if own.size > count:
            self.find("truncation", count, f"the file ends before entry {count}, its head has {own.size} entries")
        elif own.size < count:
            self.find("addition", own.size, f"entry {own.size} and those behind it are not under the file's head")
        elif self.places.whole and own.root not in self.roots.now():
            self.find("rewrite", None, "the file's head is not the head of its entries")

    def _held_head(self) -> None:
        held, count = self.report.held, self.places.expected
        if held is None:
            return
        if held.size > count:
            self.find("truncation", count, f"the file ends before entry {count}, the head kept has {held.size} entries")
        elif self.roots.contradict(held.size, held.root):
            message = f"the first {held.size} entries are not those of the head kept: the log was rewritten"
            self.find("rewrite", None, message)

    def _signed_head(self) -> None:
        """What the file's checkpoint says: of its entries, and, where keys are trusted, who signed it."""
        checkpoint = self.checkpoint
        if checkpoint is None:
            if self.trusted:
                self.find("signature", None, "there is no checkpoint in the file: nobody signed a head of it")
            return
        if checkpoint.head.size > self.places.expected:
            self.find("truncation", self.places.expected, f"its checkpoint has {checkpoint.head.size} entries")
        elif self.roots.contradict(checkpoint.head.size, checkpoint.head.root):
            self.find("rewrite", None, f"the first {checkpoint.head.size} entries are not those of its checkpoint")
        try:
            signers = [*checkpoint.log_signers(self.trusted), *self._witnesses(checkpoint)] if self.trusted else []
        except BadNote as error:
            self.find("signature", None, f"the checkpoint of {checkpoint.head.size} entries: {error}")
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
                self.find("truncation", self.places.expected, f"a head of {head.size} entries was time-stamped")
            elif self.roots.contradict(head.size, head.root):
                self.find("rewrite", None, f"the first {head.size} entries are not those that were time-stamped")
        if self.authorities:
            try:
                self.report.stamps = self.stamps.judge(self.authorities)
            except BadTimestamp as error:
                self.find("timestamp", None, str(error))

    def _refuse_extra(self, what: str, seq: int | None, extra: set[str]) -> None:
        if extra:
            self.find("format", seq, f"{what} carries what no export writes: {', '.join(sorted(extra))}")

    def find(self, kind: LogFindingKind, seq: int | None, message: str) -> None:
        """Note what is wrong."""
        self.report.add(kind, seq, message)
