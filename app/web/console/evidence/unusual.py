"""Days on which people were shown far more documents than is usual: what to look at, and compared with what."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.admin.unusual import show_unusual
from app.errors import InvalidInput, NotFound
from app.web.console.evidence.shown import day_begin
from app.web.console.listing import ListingOf
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import AuditLogOf
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Text = Annotated[str, Query(max_length=200)]


@router.get("/unusual")
def unusual(  # three are fields of the form
    viewer: ViewerOf,
    log: AuditLogOf,
    listing: ListingOf,
    *,
    user: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """Unusual days of everybody or of one person, newest first; recorded. Without a beginning, of the last week."""
    found, trouble = None, None
    asked = {"user": user.strip(), "since": since.strip(), "until": until.strip()}
    try:
        first, end = day_begin(asked["since"]), day_begin(asked["until"])
        found = show_unusual(log, listing.page, user=asked["user"] or None, since=first, until=end)
    except (InvalidInput, NotFound) as error:
        # Beside the form, which stays as it was filled in.
        trouble = error
    values = {"asked": asked, "found": found, "trouble": trouble, "listing": listing, "next_day": next_day}
    if viewer.part:
        return page(viewer, "evidence/unusual_rows.html", values)
    return page(viewer, "evidence/unusual.html", values, status=trouble.status if trouble else 200)


def next_day(day: dt.date) -> str:
    """The day behind this one, as a field of a form holds it."""
    return (day + dt.timedelta(days=1)).isoformat()
