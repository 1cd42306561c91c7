"""The permission debugger: a person, a document, a moment; every rule that was looked at, and which one decided."""

import re
import uuid

from fastapi import APIRouter, Response

from app.admin.access_decision import access_decision
from app.errors import InvalidInput
from app.web.console.fields import moment_utc
from app.web.console.listing import Text
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Caller, Reading
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@router.get("/access")
def access(
    viewer: ViewerOf, subject: Caller, session: Reading, document: Text = "", user: Text = "", at: Text = ""
) -> Response:
    """Why somebody may or may not read a document, for who may change its rules. Without both, what to give."""
    found = None
    if document.strip() and user.strip():
        at_moment = moment_utc(at, "at")
        found = access_decision(session, subject, document_id(document), user.strip(), at_moment)
    values = {"decision": found, "document": document, "user": user, "at": at}
    return page(viewer, "company/access.html", values)


def document_id(text: str) -> uuid.UUID:
    """The id in what somebody pasted: the id itself, or the address of the document's page. Raises InvalidInput."""
    found = UUID.search(text)
    if found is None:
        raise InvalidInput("Give the document by its address, or by its id.")
    return uuid.UUID(found[0])
