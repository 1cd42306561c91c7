"""Who was who, and which rule decided, at a moment of the past: out of the history that the database keeps."""

import datetime as dt
import uuid
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.rules import OwnRule, Rule
from app.acl.scopes import rule_of
from app.db.tables.access import Scope
from app.db.tables.history import (
    DocumentHistory,
    ScopeHistory,
    UserHistory,
    valid_at,
)
from app.identity.nesting import roles_at
from app.identity.subject import Label, Subject


class NotKnown(Exception):
    """The history says nothing of that moment: it is later than now, before the thing was there, or before it began."""


def subject_at(session: Session, subject: Subject, at: dt.datetime) -> Subject:
    """The person as they were: their roles, clearance and whether active. Raises NotKnown if they were not there."""
    person = session.scalar(
        select(UserHistory).where(UserHistory.user_id == subject.user_id, valid_at(UserHistory, at))
    )
    if person is None:
        raise NotKnown("this person was not here")
    if not person.active:
        raise NotKnown("this person was switched off")
    return replace(subject, roles=roles_at(session, subject.user_id, at), clearance=Label(person.clearance))


def rule_at(session: Session, document: uuid.UUID, at: dt.datetime) -> tuple[Rule, OwnRule | None]:
    """The rule under which a document stood, and its own part of it if its scope still stands.

    Raises NotKnown if it was not there then.
    """
    scope_id = session.scalar(
        select(DocumentHistory.scope_id).where(DocumentHistory.document == document, valid_at(DocumentHistory, at))
    )
    rule_id = session.scalar(
        select(ScopeHistory.rule_id).where(ScopeHistory.scope_id == scope_id, valid_at(ScopeHistory, at))
    )
    if rule_id is None:
        raise NotKnown("the document was not here")
    own = session.scalar(select(Scope.own_rule).where(Scope.id == scope_id))
    return rule_of(session, rule_id), None if own is None else OwnRule.from_json(own)


def collection_of(session: Session, document: uuid.UUID) -> uuid.UUID | None:
    """The collection on which a document stood last, also one that is gone: for its curators; None for anyone else."""
    last = select(DocumentHistory.collection_id).where(DocumentHistory.document == document)
    found: uuid.UUID | None = session.scalar(last.order_by(DocumentHistory.id.desc()).limit(1))
    return found


def began(session: Session) -> dt.datetime:
    """When the history began: with the first rule there ever was."""
    return session.scalars(select(func.min(ScopeHistory.valid_from))).one()
