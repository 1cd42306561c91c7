"""POST /feedback: what an asker says of an answer."""

from fastapi import APIRouter

from app.answer.feedback import give_feedback
from app.web.api.answer_schemas import FeedbackBody, FeedbackOut
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf

router = APIRouter(tags=["ask"])


@router.post("/feedback", status_code=201)
def send_feedback(body: FeedbackBody, subject: AskerOrDelegate, parts: ComponentsOf) -> FeedbackOut:
    """Say whether a block of an answer of yours helped. Recorded in the audit log, without any text."""
    given = give_feedback(parts, subject, body.token, helpful=body.helpful, reason=body.reason)
    return FeedbackOut(record=given)
