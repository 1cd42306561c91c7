"""How long records of the log are kept: rules, which take two people."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.admin.reasons import MAX_REASON
from app.admin.retention import LABELS, MAX_DAYS, MIN_DAYS, PRUNABLE_KINDS, decide_rule, list_rules, request_rule
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Changing, Eraser, ErasureReader, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])


@router.get("/retention")
def rules(viewer: ViewerOf, subject: ErasureReader, session: Reading, listing: ListingOf) -> Response:
    """Rules of how long records are kept, newest first, and what they removed."""
    values = {
        "rules": list_rules(session, subject, listing.page),
        "listing": listing,
        "kinds": PRUNABLE_KINDS,
        "labels": LABELS,
        "days": (MIN_DAYS, MAX_DAYS),
    }
    return page(viewer, "evidence/retention_rows.html" if viewer.part else "evidence/retention.html", values)


@router.post("/retention")
def request(
    viewer: ViewerOf,
    subject: Eraser,
    session: Writing,
    records: Annotated[str, Form(max_length=100)],
    reason: Annotated[str, Form(max_length=MAX_REASON)],
    days: Annotated[int | Literal[""], Form()] = "",
) -> Response:
    """Ask for a rule, for records of a kind, or of a kind and a label with a colon between; without days: for ever."""
    kind, _, label = records.partition(":")
    asked = request_rule(session, subject, kind=kind, label=label or None, days=days or None, reason=reason)
    return go_to(viewer, f"/retention#rule-{asked.id}")


@router.post("/retention/{rule}/decide")
def decide(
    viewer: ViewerOf,
    subject: Eraser,
    session: Changing,
    rule: str,
    approved: Annotated[Literal["yes", "no"], Form()],
) -> Response:
    """Approve of a rule that somebody else asked for, or refuse it."""
    decide_rule(session, subject, public_id(rule), approved=approved == "yes")
    return go_to(viewer, f"/retention#rule-{public_id(rule)}")
