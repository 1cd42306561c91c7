"""The audit log for auditors, who do not thereby read documents. Reading and exporting it is recorded too."""

import contextlib
import datetime as dt
import itertools
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.admin.event_views import EventView, event_views
from app.audit.actor import actor
from app.audit.encryption import Sealer, seal_address
from app.audit.events.base import Event
from app.audit.events.log_reading import AuditExported, AuditRead, ExportFormat
from app.audit.export import ExportPiece, MakeOpener, export_log, export_pieces
from app.audit.export_forms.forms import FORMS
from app.audit.library_names import NameReader
from app.audit.listing import (
    find_entry,
    find_head,
    find_number,
    is_pruned,
    is_recorded,
    latest_head,
    list_events,
    list_heads,
    list_neighbours,
    list_trail,
)
from app.audit.log import record
from app.audit.names import with_ids
from app.audit.opener import Opener
from app.audit.proofs import Verification, verify_entry
from app.audit.query import Choice, LogQuery, LogQueryError, parse
from app.db.paging import Page
from app.db.session import Database, WriteSession
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.evidence.merkle import Head
from app.evidence.records import part, read_record
from app.identity.authenticate import caller_may
from app.identity.names import find_user
from app.identity.subject import Capability, Subject, require_capability

# What is shown beside one record: of its trail, and on each side of its place.
MAX_TRAIL, NEIGHBOURS = 100, 2
MAX_SEQ = 2**63 - 1
WAS_PRUNED = "A rule of retention removed the record of this number. Its hash stays in the log, and a record says so."


class Approved(Protocol):
    """An opening that may be used (`app.admin.openings`): by it, and by nothing else, words are opened."""

    @property
    def id(self) -> uuid.UUID: ...

    def opener(self, session: Session, sealer: Sealer) -> Opener:
        """Checks it again in this transaction."""
        ...


@dataclass(frozen=True)
class LogReading:
    """Records that were read, and the id of the record of this very look."""

    events: list[EventView]
    recorded: uuid.UUID


@dataclass(frozen=True)
class EventReading:
    """One record that was read, with what stands around it; personal words are those of the record itself alone.

    `trail`: the first records of its trail, in order, itself among them; `before` and `behind`: the records at the
    places next to it; `recorded`: the id of the record of this very look.
    """

    event: EventView
    verification: Verification
    trail: list[EventView]
    before: list[EventView]
    behind: list[EventView]
    recorded: uuid.UUID


@dataclass(frozen=True)
class AuditLog:
    """What an auditor does with the log. Raises MissingCapability for anybody else.

    `clean` redacts titles and paths of documents that the auditor may read, as lists of documents do; without it none
    are shown.
    """

    database: Database
    sealer: Sealer
    subject: Subject
    clean: Callable[[str], str] | None = None

    def __post_init__(self) -> None:
        require_capability(self.subject, Capability.AUDIT)

    def query(
        self,
        q: str = "",
        *,
        user: str | None = None,
        kind: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> LogQuery:
        """The query of a text, with ids in the place of names; what else is given must hold as well.

        Raises InvalidInput, which says what is wrong and where, and NotFound for a `user` of no name of today.
        """
        try:
            found = parse(q)
        except LogQueryError as error:
            raise InvalidInput(str(error)) from None
        require_zones(since, until)
        with self.reading() as session:
            given: dict[str, Any] = {"kind": kind and Choice(frozenset({kind})), "after": since, "before": until}
            if user is not None:
                given["who"] = Choice(frozenset({str(find_user(session, user).id)}))
            given = {name: value for name, value in given.items() if value is not None}
            if twice := [name for name in given if getattr(found, name)]:
                raise InvalidInput(f"The query says '{twice[0]}' already: leave out the parameter for it.")
            return with_ids(session, replace(found, **given))

    def read(self, query: LogQuery, page: Page, *, newest_first: bool, approved: Approved | None = None) -> LogReading:
        """One page of records in their order; its place is the number that it reached. Words by an opening alone.

        A page may hold fewer records than it could, or none, and yet not be the last.
        """
        with self.reading() as session:
            found = list_events(
                session, query, after_seq=number_place(page.after), limit=page.limit, newest_first=newest_first
            )
            opener = approved.opener(session, self.sealer) if approved else None
            views = event_views(session, found.entries, opener, self.reader)
        if found.reached is not None:
            page.goes_on(str(found.reached))
        opened = any(view.opened for view in views)
        return LogReading(views, self.record(self.look(self.filters_of(query), len(views), approved, opened=opened)))

    def event(self, seq: int, *, approved: Approved | None = None, kept: str | None = None) -> EventReading:
        """One record in its place, its proof under the newest head or under one that was `kept`, and its surroundings.

        Its words, and those of its trail, by an opening alone. Raises NotFound, and InvalidInput for a text that is no
        head.
        """
        head = None if kept is None else _parse_head(kept)
        with self.reading() as session:
            entry = find_entry(session, seq) if 0 <= seq <= MAX_SEQ else None
            if entry is None:
                raise NotFound(WAS_PRUNED) if is_pruned(session, seq) else NotFound
            opener = approved.opener(session, self.sealer) if approved else None
            of = part(read_record(entry.body), "trail")
            same = list_trail(session, uuid.UUID(of), limit=MAX_TRAIL) if of else []
            before, behind = list_neighbours(session, seq, reach=NEIGHBOURS)
            view, *more = event_views(session, [entry, *same], opener, self.reader, beside=[*before, *behind])
            trail, sides = more[: len(same)], more[len(same) :]
            verification = verify_entry(session, entry, head)
        shown = {each.seq for each in (view, *more)}
        opened = any(each.opened for each in (view, *trail))
        event = self.look({"seq": str(seq)}, len(shown), approved, opened=opened)
        recorded = self.record(event)
        return EventReading(view, verification, trail, sides[: len(before)], sides[len(before) :], recorded)

    def look(
        self, filters: Mapping[str, str], rows: int, approved: Approved | None = None, *, opened: bool = False
    ) -> AuditRead:
        """What the log says of a look into it: by which opening, and whether that had words in the clear."""
        opening = approved.id if approved else None
        return AuditRead(actor=actor(self.subject), filters=filters, rows=rows, opened=opened, opening=opening)

    def filters_of(self, query: LogQuery) -> dict[str, str]:
        """A query as records have it: with its addresses sealed under the auditor's key, as all addresses there are."""
        if not query.address:
            return query.filters
        with self.writing() as session:
            key = self.sealer.ensure_key(session, self.subject.user_id)
        sealed = (
            frozenset(seal_address(key, each) for each in side)
            for side in (query.address.wanted, query.address.unwanted)
        )
        return replace(query, address=Choice(*sealed)).filters

    def heads(self, page: Page) -> list[tuple[Head, dt.datetime]]:
        """One page of the published heads and when each was, the newest first."""
        with self.reading() as session:
            return list_heads(session, page)

    def head(self) -> tuple[Head, dt.datetime | None]:
        """The newest head and when it was published."""
        with self.reading() as session:
            return latest_head(session)

    def export(self, query: LogQuery, format: ExportFormat, *, approved: Approved | None = None) -> Iterator[bytes]:
        """The records as a file, in pieces; recorded when it is called. With an opening, its words go along in the
        clear.

        Raises MissingCapability if the capability has gone, and Conflict if the opening has ended, later between two
        pieces: what was sent is no whole file.
        """
        require_capability(self.subject, Capability.EXPORT)
        opening = approved.id if approved else None
        self.record(
            AuditExported(
                actor=actor(self.subject), format=format, filters=self.filters_of(query), opened=approved is not None,
                opening=opening,
            )
        )  # fmt: skip
        return begun(export_log(self.exporting, FORMS[format], opener=self.opener(approved), query=query))

    def export_pieces(
        self, query: LogQuery, format: ExportFormat, size: int, *, approved: Approved | None, after: int
    ) -> Iterator[ExportPiece]:
        """What is missing of an export up to the head of this size when `after` was reached; nothing is recorded."""
        with self.reading() as session:
            published = find_head(session, size)
        opener = self.opener(approved)
        return export_pieces(self.exporting, FORMS[format], query, published, opener=opener, after=after)

    @property
    def reader(self) -> NameReader | None:
        """To whom names of documents and collections are shown."""
        return None if self.clean is None else NameReader(self.subject, self.clean)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction as the auditor. The database shows nothing to who is none any more, which is not to look like
        the end of the log: MissingCapability.
        """
        with self.database.reading(self.subject.user_id) as session:
            if not caller_may(session, Capability.AUDIT):
                raise MissingCapability
            yield session

    @contextlib.contextmanager
    def exporting(self) -> Iterator[Session]:
        """The same for who may also take the log away; MissingCapability else, also in the middle of an export."""
        with self.reading() as session:
            if not caller_may(session, Capability.EXPORT):
                raise MissingCapability
            yield session

    def opener(self, approved: Approved | None) -> MakeOpener | None:
        """What opens personal words, transaction by transaction, if they are to be opened."""
        return (lambda session: approved.opener(session, self.sealer)) if approved else None

    def number_of(self, record: uuid.UUID) -> int:
        """The number of a record; raises NotFound for one that is not there, and Conflict for one that has none yet."""
        with self.reading() as session:
            seq = find_number(session, record)
            waits = seq is None and is_recorded(session, record)
        if waits:
            raise Conflict("This record has no number yet: look again in a moment.")
        if seq is None:
            raise NotFound
        return seq

    def writing(self) -> AbstractContextManager[WriteSession]:
        """A transaction as the auditor that changes what they keep, or records what they do."""
        return self.database.writing(self.subject.user_id)

    def record(self, event: Event) -> uuid.UUID:
        """Record what the auditor does."""
        with self.writing() as session:
            return record(session, event)


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same, with the first piece made: what refuses it does so before anything is sent."""
    return itertools.chain([next(pieces, b"")], pieces)


def require_zones(*moments: dt.datetime | None) -> None:
    """Raise InvalidInput for a moment without its zone."""
    if any(moment is not None and moment.tzinfo is None for moment in moments):
        raise InvalidInput("Give each moment with its zone, as in 2027-01-01T00:00:00Z.")


def number_place(text: str | None) -> int | None:
    """The number behind which a page of records begins; None for the first page. Raises InvalidInput."""
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or abs(int(text)) > MAX_SEQ:
        raise InvalidInput("The place of the page is no number of a record.")
    return int(text)


def _parse_head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as error:
        raise InvalidInput(f"That is no head: {error}.") from None
