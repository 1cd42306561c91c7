"""After a document was shared too widely: who had it and who could have had it, to be printed for a notice."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.admin.exposure import report_exposure
from app.errors import InvalidInput, NotFound
from app.web.console.evidence.shown import day_begin, document_id
from app.web.console.evidence.words import WAY_WORDS
from app.web.console.listing import ListingOf
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import AuditLogOf
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Text = Annotated[str, Query(max_length=200)]
# On paper nothing is clicked.
PEOPLE = 1_000


@router.get("/exposure")
def exposure(  # three are fields of the form
    viewer: ViewerOf,
    log: AuditLogOf,
    listing: ListingOf,
    *,
    document: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """People who were shown a document or could have read it, and why; recorded. Without a day, the form alone."""
    found, trouble = None, None
    asked = {"document": document.strip(), "since": since.strip(), "until": until.strip()}
    listing.limit = PEOPLE
    try:
        named, first = document_id(asked["document"]), day_begin(asked["since"])
        if named is not None and first is not None:
            last = day_begin(asked["until"])
            found = report_exposure(log, listing.page, document=named, since=first, until=last)
    except (InvalidInput, NotFound) as error:
        # Beside the form, which stays as it was filled in.
        trouble = error
    values = {"asked": asked, "found": found, "trouble": trouble, "listing": listing, "ways": WAY_WORDS}
    if viewer.part:
        return page(viewer, "evidence/exposure_rows.html", values)
    return page(viewer, "evidence/exposure.html", values, status=trouble.status if trouble else 200)
