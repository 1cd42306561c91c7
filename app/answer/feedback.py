"""What askers say of an answer they were given: whether it, or a block of it, helped. Recorded without any text, and
kept for the curators of what it was made from.
"""

import uuid

from sqlalchemy import delete, insert

from app.acl.visible import visible_scopes
from app.answer.components import Components
from app.audit.actor import actor
from app.audit.events.answers import AnswerFeedback, FeedbackReason
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables import feedback as tables
from app.guardrail.credentials import mask_credentials
from app.identity.subject import Capability, Subject, require_capability, require_in_person
from app.retrieval.browse import readable_documents


def give_feedback(  # what is said, of what, by whom
    parts: Components,
    subject: Subject,
    token: str,
    *,
    helpful: bool,
    reason: FeedbackReason | None,
    question: str | None = None,
) -> uuid.UUID:
    """Record what the asker of an answer says of it or of one of its blocks, in the place of what they said before, and
    return the record's id. Raises NotFound for any other caller or token.

    `question` is what was asked, if the curators of the documents may read it: only its asker in person can say so.
    """
    require_capability(subject, Capability.ASK)
    if question is not None:
        require_in_person(subject)
    trail, block, documents = parts.feedback.read(subject.user_id, token)
    event = AnswerFeedback(actor=actor(subject), trail=trail, block=block, helpful=helpful, reason=reason)
    words = None if question is None else mask_credentials(question).text
    said = {"trail": trail, "block": block, "helpful": helpful, "reason": reason, "words": words}
    with parts.database.writing(subject.user_id) as session:
        _keep(session, subject, said, documents)
        return record(session, event)


def _keep(session: WriteSession, subject: Subject, said: dict[str, object], documents: frozenset[uuid.UUID]) -> None:
    """Keep it with those of the documents that the asker may still read."""
    row, source = tables.AnswerFeedback, tables.AnswerFeedbackSource
    session.execute(delete(row).where(row.trail == said["trail"], row.block == said["block"]))
    mine = {"id": uuid.uuid4(), "user_id": subject.user_id}
    session.execute(insert(row).values(**mine, **said).inline())
    places = readable_documents(session, visible_scopes(session, subject), documents)
    for document, scope in sorted(places.items()):
        values = {"feedback_id": mine["id"], "document_id": document, "scope_id": scope, "user_id": subject.user_id}
        session.execute(insert(source).values(**values).inline())
