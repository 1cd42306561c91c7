"""Erasing a person: asked for by one who may (`erase`), done when another approves.

What the log says of them stays, by an id that names nobody: their words, names and addresses open no more, and every
hash still holds. Deciding and erasing is one step of the database, which nobody can take alone.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import exists, insert, select, text
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
from app.errors import Conflict, MissingCapability, NotFound
from app.identity.names import find_person, names_of
from app.identity.subject import Capability, Subject, require_capability

ErasureState = Literal["waiting", "erased", "refused"]
DECIDE = text("select clearance.decide_erasure(:erasure, :approve)")


@dataclass(frozen=True)
class ErasureView:
    """An erasure. `name` is what the person is called as long as that is known; `reason` is null once they are erased.

    `counts`: what went, by the number of rows, once they are erased; `held`: a legal hold keeps it from being approved.
    """

    id: uuid.UUID
    person: uuid.UUID
    name: str | None
    requested_by: str
    requested_at: dt.datetime
    reason: str | None
    state: ErasureState
    decided_by: str | None
    decided_at: dt.datetime | None
    counts: Mapping[str, int]
    held: bool
    own: bool


def request_erasure(session: WriteSession, subject: Subject, name: str, reason: str) -> ErasureView:
    """Ask to erase the person of this name, who must be switched off; recorded.

    Raises NotFound, InvalidInput for a service and a reason that is none, and Conflict where the person is active, asks
    for it themselves, is under a legal hold, or where it was asked for before.
    """
    require_capability(subject, Capability.ERASE)
    why = checked_reason(reason, "the person is to be erased")
    person = find_person(session, name)
    if person.id == subject.user_id:
        raise Conflict("Somebody else has to ask for your own erasure.")
    if person.active:
        raise Conflict(f"'{name}' can still sign in: switch them off first, so that nothing new of theirs is kept.")
    _refuse_held(session, person.id)
    if session.scalar(select(exists().where(Erasure.person == person.id, Erasure.approved.is_not(False)))):
        raise Conflict("This was asked for already.")
    made = insert(Erasure).values(person=person.id, reason=why, requested_by=subject.user_id).returning(Erasure)
    erasure = session.scalars(made).one()
    event = ErasureRequested(actor=actor(subject), erasure=erasure.id, person=person.id, reason=SealedText(why))
    record(session, event)
    return _views(session, subject, [erasure])[0]


def decide_erasure(session: WriteSession, subject: Subject, erasure: uuid.UUID, *, approved: bool) -> None:
    """Approve of what somebody else asked for, and erase the person with it, or refuse it; recorded.

    Raises NotFound, and Conflict where it is one's own, was decided, or a legal hold is on the person.
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


def _refuse_held(session: Session, person: uuid.UUID) -> None:
    if session.scalar(select(exists().where(LegalHold.person == person, LegalHold.lifted_at.is_(None)))):
        raise Conflict("This person is under a legal hold: nothing of theirs may go until that is lifted.")


def _views(session: Session, subject: Subject, rows: list[Erasure]) -> list[ErasureView]:
    deciders = {row.decided_by for row in rows if row.decided_by is not None}
    names = names_of(session, {each for row in rows for each in (row.person, row.requested_by)} | deciders)
    people = {row.person for row in rows if row.approved is None}
    holds = select(LegalHold.person).where(LegalHold.person.in_(people), LegalHold.lifted_at.is_(None))
    held = set(session.scalars(holds))
    return [
        ErasureView(
            id=row.id,
            person=row.person,
            name=None if row.approved else names.get(row.person),
            requested_by=names.get(row.requested_by, str(row.requested_by)),
            requested_at=row.requested_at,
            reason=row.reason,
            state=_state(row),
            decided_by=None if row.decided_by is None else names.get(row.decided_by, str(row.decided_by)),
            decided_at=row.decided_at,
            counts=row.counts or {},
            held=row.person in held,
            own=row.requested_by == subject.user_id,
        )
        for row in rows
    ]


def _state(row: Erasure) -> ErasureState:
    if row.approved is None:
        return "waiting"
    return "erased" if row.approved else "refused"
