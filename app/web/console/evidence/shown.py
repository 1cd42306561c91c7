"""Who was shown a document, and what a person was shown; and the receipt of one answer, to be taken elsewhere."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.admin.audit_proofs import AuditProofs
from app.admin.shown import show_sightings
from app.errors import InvalidInput, NotFound
from app.web.api.audit_proofs import receipt_file
from app.web.console.listing import ListingOf
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import AuditLogOf, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Text = Annotated[str, Query(max_length=200)]


@router.get("/shown")
def shown(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    log: AuditLogOf,
    listing: ListingOf,
    *,
    document: Text = "",
    user: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """People and documents, last shown first, for a document or a person; recorded. Without either, the form alone."""
    found, trouble = None, None
    asked = {"document": document.strip(), "user": user.strip(), "since": since.strip(), "until": until.strip()}
    if asked["document"] or asked["user"]:
        try:
            found = show_sightings(
                log,
                listing.page,
                document=document_id(asked["document"]),
                user=asked["user"] or None,
                since=day_begin(asked["since"]),
                until=day_begin(asked["until"]),
            )
        except (InvalidInput, NotFound) as error:
            # Beside the form, which stays as it was filled in.
            trouble = error
    values = {"asked": asked, "found": found, "trouble": trouble, "listing": listing}
    if viewer.part:
        return page(viewer, "evidence/shown_rows.html", values)
    return page(viewer, "evidence/shown.html", values, status=trouble.status if trouble else 200)


@router.get("/receipts/{trail}")
def receipt(log: AuditLogOf, trail: str) -> Response:
    """What proves one answer to a stranger, to be saved; recorded. Without anybody's words."""
    return receipt_file(public_id(trail), AuditProofs(log).receipt(public_id(trail)))


def document_id(text: str) -> uuid.UUID | None:
    """The id that a field holds, if anything; raises InvalidInput."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise InvalidInput("That is no id of a document. Its page and the records of the log have it.") from None


def day_begin(text: str) -> dt.datetime | None:
    """The beginning of the day in UTC that a field holds, if anything; raises InvalidInput."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC) if text else None
    except ValueError:
        raise InvalidInput("That is no day: write it as 2026-11-01.") from None
