"""A batch of the log, and what is made of it. The same numbers give the same bytes, whoever makes them and when.

By that a target knows what is delivered to it twice.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property

from app.audit.export_forms.forms import FORMS
from app.audit.export_forms.json_lines import log_head, log_header
from app.audit.export_forms.row import ExportedEntry
from app.db.tables.deliveries import DeliveryForm
from app.evidence.manifest import LogManifest
from app.evidence.merkle import Head


@dataclass(frozen=True)
class DeliveredEntry:
    """An entry with what a header says of it: the id of its record, empty if it was pruned, and its kind."""

    id: str
    kind: str
    exported: ExportedEntry


@dataclass(frozen=True)
class NamedFile:
    """A file of a delivery. Its name has its digest, so that another content can never have it."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Batch:
    """The entries from one number to another, without a gap, under the first head that was published over all of them.

    `target`: the name of the target that it is for; sealed words stay sealed.
    """

    target: str
    form: DeliveryForm
    entries: tuple[DeliveredEntry, ...]
    head: Head
    head_at: dt.datetime

    def __post_init__(self) -> None:
        numbers = [entry.exported.seq for entry in self.entries]
        if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError("a batch has entries, and all between its first and its last")

    @property
    def first(self) -> int:
        """Its first number."""
        return self.entries[0].exported.seq

    @property
    def last(self) -> int:
        """Its last number."""
        return self.entries[-1].exported.seq

    @cached_property
    def lines(self) -> bytes:
        """A line for each entry, and nothing else."""
        return FORMS[self.form].entries(entry.exported for entry in self.entries)

    @property
    def key(self) -> str:
        """By which a collector knows it when it comes again: target, first and last number, digest of the lines."""
        return f"{self.target}:{self.first}-{self.last}:{_digest(self.lines)}"

    @property
    def files(self) -> tuple[NamedFile, ...]:
        """As files for who has nothing else of ours: a JSONL with header and head, or another form and its manifest.

        They say of themselves that they are a selection (`complete: false`), these numbers.
        """
        form, filters = FORMS[self.form], {"first": str(self.first), "last": str(self.last)}
        content = form.first(filters, self.head, None, []) + self.lines + form.last(self.head, self.head_at)
        name = f"{self.first:020d}-{self.last:020d}-{_digest(content)}.{form.ending}"
        if self.form == "jsonl":
            return (NamedFile(name, content),)
        at = self.head_at.isoformat()
        manifest = LogManifest(
            export=self.key,
            requested_by="delivery",
            requested_at=at,
            made_at=at,
            opened=False,
            records=len(self.entries),
            file_format=self.form,
            bytes=len(content),
            sha256=_digest(content),
            log=log_header(filters, self.head, None, []),
            head=log_head(self.head, self.head_at),
        )
        # The manifest first: whoever sees the file finds it.
        return (NamedFile(f"{name}.manifest.json", str(manifest).encode()), NamedFile(name, content))


def signed_head_file(size: int, note: str) -> NamedFile:
    """A signed head as a file beside the batches that it covers."""
    content = note.encode()
    return NamedFile(f"{size:020d}-{_digest(content)}.checkpoint", content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
