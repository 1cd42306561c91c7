"""Openings of sealed words: asked for with a reason, by policy approved of by a second person, used for a while.

Nobody browses: an opening covers one record with its trail, or what one query finds for an export, and in either case
only what was recorded before it was asked for. Each step is recorded, and so is each look.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.admin.audit_log import AuditLog
from app.admin.reasons import checked_reason
from app.audit.actor import actor
from app.audit.encryption import Sealer
from app.audit.events.base import SealedText
from app.audit.events.log_reading import OpeningDecided, OpeningRequested
from app.audit.listing import Entry, find_entry, find_numbers
from app.audit.log import record
from app.audit.opener import OpenedScope, Opener
from app.audit.query import LogQuery
from app.db.paging import Page
from app.db.tables.evidence import Opening
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.evidence.records import is_sealed, part, read_record, sealed_for
from app.identity.authenticate import caller_may
from app.identity.names import names_of
from app.identity.subject import Capability, Subject, require_capability

OpeningState = Literal["waiting", "approved", "refused", "ended"]


@dataclass(frozen=True)
class OpeningPolicy:
    """Whether a second person has to approve, and how long an opening can be used."""

    needs_second: bool
    hours: float


@dataclass(frozen=True)
class OpeningView:
    """An opening. `record` with its number `seq` and `trail`, or `q`, say of what; `usable_until` is null while it
    waits, or was refused.
    """

    id: uuid.UUID
    requested_by: str
    requested_at: dt.datetime
    reason: str
    record: uuid.UUID | None
    seq: int | None
    trail: uuid.UUID | None
    q: str | None
    needs_second: bool
    state: OpeningState
    decided_by: str | None
    decided_at: dt.datetime | None
    usable_until: dt.datetime | None
    own: bool


@dataclass(frozen=True)
class ApprovedOpening:
    """An opening that its requester may use now. It is looked at again in each transaction that opens by it."""

    id: uuid.UUID
    scope: OpenedScope
    requested_by: uuid.UUID
    policy: OpeningPolicy

    def opener(self, session: Session, sealer: Sealer) -> Opener:
        """What opens the words that it covers. Raises MissingCapability, NotFound, and Conflict once it has ended."""
        if not caller_may(session, Capability.OPEN):
            raise MissingCapability
        _usable(session, self.id, self.requested_by, self.policy)
        return Opener(session, sealer, self.scope)


@dataclass(frozen=True)
class Openings:
    """What an auditor does to have words opened. Needs `audit` and, but for looking at the list, `open`."""

    log: AuditLog
    policy: OpeningPolicy

    def request(self, reason: str, *, of: uuid.UUID | None = None, query: LogQuery | None = None) -> OpeningView:
        """Ask for the words of a record and its trail, or of what a query finds; recorded.

        It can be used at once, or when somebody else has approved of it. Raises InvalidInput for a reason that is none
        and a record without sealed words, NotFound, and Conflict for a record that has no number yet.
        """
        require_capability(self.log.subject, Capability.OPEN)
        reason = checked_reason(reason, "the words are to be opened")
        if of is not None and query is None:
            scope = self._scope_of(of)
        elif query is not None and of is None:
            scope = {"resolved": query.text}
        else:
            raise InvalidInput("Say which record is to be opened, or which query's.")
        values = {**scope, "reason": reason, "needs_second": self.policy.needs_second}
        filters = None if query is None else self.log.filters_of(query)
        with self.log.writing() as session:
            made = insert(Opening).values(requested_by=self.log.subject.user_id, **values).returning(Opening)
            opening = session.scalars(made).one()
            event = OpeningRequested(
                actor=actor(self.log.subject),
                opening=opening.id,
                reason=SealedText(reason),
                record=opening.record,
                of_trail=opening.trail,
                person=opening.asker,
                filters=filters,
                needs_second=opening.needs_second,
            )
            record(session, event)
            return self._views(session, [opening])[0]

    def decide(self, opening: uuid.UUID, *, approved: bool) -> None:
        """Approve of what somebody else asked for, or refuse it; recorded. Raises NotFound and Conflict."""
        require_capability(self.log.subject, Capability.OPEN)
        with self.log.writing() as session:
            found = _find(session, opening)
            _require_undecided(found, self.log.subject)
            # Under the policy of the table: of two who decide at a time the second finds nothing to decide.
            decided = update(Opening).where(Opening.id == opening, Opening.decided_by.is_(None)).returning(Opening)
            values = {"decided_by": self.log.subject.user_id, "decided_at": func.now(), "approved": approved}
            row = session.scalars(decided.values(values).execution_options(populate_existing=True)).one_or_none()
            if row is None:
                raise Conflict("Somebody else has just decided on it.")
            event = OpeningDecided(
                actor=actor(self.log.subject), opening=opening, requested_by=row.requested_by, approved=approved
            )
            record(session, event)

    def list_page(self, page: Page) -> list[OpeningView]:
        """One page of all openings, newest first."""
        with self.log.reading() as session:
            rows = page.rows(session, select(Opening), [Opening.requested_at, Opening.id], descending=True)
            return self._views(session, [row for (row,) in rows])

    def get(self, opening: uuid.UUID) -> OpeningView:
        """One opening. Raises NotFound."""
        with self.log.reading() as session:
            return self._views(session, [_find(session, opening)])[0]

    def approved(self, opening: uuid.UUID, query: LogQuery | None = None) -> ApprovedOpening:
        """One's own that can be used now: of a record; or, with a query, of exactly that query.

        Raises MissingCapability, NotFound, and Conflict where it waits, was refused, has ended, or is of something
        else.
        """
        require_capability(self.log.subject, Capability.OPEN)
        with self.log.reading() as session:
            found = _usable(session, opening, self.log.subject.user_id, self.policy)
            if found.resolved != (None if query is None else query.text):
                raise Conflict("This opening is of something else: ask for one of exactly this.")
            scope = OpenedScope(found.requested_at, found.record, found.trail)
        return ApprovedOpening(opening, scope, self.log.subject.user_id, self.policy)

    def _scope_of(self, of: uuid.UUID) -> Mapping[str, object]:
        """A record, its trail, and whose words they are."""
        seq = self.log.number_of(of)
        with self.log.reading() as session:
            entry = find_entry(session, seq)
        person, trail = _sealed_by(entry)
        return {"record": of, "trail": trail, "asker": person}

    def _views(self, session: Session, rows: list[Opening]) -> list[OpeningView]:
        people = {row.requested_by for row in rows} | {row.decided_by for row in rows if row.decided_by is not None}
        names = names_of(session, people)
        numbers = find_numbers(session, {row.record for row in rows if row.record is not None})
        return [
            _view(row, names, numbers.get(row.record) if row.record else None, self.log.subject, self.policy.hours)
            for row in rows
        ]


@dataclass(frozen=True)
class OpenedOfMine:
    """An opening of one's own words: whose reason, which record, and whether it could be used from when on."""

    requested_by: str
    requested_at: dt.datetime
    reason: str
    record: uuid.UUID | None
    trail: uuid.UUID | None
    decided_by: str | None
    decided_at: dt.datetime | None


def list_own_openings(session: Session, subject: Subject, page: Page, *, told: bool) -> list[OpenedOfMine]:
    """One page of the openings of the caller's own words that were allowed, newest first; none where the policy is not
    to tell. Those of exports, which hold words of many, are not among them.
    """
    if not told:
        return []
    allowed = func.coalesce(Opening.approved, ~Opening.needs_second)
    query = select(Opening).where(Opening.asker == subject.user_id, allowed)
    rows = [row for (row,) in page.rows(session, query, [Opening.requested_at, Opening.id], descending=True)]
    names = names_of(session, {each for row in rows for each in (row.requested_by, row.decided_by) if each is not None})
    return [
        OpenedOfMine(
            requested_by=names.get(row.requested_by, ""),
            requested_at=row.requested_at,
            reason=row.reason,
            record=row.record,
            trail=row.trail,
            decided_by=None if row.decided_by is None else names.get(row.decided_by, ""),
            decided_at=row.decided_at,
        )
        for row in rows
    ]


def _sealed_by(entry: Entry | None) -> tuple[uuid.UUID, uuid.UUID | None]:
    """Whose words a record holds, and its trail. Raises NotFound and InvalidInput."""
    if entry is None:
        raise NotFound
    found = read_record(entry.body)
    trail = part(found, "trail")
    sealed = [name for name, value in found.items() if is_sealed(value)] if found is not None else []
    person = None if found is None else sealed_for(found, sealed[0]) if sealed else found["actor"]["user"]
    if person is None or not (trail or sealed):
        raise InvalidInput("This record holds no sealed words.")
    return uuid.UUID(person), None if trail is None else uuid.UUID(trail)


def _find(session: Session, opening: uuid.UUID) -> Opening:
    found = session.get(Opening, opening)
    if found is None:
        raise NotFound
    return found


def _require_undecided(opening: Opening, subject: Subject) -> None:
    if opening.requested_by == subject.user_id:
        raise Conflict("You asked for it: somebody else has to decide on it.")
    if opening.decided_by is not None or not opening.needs_second:
        raise Conflict("It needs no decision any more.")


def _usable(session: Session, opening: uuid.UUID, user: uuid.UUID, policy: OpeningPolicy) -> Opening:
    """One's own that can be used now. Raises NotFound for one of somebody else's, and Conflict."""
    found = _find(session, opening)
    if found.requested_by != user:
        raise NotFound
    now = session.execute(select(func.now())).scalar_one()
    if policy.needs_second and not found.needs_second:
        raise Conflict("This opening is of before a second person was needed: ask again.")
    state = _state(found, now, policy.hours)
    if state != "approved":
        said = {"waiting": "waits for somebody else to approve of it", "refused": "was refused", "ended": "has ended"}
        raise Conflict(f"This opening {said[state]}.")
    return found


def _usable_until(opening: Opening, hours: float) -> dt.datetime | None:
    """Until when it can be used; None where it cannot be as yet, or never can."""
    if opening.needs_second and not opening.approved:
        return None
    return (opening.decided_at or opening.requested_at) + dt.timedelta(hours=hours)


def _state(opening: Opening, now: dt.datetime, hours: float) -> OpeningState:
    until = _usable_until(opening, hours)
    if until is None:
        return "waiting" if opening.approved is None else "refused"
    return "approved" if now < until else "ended"


def _view(row: Opening, names: Mapping[uuid.UUID, str], seq: int | None, subject: Subject, hours: float) -> OpeningView:
    return OpeningView(
        id=row.id,
        requested_by=names.get(row.requested_by, str(row.requested_by)),
        requested_at=row.requested_at,
        reason=row.reason,
        record=row.record,
        seq=seq,
        trail=row.trail,
        q=row.resolved,
        needs_second=row.needs_second,
        state=_state(row, dt.datetime.now(dt.UTC), hours),
        decided_by=None if row.decided_by is None else names.get(row.decided_by, str(row.decided_by)),
        decided_at=row.decided_at,
        usable_until=_usable_until(row, hours),
        own=row.requested_by == subject.user_id,
    )
