"""Openings of sealed words: asked for, decided on, listed."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.admin.reasons import MAX_REASON
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import OpeningsOf, WordOpeningsOf, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])


@router.get("/openings")
def openings(viewer: ViewerOf, openings: OpeningsOf, listing: ListingOf) -> Response:
    """All that was asked for, newest first."""
    values = {"openings": openings.list_page(listing.page), "listing": listing}
    return page(viewer, "evidence/opening_rows.html" if viewer.part else "evidence/openings.html", values)


@router.post("/openings")
def request(
    viewer: ViewerOf,
    openings: WordOpeningsOf,
    record: Annotated[str, Form(max_length=100)],
    reason: Annotated[str, Form(max_length=MAX_REASON)],
) -> Response:
    """Ask for the words of a record and its trail; where nobody has to approve, go on to them."""
    requested = openings.request(reason, of=public_id(record))
    if requested.state == "approved":
        return go_to(viewer, f"/log/{requested.seq}?opening={requested.id}")
    return go_to(viewer, f"/openings#opening-{requested.id}")


@router.post("/openings/{opening}/decide")
def decide(
    viewer: ViewerOf, openings: WordOpeningsOf, opening: str, approved: Annotated[Literal["yes", "no"], Form()]
) -> Response:
    """Approve of what somebody else asked for, or refuse it."""
    openings.decide(public_id(opening), approved=approved == "yes")
    return go_to(viewer, f"/openings#opening-{public_id(opening)}")
