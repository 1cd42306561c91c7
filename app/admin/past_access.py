"""Could she read it on 3 March, by which grant, and who made that: for auditors, also of people and documents gone."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.explain import explain_at
from app.acl.past_readers import document_stays, known_from, past_readings
from app.admin.audit_log import AuditLog, require_zones
from app.admin.exposure import ExposureGrant, describe_grants, people_called, require_known
from app.admin.shown import find_recorded_person
from app.db.tables.history import UserHistory
from app.db.tables.people import User
from app.errors import InvalidInput, NotFound
from app.identity.names import refuse_service
from app.identity.past import recorded_subject

MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class PastAccess:
    """Whether somebody could read a document at a moment; null where history does not reach back so far.

    `reason` and `explanation` as for who asks about the present; `grants` are all by which they could, each enough by
    itself.
    """

    document: uuid.UUID
    person: uuid.UUID
    user: str | None
    names: list[str]
    at: dt.datetime
    known_from: dt.datetime
    allowed: bool | None
    reason: str
    explanation: str
    grants: list[ExposureGrant]
    recorded: uuid.UUID


def past_access(log: AuditLog, *, document: uuid.UUID, user: str, at: dt.datetime) -> PastAccess:
    """Whether a person could read a document at a moment of the past, and by which grants (audit); recorded.

    `user` is a name of today, one that any record knows, or an id. Raises NotFound for a name of nobody and for a
    document of which neither log nor history tells, and InvalidInput.
    """
    require_zones(at)
    with log.reading() as session:
        require_known(session, document)
        person = find_recorded_person(session, user)
        known = known_from(session)
        if at > session.scalars(select(func.now())).one():
            raise InvalidInput("That moment has yet to come.")
        _require_person(session, person, user)
        called = people_called(session, {person})
        names = called.recorded.get(person, [])
        asked = recorded_subject(person, called.today.get(person) or ", ".join(names) or str(person))
        told = explain_at(session, asked, document, at)
        grants = _grants(session, document, person, at) if told.allowed else []
    reaches = known <= at
    filters = {"access": str(document), "to": str(person), "at": at.isoformat()}
    recorded = log.record(log.look(filters, 1))
    unknown = (
        f"The history of access begins on {known.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC; of before, nothing is known."
    )
    return PastAccess(
        document, person, called.today.get(person), names, at, known,
        allowed=told.allowed if reaches else None,
        reason=told.reason if reaches else "not known",
        explanation=told.text if reaches else unknown,
        grants=grants,
        recorded=recorded,
    )  # fmt: skip


def _require_person(session: Session, person: uuid.UUID, user: str) -> None:
    """Raise NotFound for an id of nobody, now or in the past, and InvalidInput for a service."""
    found = session.get(User, person)
    known = select(UserHistory.id).where(UserHistory.user_id == person).limit(1)
    if (found is not None and found.name.startswith("_")) or session.scalar(known) is None:
        raise NotFound(f"No user is named {user!r}, now or in any record.")
    if found is not None:
        refuse_service(found)


def _grants(session: Session, document: uuid.UUID, person: uuid.UUID, at: dt.datetime) -> list[ExposureGrant]:
    """The grants by which this person could read it then."""
    collections = [stay.collection for stay in document_stays(session, document, at, at + MOMENT)]
    readings = past_readings(session, document, at, at + MOMENT, person)
    return describe_grants(session, document, collections, [reading.grant for reading in readings], at + MOMENT)
