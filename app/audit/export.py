"""Exports the log: its entries in order, in the form of a file, piece by piece."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.audit.checkpoints import find_checkpoint, list_stamps
from app.audit.export_forms.forms import ExportForm
from app.audit.export_forms.row import ExportedEntry, Unread
from app.audit.listing import Entry, PrunedEntry, latest_head, next_entries
from app.audit.query import EVERYTHING, LogQuery
from app.audit.record_names import RecordActor, RecordNames
from app.audit.search import prepare
from app.evidence.merkle import Head
from app.evidence.records import read_record

# Gives the sealed fields of a record's body in the clear: app.audit.opener.Opener, which belongs to one session.
OpenBody: TypeAlias = Callable[[str], Mapping[str, Mapping[str, Any]]]
MakeOpener: TypeAlias = Callable[[Session], OpenBody]
# Begins a transaction as the auditor. One for each chunk, so that who reads an export slowly holds no connection.
Reads: TypeAlias = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class ExportPiece:
    """A part of an export, and how many entries it holds. `reached`: the last number that was looked at, or the
    head's size, which is the number of none, with the last piece.
    """

    content: bytes
    records: int
    reached: int


def export_log(
    reads: Reads, form: ExportForm, *, opener: MakeOpener | None = None, query: LogQuery = EVERYTHING
) -> Iterator[bytes]:
    """An export up to the newest head, in pieces; with `opener`, personal words go along in the clear.

    A filtered export is no whole chain: its header says `complete: false`, and verification says so too.
    """
    with reads() as session:
        published = latest_head(session)
    pieces = export_pieces(reads, form, query, published, opener=opener)
    yield from form.file(piece.content for piece in pieces)


def export_pieces(
    reads: Reads,
    form: ExportForm,
    query: LogQuery,
    published: tuple[Head, dt.datetime | None],
    *,
    opener: MakeOpener | None,
    after: int = -1,
) -> Iterator[ExportPiece]:
    """What is missing of an export up to a head when the number `after` was reached; -1: all of it.

    Between two pieces no transaction is open.
    """
    head, at = published
    if after >= head.size:
        return
    with reads() as session:
        search = prepare(session, query).within(0, head.size)
        signed = find_checkpoint(session, at_most=head.size)
        stamps = list_stamps(session, at_most=head.size) if after < 0 else []
    reached = after
    while reached < head.size:
        content = form.first(query.filters, head, signed.note if signed else None, stamps) if reached < 0 else b""
        with reads() as session:
            entries, found = next_entries(session, search, after_seq=reached)
            open_body = opener(session) if opener else None
            opened = [open_body(entry.body) if open_body and isinstance(entry, Entry) else {} for entry in entries]
            records = [_record(entry) if form.names_actors else Unread.UNREAD for entry in entries]
            actors = _actors(session, entries, records)
        content += form.entries(
            ExportedEntry(entry.seq, entry.at, entry.leaf_hash, _body(entry), words, *actor, record)
            for entry, words, actor, record in zip(entries, opened, actors, records, strict=True)
        )
        reached = head.size if found is None else found
        yield ExportPiece(content + (form.last(head, at) if found is None else b""), len(entries), reached)


def _actors(
    session: Session,
    entries: Sequence[Entry | PrunedEntry],
    records: Sequence[Mapping[str, Any] | Unread | None],
) -> list[RecordActor]:
    """Of records that were read; of others nobody's name is asked for."""
    read = [(record, entry.at) for record, entry in zip(records, entries, strict=True) if record is not Unread.UNREAD]
    return RecordNames(session).actors(read) if read else [RecordActor()] * len(entries)


def _body(entry: Entry | PrunedEntry) -> str | None:
    return entry.body if isinstance(entry, Entry) else None


def _record(entry: Entry | PrunedEntry) -> dict[str, Any] | None:
    return read_record(entry.body) if isinstance(entry, Entry) else None
