"""Erasing a person, or what kept answers hold of a document: asked for by one who may (`erase`), done when another
approves.

What the log says of a person stays, by an id that names nobody: their words, names and addresses open no more, and
every hash still holds. Deciding and erasing is one step of the database, which nobody can take alone.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.admin.reasons import checked_reason
from app.audit.actor import actor
from app.audit.events.base import SealedText
from app.audit.events.forgetting import ErasureDecided, ErasureRequested
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.forgetting import Erasure, LegalHold
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.identity.names import find_person, names_of
from app.identity.subject import Capability, Subject, require_capability

ErasureState = Literal["waiting", "erased", "refused"]
DECIDE = text("select clearance.decide_erasure(:erasure, :approve)")


@dataclass(frozen=True)
class ErasureView:
    """An erasure, of a person or of a document. `name` is what the person is called as long as that is known.

    `reason` is null once a person is erased; `counts`: what went, by the number of rows, once it is done; `held`: a
    legal hold keeps it from being approved.
    """

    id: uuid.UUID
    person: uuid.UUID | None
    name: str | None
    document: uuid.UUID | None
    requested_by: str
    requested_at: dt.datetime
    reason: str | None
    state: ErasureState
    decided_by: str | None
    decided_at: dt.datetime | None
    counts: Mapping[str, int]
    held: bool
    own: bool


def request_erasure(
    session: WriteSession, subject: Subject, *, user: str | None, document: uuid.UUID | None, reason: str
) -> ErasureView:
    """Ask to erase the person of this name, who must be switched off, or what kept answers hold of the document of this
    id, which must be gone when it is approved; recorded.

    Raises NotFound, InvalidInput for a service and a reason that is none, and Conflict where the person is active, asks
    for it themselves, where a legal hold is on it, or where it was asked for before.
    """
    require_capability(subject, Capability.ERASE)
    why = checked_reason(reason, "it is to be erased")
    if (user is None) == (document is None):
        raise InvalidInput("Say which person, or which document.")
    person = None if user is None else _leaver(session, subject, user)
    hold = LegalHold.document == document if person is None else LegalHold.person == person
    if session.scalar(select(exists().where(hold, LegalHold.lifted_at.is_(None)))):
        raise Conflict("It is under a legal hold: nothing of it may go until that is lifted.")
    values = {"person": person, "document": document, "reason": why, "requested_by": subject.user_id}
    # One that was not refused stands in the way, also one that somebody else is asking for at this moment.
    asked = insert(Erasure).values(**values).on_conflict_do_nothing().returning(Erasure)
    erasure = session.scalars(asked).one_or_none()
    if erasure is None:
        raise Conflict("This was asked for already.")
    event = ErasureRequested(
        actor=actor(subject), erasure=erasure.id, person=person, document=document, reason=SealedText(why)
    )
    record(session, event)
    return _views(session, subject, [erasure])[0]


def _leaver(session: WriteSession, subject: Subject, name: str) -> uuid.UUID:
    person = find_person(session, name)
    if person.id == subject.user_id:
        raise Conflict("Somebody else has to ask for your own erasure.")
    if person.active:
        raise Conflict(f"'{name}' can still sign in: switch them off first, so that nothing new of theirs is kept.")
    return person.id


def decide_erasure(session: WriteSession, subject: Subject, erasure: uuid.UUID, *, approved: bool) -> None:
    """Approve of what somebody else asked for, by which it is done, or refuse it; recorded.

    Raises NotFound, and Conflict where it is one's own, was decided, a legal hold is on it, the person can sign in, or
    the document still stands.
    """
    require_capability(subject, Capability.ERASE)
    guard_change(session, subject)
    found = session.get(Erasure, erasure)
    if found is None:
        raise NotFound
    if subject.user_id in (found.requested_by, found.person):
        raise Conflict("You asked for it, or it is of you: somebody else has to decide on it.")
    counts = session.execute(DECIDE, {"erasure": erasure, "approve": approved}).scalar_one() or {}
    event = ErasureDecided(
        actor=actor(subject),
        erasure=erasure,
        person=found.person,
        document=found.document,
        requested_by=found.requested_by,
        approved=approved,
        counts=counts,
    )
    record(session, event)


def list_erasures(session: Session, subject: Subject, page: Page) -> list[ErasureView]:
    """One page of what was asked for, newest first (erase or audit)."""
    _require_reader(subject)
    rows = page.rows(session, select(Erasure), [Erasure.requested_at, Erasure.id], descending=True)
    return _views(session, subject, [row for (row,) in rows])


def get_erasure(session: Session, subject: Subject, erasure: uuid.UUID) -> ErasureView:
    """One of them (erase or audit). Raises NotFound."""
    _require_reader(subject)
    found = session.get(Erasure, erasure)
    if found is None:
        raise NotFound
    return _views(session, subject, [found])[0]


def _require_reader(subject: Subject) -> None:
    if not subject.capabilities & {Capability.ERASE, Capability.AUDIT}:
        raise MissingCapability


def _views(session: Session, subject: Subject, rows: list[Erasure]) -> list[ErasureView]:
    people = {each for row in rows for each in (row.person, row.requested_by, row.decided_by) if each is not None}
    names = names_of(session, people)
    waiting = [row for row in rows if row.approved is None]
    holds = select(func.coalesce(LegalHold.person, LegalHold.document)).where(
        LegalHold.lifted_at.is_(None),
        or_(
            LegalHold.person.in_([row.person for row in waiting]),
            LegalHold.document.in_([row.document for row in waiting]),
        ),
    )
    held = set(session.scalars(holds))
    return [
        ErasureView(
            id=row.id,
            person=row.person,
            name=None if row.approved or row.person is None else names.get(row.person),
            document=row.document,
            requested_by=names.get(row.requested_by, str(row.requested_by)),
            requested_at=row.requested_at,
            reason=row.reason,
            state=_state(row),
            decided_by=None if row.decided_by is None else names.get(row.decided_by, str(row.decided_by)),
            decided_at=row.decided_at,
            counts=row.counts or {},
            held=(row.person or row.document) in held,
            own=row.requested_by == subject.user_id,
        )
        for row in rows
    ]


def _state(row: Erasure) -> ErasureState:
    if row.approved is None:
        return "waiting"
    return "erased" if row.approved else "refused"
