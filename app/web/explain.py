"""GET /access/explain: why may a person read a document, or not."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from app.acl.explain import explain
from app.acl.people import find_user
from app.acl.rules import Capability
from app.acl.subject import subject_of
from app.acl.visible import visible_scopes
from app.errors import MissingCapability, NotFound
from app.retrieval.browse import curated, find_document
from app.web.access import Caller, Reading
from app.web.schemas import ExplainOut

router = APIRouter(tags=["access"])


@router.get("/access/explain")
def explain_access(
    subject: Caller,
    session: Reading,
    document: Annotated[uuid.UUID, Query()],
    user: Annotated[str | None, Query(description="unset: yourself")] = None,
) -> ExplainOut:
    """The grant that decides. A document that you may neither read nor curate is not there."""
    listed = find_document(session, subject, visible_scopes(session, subject), document)
    asked = subject
    if user not in {None, subject.name}:
        if listed.document.collection_id not in curated(subject) and Capability.ADMINISTER not in subject.capabilities:
            raise MissingCapability(
                "What others may read is for administrators and for the curators of the collection."
            )
        asked = subject_of(session, find_user(session, user or ""))
    found = explain(session, asked, document)
    if found is None:
        raise NotFound
    return ExplainOut(allowed=found.decision.allowed, reason=found.decision.reason, explanation=found.text)
