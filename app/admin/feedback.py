"""What askers said of answers, for the curators of the collections that these were made from."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.visible import visible_scopes
from app.db.paging import Page
from app.db.session import ReadSession
from app.db.tables.access import Scope
from app.db.tables.feedback import AnswerFeedback, AnswerFeedbackSource
from app.guardrail.check import Check
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.identity.subject import Subject, require_curator
from app.retrieval.browse import find_collection, places_of


@dataclass(frozen=True)
class FeedbackSource:
    """A document that an answer was made from; its path is redacted."""

    document: uuid.UUID
    path: str


@dataclass(frozen=True)
class FeedbackEntry:
    """What somebody said of an answer, or of one of its quotes, and of which documents of the collection.

    `question` is what was asked, where the asker shared it, redacted.
    """

    id: uuid.UUID
    at: dt.datetime
    helpful: bool
    reason: str | None
    question: str | None
    sources: tuple[FeedbackSource, ...]


def list_feedback(
    session: ReadSession, subject: Subject, checks: Iterable[Check], page: Page, *, collection: str
) -> list[FeedbackEntry]:
    """What was said of answers made from documents of this collection, newest first, without who said it.

    Raises NotFound, and MissingCapability for who does not curate the collection.
    """
    found = find_collection(session, subject, visible_scopes(session, subject), collection)
    require_curator(subject, found.id)
    row, source = AnswerFeedback, AnswerFeedbackSource
    here = select(source.feedback_id).join(Scope, Scope.id == source.scope_id).where(Scope.collection_id == found.id)
    query = select(row.id, row.at, row.helpful, row.reason, row.words).where(row.id.in_(here))
    rows = page.rows(session, query, [row.at, row.id], descending=True)
    clean = Redactor(Redaction(tuple(checks)))
    behind = _sources(session, subject, found.id, [entry[0] for entry in rows], clean)
    return [
        FeedbackEntry(feedback, at, helpful, reason, words and clean(words), tuple(behind.get(feedback, ())))
        for feedback, at, helpful, reason, words in rows
    ]


def _sources(
    session: Session, subject: Subject, collection_id: uuid.UUID, entries: Sequence[uuid.UUID], clean: Redactor
) -> dict[uuid.UUID, list[FeedbackSource]]:
    """The documents of this collection behind each of these, in the order of their paths."""
    source = AnswerFeedbackSource
    rows = session.execute(select(source.feedback_id, source.document_id).where(source.feedback_id.in_(entries))).all()
    places = places_of(session, subject, collection_id, {document for _, document in rows})
    found: dict[uuid.UUID, list[FeedbackSource]] = {}
    for entry, document in sorted(rows, key=lambda row: places.get(row.document_id, (None, ""))[1]):
        if document in places:
            public_id, path = places[document]
            found.setdefault(entry, []).append(FeedbackSource(public_id, clean(path)))
    return found
