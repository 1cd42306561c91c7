"""Records of changed rules, in the transaction that changes them."""

from sqlalchemy import select

from app.acl.placing import Place
from app.acl.policy import Change
from app.acl.rules import Subject
from app.answer.trail import actor
from app.audit.events import PolicyChanged
from app.audit.trail import record
from app.db.session import WriteSession
from app.db.tables.access import Collection, PolicyEpoch
from app.db.tables.people import User


def log_collection(session: WriteSession, subject: Subject, action: str, target: Collection, change: Change) -> None:
    """A collection's rule: before and after."""
    session.flush()
    _log(session, subject, action, f"collection:{target.id}", change)


def log_document(session: WriteSession, subject: Subject, place: Place, change: Change) -> None:
    """A document's own rule: before and after."""
    _log(session, subject, "document.ruled", f"document:{place.public_id}", change)


def log_curator(session: WriteSession, subject: Subject, action: str, target: Collection, person: User) -> None:
    """Who may curate a collection."""
    event = PolicyChanged(
        actor=actor(subject),
        action=action,
        target=f"collection:{target.id}",
        before=None,
        after={"user": str(person.id)},
        epoch=epoch(session),
    )
    record(session, event)


def epoch(session: WriteSession) -> int:
    """The policy epoch as this transaction leaves it."""
    return session.scalars(select(PolicyEpoch.number)).one()


def _log(session: WriteSession, subject: Subject, action: str, target: str, change: Change) -> None:
    event = PolicyChanged(
        actor=actor(subject),
        action=action,
        target=target,
        before=change.before.to_json(),
        after=change.after.to_json(),
        epoch=epoch(session),
    )
    record(session, event)
