"""Whom a query of the log means by a name: users of today, users as records name them, parts of ours, and models."""

import uuid
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.query import Choice, LogQuery, is_id
from app.db.tables.audit import AuditName, AuditTag
from app.db.tables.history import NameHistory
from app.db.tables.people import User
from app.errors import InvalidInput
from app.identity.names import parse_name

# What a query says of a model in place of its name.
PLACES = frozenset({"internal", "external"})
# Stands in `audit_name` for parts of ours.
NO_USER = uuid.UUID(int=0)


def with_ids(session: Session, query: LogQuery) -> LogQuery:
    """The query with ids in the place of names: of everybody who has the name or had it when something was recorded.

    The name of a part of ours, which is no user, stays. Raises InvalidInput for a name of nobody, and for a model of
    which no record tells; only who may read the log calls it.
    """
    for name in sorted((query.model.wanted | query.model.unwanted) - PLACES):
        recorded = select(AuditTag.seq).where(AuditTag.name == "model", AuditTag.value == name)
        if session.scalar(recorded.limit(1)) is None:
            raise InvalidInput(f"No record tells of a model {name!r}.")
    return replace(query, who=_with_ids(session, query.who), via=_with_ids(session, query.via))


def _with_ids(session: Session, choice: Choice) -> Choice:
    return Choice(*(frozenset(id for name in names for id in _ids(session, name)) for names in _sides(choice)))


def _sides(choice: Choice) -> tuple[frozenset[str], frozenset[str]]:
    return choice.wanted, choice.unwanted


def _ids(session: Session, name: str) -> set[str]:
    if is_id(name):
        return {name}
    source, own = parse_name(name)
    found = {str(id) for id in session.scalars(select(User.id).where(User.source == source, User.name == own))}
    known = session.scalars(select(AuditName.actor).where(AuditName.name == name).distinct())
    found |= {name if actor == NO_USER else str(actor) for actor in known}
    once = select(NameHistory.subject).where(NameHistory.name == name, NameHistory.kind == "user")
    found |= {str(user) for user in session.scalars(once)}
    if not found:
        raise InvalidInput(f"Nobody is named {name!r}, now or in any record.")
    return found
