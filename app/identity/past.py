"""Who somebody was at a moment of the past, out of the history that the database keeps."""

import datetime as dt
import uuid
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables.history import UserHistory, valid_at
from app.identity.nesting import roles_at
from app.identity.subject import Label, Subject


class NotKnown(Exception):
    """The history says nothing of that moment: it is later than now, before the thing was there, or before it began."""


def subject_at(session: Session, subject: Subject, at: dt.datetime) -> Subject:
    """The person with the roles and clearance that they had then. Raises NotKnown for one who was not active."""
    then = session.scalar(select(UserHistory).where(UserHistory.user_id == subject.user_id, valid_at(UserHistory, at)))
    if then is None:
        raise NotKnown("this person was not here")
    if not then.active:
        raise NotKnown("this person was switched off")
    return replace(subject, roles=roles_at(session, subject.user_id, at), clearance=Label(then.clearance))


def recorded_subject(person: uuid.UUID, name: str) -> Subject:
    """Somebody who may be gone, with nothing but the id and a name: `subject_at` says who they were."""
    nothing = frozenset[uuid.UUID]()
    return Subject(person, name, nothing, Label.PUBLIC, frozenset(), nothing, person, "")
