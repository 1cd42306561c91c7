"""Which rule decided at a moment of the past: out of the history that the database keeps."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.rule_store import rule_of
from app.acl.rules import OwnRule, Rule
from app.db.tables.access import Scope
from app.db.tables.history import DocumentHistory, ScopeHistory, valid_at
from app.identity.past import NotKnown


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
