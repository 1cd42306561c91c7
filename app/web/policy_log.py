"""Records of changed rules, in the transaction that changes them."""

import uuid

from sqlalchemy import select

from app.acl.rule_changes import Change
from app.acl.sync import Moved
from app.audit.actor import actor
from app.audit.events import DocumentDeleted, PolicyChanged, RoleJoined, RoleLeft
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables.access import Collection, PolicyEpoch
from app.db.tables.people import Role, User
from app.identity.subject import Subject


def log_collection(session: WriteSession, subject: Subject, action: str, target: Collection, change: Change) -> None:
    """A collection's rule: before and after."""
    session.flush()
    _log(session, subject, action, f"collection:{target.id}", change)


def log_folder(
    session: WriteSession, subject: Subject, action: str, target: Collection, path: str, change: Change
) -> None:
    """A folder's rule: before and after. The path is an administrator's word, like a collection's name."""
    _log(session, subject, action, f"collection:{target.id}/{path}", change)


def log_document(session: WriteSession, subject: Subject, document: uuid.UUID, change: Change) -> None:
    """A document's own rule: before and after."""
    _log(session, subject, "document.ruled", f"document:{document}", change)


def log_move(session: WriteSession, subject: Subject, moved: Moved) -> None:
    """A document's whole rule in its old place and in its new one. No path: an auditor reads the log alone."""
    _log(session, subject, "document.moved", f"document:{moved.document}", moved.change)


def log_removal(
    session: WriteSession, subject: Subject, collection: uuid.UUID, document: uuid.UUID, version: uuid.UUID
) -> None:
    """A document that goes, with all that was derived from it."""
    record(session, DocumentDeleted(actor=actor(subject), document=document, version=version, collection=collection))


def log_member(session: WriteSession, subject: Subject, user: uuid.UUID, role: uuid.UUID, *, present: bool) -> None:
    """Who came into a role or left it."""
    kind = RoleJoined if present else RoleLeft
    record(session, kind(actor=actor(subject), role=role, user=user, epoch=epoch(session)))


def log_steward(session: WriteSession, subject: Subject, action: str, role: Role, person: User) -> None:
    """Who looks after a role."""
    _log_person(session, subject, action, f"role:{role.id}", person)


def log_curator(session: WriteSession, subject: Subject, action: str, target: Collection, person: User) -> None:
    """Who may curate a collection."""
    _log_person(session, subject, action, f"collection:{target.id}", person)


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


def _log_person(session: WriteSession, subject: Subject, action: str, target: str, person: User) -> None:
    event = PolicyChanged(
        actor=actor(subject),
        action=action,
        target=target,
        before=None,
        after={"user": str(person.id)},
        epoch=epoch(session),
    )
    record(session, event)
