"""Queries of the log that an auditor keeps under a name, for themselves alone."""

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit.query import LogQueryError, parse
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.evidence import SavedQuery
from app.errors import Conflict, InvalidInput, NotFound
from app.identity.subject import Capability, Subject, require_capability

MAX_QUERIES = 50


@dataclass(frozen=True)
class SavedQueryView:
    """A query under its name, as it was written."""

    id: uuid.UUID
    name: str
    q: str


def list_saved_queries(session: Session, subject: Subject, page: Page) -> list[SavedQueryView]:
    """The auditor's own, by name (audit)."""
    require_capability(subject, Capability.AUDIT)
    query = select(SavedQuery.id, SavedQuery.name, SavedQuery.q)
    return [SavedQueryView(*row) for row in page.rows(session, query, [SavedQuery.name])]


def save_query(session: WriteSession, subject: Subject, name: str, q: str) -> SavedQueryView:
    """Keep a query under this name, in the place of one that has it (audit).

    Whom its names mean is looked up when it is asked. Raises InvalidInput for what is no query or says nothing, and
    Conflict for one too many.
    """
    require_capability(subject, Capability.AUDIT)
    name = name.strip()
    if not name or not name.isprintable():
        raise InvalidInput("Give the query a name of printable characters.")
    try:
        text = parse(q).text
    except LogQueryError as error:
        raise InvalidInput(str(error)) from None
    if not text:
        raise InvalidInput("The query asks for everything: there is nothing to keep.")
    others = select(func.count()).select_from(SavedQuery).where(SavedQuery.name != name)
    if (session.scalar(others) or 0) >= MAX_QUERIES:
        raise Conflict(f"You keep {MAX_QUERIES} queries already: remove one first.")
    made = insert(SavedQuery).values(user_id=subject.user_id, name=name, q=text)
    made = made.on_conflict_do_update(index_elements=["user_id", "name"], set_={"q": text})
    return SavedQueryView(session.execute(made.returning(SavedQuery.id)).scalar_one(), name, text)


def remove_saved_query(session: WriteSession, subject: Subject, query: uuid.UUID) -> None:
    """Remove one of one's own (audit); raises NotFound."""
    require_capability(subject, Capability.AUDIT)
    if session.scalar(delete(SavedQuery).where(SavedQuery.id == query).returning(SavedQuery.id)) is None:
        raise NotFound
