"""POST /feedback: what an asker says of an answer."""

from fastapi import APIRouter, Response

from app.answer.feedback import give_feedback
from app.web.api.answer_schemas import FeedbackBody
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf

router = APIRouter(tags=["ask"])


@router.post("/feedback", status_code=204)
def send_feedback(body: FeedbackBody, subject: AskerOrDelegate, parts: ComponentsOf) -> Response:
    """Say whether a block of an answer of yours helped. Recorded in the audit log, without any text."""
    give_feedback(parts, subject, body.token, helpful=body.helpful, reason=body.reason)
    return Response(status_code=204)
