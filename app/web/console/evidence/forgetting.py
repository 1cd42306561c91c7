"""Erasures of people, which take two, and legal holds, which keep what they are of."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.admin.erasures import decide_erasure, list_erasures, request_erasure
from app.admin.legal_holds import lift_hold, list_holds, place_hold
from app.admin.reasons import MAX_REASON
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Changing, Desk, Eraser, ErasureReader, HoldPlacer, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])

Reason = Annotated[str, Form(max_length=MAX_REASON)]


@router.get("/erasures")
def erasures(viewer: ViewerOf, subject: ErasureReader, session: Reading, listing: ListingOf) -> Response:
    """Who was to be erased, newest first, and what went."""
    values = {"erasures": list_erasures(session, subject, listing.page), "listing": listing}
    return page(viewer, "evidence/erasure_rows.html" if viewer.part else "evidence/erasures.html", values)


@router.post("/erasures")
def request(
    viewer: ViewerOf,
    subject: Eraser,
    session: Writing,
    reason: Reason,
    user: Annotated[str, Form(max_length=300)] = "",
    document: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Ask to erase a person who is switched off, or what kept answers hold of a document."""
    of: uuid.UUID | None = public_id(document) if document else None
    asked = request_erasure(session, subject, user=user or None, document=of, reason=reason)
    return go_to(viewer, f"/erasures#erasure-{asked.id}")


@router.post("/erasures/{erasure}/decide")
def decide(
    viewer: ViewerOf,
    subject: Eraser,
    session: Changing,
    erasure: str,
    approved: Annotated[Literal["yes", "no"], Form()],
) -> Response:
    """Approve of what somebody else asked for, and erase the person with it, or refuse it."""
    decide_erasure(session, subject, public_id(erasure), approved=approved == "yes")
    return go_to(viewer, f"/erasures#erasure-{public_id(erasure)}")


@router.get("/holds")
def holds(viewer: ViewerOf, subject: Desk, session: Reading, listing: ListingOf) -> Response:
    """Legal holds, newest first."""
    values = {"holds": list_holds(session, subject, listing.page), "listing": listing}
    return page(viewer, "evidence/hold_rows.html" if viewer.part else "evidence/holds.html", values)


@router.post("/holds")
def place(
    viewer: ViewerOf,
    subject: HoldPlacer,
    session: Writing,
    reason: Reason,
    user: Annotated[str, Form(max_length=300)] = "",
    document: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Put a hold on a person, by name, or on a document, by id."""
    of: uuid.UUID | None = public_id(document) if document else None
    hold = place_hold(session, subject, user=user or None, document=of, reason=reason)
    return go_to(viewer, f"/holds#hold-{hold.id}")


@router.post("/holds/{hold}/lift")
def lift(viewer: ViewerOf, subject: HoldPlacer, session: Writing, hold: str) -> Response:
    """Lift a hold."""
    lift_hold(session, subject, public_id(hold))
    return go_to(viewer, f"/holds#hold-{public_id(hold)}")
