"""The records of changes of access, written in the transaction that makes the change."""

import uuid

from sqlalchemy import select

from app.acl.rule_changes import Change
from app.audit.actor import actor
from app.audit.events.directory import PolicyChanged
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables.access import PolicyEpoch
from app.evidence.merkle import Json
from app.identity.subject import Subject


def record_rule(session: WriteSession, subject: Subject, action: str, target: str, change: Change) -> None:
    """A rule before and after; `target` names by id, but a folder by its path, which is an administrator's word."""
    _record(session, subject, action, target, change.before.to_json(), change.after.to_json())


def record_person(session: WriteSession, subject: Subject, action: str, target: str, person: uuid.UUID) -> None:
    """Who became or ceased to be a curator or steward of the target."""
    _record(session, subject, action, target, None, {"user": str(person)})


def policy_epoch(session: WriteSession) -> int:
    """The policy epoch as this transaction has it so far."""
    session.flush()
    return session.scalars(select(PolicyEpoch.number)).one()


def _record(session: WriteSession, subject: Subject, action: str, target: str, before: Json, after: Json) -> None:
    epoch = policy_epoch(session)
    event = PolicyChanged(actor=actor(subject), action=action, target=target, before=before, after=after, epoch=epoch)
    record(session, event)
