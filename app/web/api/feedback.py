"""What askers say of answers: said by them, and listed for the curators of what these were made from."""

from fastapi import APIRouter

from app.admin.feedback import list_feedback
from app.answer.feedback import give_feedback
from app.web.api.answer_schemas import FeedbackBody, FeedbackEntryOut, FeedbackOut
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf, CuratorCaller, Reading
from app.web.http.paging import PageOf

router = APIRouter(tags=["ask"])


@router.post("/feedback", status_code=201)
def send_feedback(body: FeedbackBody, subject: AskerOrDelegate, parts: ComponentsOf) -> FeedbackOut:
    """Say whether an answer of yours, or a block of it, helped. Recorded without any text, and kept for the curators of
    its documents, who do not learn who said it.
    """
    given = give_feedback(parts, subject, body.token, helpful=body.helpful, reason=body.reason, question=body.question)
    return FeedbackOut(record=given)


@router.get("/feedback")
def feedback(
    subject: CuratorCaller, session: Reading, parts: ComponentsOf, page: PageOf, collection: str
) -> list[FeedbackEntryOut]:
    """What was said of answers made from a collection that you curate, newest first, without who said it."""
    found = list_feedback(session, subject, parts.checks, page, collection=collection)
    return [FeedbackEntryOut.model_validate(entry) for entry in found]
