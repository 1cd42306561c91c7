"""Legal holds: what a hold is on does not go, whoever asks, until it is lifted.

Of a person: their words in the log, names, conversations and feedback. Of a document: it and its version. The database
refuses (`clearance.refuse_held`), by whatever way it comes.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from app.admin.reasons import checked_reason
from app.audit.actor import actor
from app.audit.events.base import SealedText
from app.audit.events.forgetting import HoldLifted, HoldPlaced
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.forgetting import LegalHold
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.identity.names import find_person, names_of
from app.identity.subject import Capability, Subject, require_capability


@dataclass(frozen=True)
class HoldView:
    """A legal hold: of a person, with their name as it is now, or of a document. In force until `lifted_at`."""

    id: uuid.UUID
    person: uuid.UUID | None
    name: str | None
    document: uuid.UUID | None
    reason: str
    placed_by: str
    placed_at: dt.datetime
    lifted_by: str | None
    lifted_at: dt.datetime | None


def place_hold(
    session: WriteSession, subject: Subject, *, user: str | None, document: uuid.UUID | None, reason: str
) -> HoldView:
    """Put a hold on a person, by name, or on a document, by id; recorded.

    Whether there is such a document is not said: who places holds need not be able to read it. Raises InvalidInput,
    NotFound for a name of nobody, and Conflict where one is in force.
    """
    require_capability(subject, Capability.HOLD)
    why = checked_reason(reason, "nothing of it may go")
    if (user is None) == (document is None):
        raise InvalidInput("Say which person, or which document.")
    person = None if user is None else find_person(session, user).id
    of = LegalHold.document == document if person is None else LegalHold.person == person
    if session.scalar(select(exists().where(of, LegalHold.lifted_at.is_(None)))):
        raise Conflict("There is a hold on it already.")
    values = {"person": person, "document": document, "reason": why, "placed_by": subject.user_id}
    hold = session.scalars(insert(LegalHold).values(**values).returning(LegalHold)).one()
    event = HoldPlaced(actor=actor(subject), hold=hold.id, person=person, document=document, reason=SealedText(why))
    record(session, event)
    return _views(session, [hold])[0]


def lift_hold(session: WriteSession, subject: Subject, hold: uuid.UUID) -> None:
    """Lift a hold; recorded. Raises NotFound, and Conflict for one that was lifted."""
    require_capability(subject, Capability.HOLD)
    found = session.get(LegalHold, hold)
    if found is None:
        raise NotFound
    lifted = update(LegalHold).where(LegalHold.id == hold, LegalHold.lifted_at.is_(None)).returning(LegalHold.id)
    if session.scalar(lifted.values(lifted_by=subject.user_id, lifted_at=func.now())) is None:
        raise Conflict("It was lifted already.")
    record(session, HoldLifted(actor=actor(subject), hold=hold, person=found.person, document=found.document))


def list_holds(session: Session, subject: Subject, page: Page) -> list[HoldView]:
    """One page of all holds, those that were lifted among them, newest first (hold, erase or audit)."""
    if not subject.capabilities & {Capability.HOLD, Capability.ERASE, Capability.AUDIT}:
        raise MissingCapability
    rows = page.rows(session, select(LegalHold), [LegalHold.placed_at, LegalHold.id], descending=True)
    return _views(session, [row for (row,) in rows])


def _views(session: Session, rows: list[LegalHold]) -> list[HoldView]:
    people = {each for row in rows for each in (row.person, row.placed_by, row.lifted_by) if each is not None}
    names = names_of(session, people)
    return [
        HoldView(
            id=row.id,
            person=row.person,
            name=None if row.person is None else names.get(row.person),
            document=row.document,
            reason=row.reason,
            placed_by=names.get(row.placed_by, str(row.placed_by)),
            placed_at=row.placed_at,
            lifted_by=None if row.lifted_by is None else names.get(row.lifted_by, str(row.lifted_by)),
            lifted_at=row.lifted_at,
        )
        for row in rows
    ]
