"""What askers say of an answer they were given: whether a block helped. Recorded without any text."""

import uuid

from app.answer.components import Components
from app.audit.actor import actor
from app.audit.events.answers import AnswerFeedback, FeedbackReason
from app.audit.log import record
from app.identity.subject import Capability, Subject, require_capability


def give_feedback(
    parts: Components, subject: Subject, token: str, *, helpful: bool, reason: FeedbackReason | None
) -> uuid.UUID:
    """Record what the asker of an answer says of one of its blocks, and return the record's id; raises NotFound for any
    other caller or token.
    """
    require_capability(subject, Capability.ASK)
    trail, block = parts.feedback.read(subject.user_id, token)
    event = AnswerFeedback(actor=actor(subject), trail=trail, block=block, helpful=helpful, reason=reason)
    with parts.database.writing(subject.user_id) as session:
        return record(session, event)
