"""Access reviews: opened for a collection, gone through grant by grant, closed with what was seen before."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.admin import access_review_close as closing
from app.admin import access_reviews as admin
from app.admin.rules import editable_collections
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Caller, Changing, ComponentsOf, Reading, Writing, public_id
from app.web.http.files import attachment
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Said = Literal["", "keep", "withdraw"]


@router.get("/reviews")
def reviews(viewer: ViewerOf, subject: Caller, session: Reading, listing: ListingOf) -> Response:
    """The reviews of collections whose rules are the viewer's to change, newest first."""
    found = admin.list_reviews(session, subject, listing.page)
    values = {"reviews": found, "listing": listing}
    if viewer.part:
        return page(viewer, "company/review_rows.html", values)
    collections = [collection.name for collection in editable_collections(session, subject)]
    return page(viewer, "company/reviews.html", {**values, "collections": collections})


@router.post("/reviews")
def open_review(
    viewer: ViewerOf,
    subject: Caller,
    session: Writing,
    collection: Annotated[str, Form(min_length=1, max_length=200)],
    title: Annotated[str, Form(min_length=1, max_length=200)],
) -> Response:
    """Open one of all grants of a collection as they stand."""
    made = admin.open_review(session, subject, collection, title)
    return go_to(viewer, f"/reviews/{made.id}")


@router.get("/reviews/{review}")
def review(
    viewer: ViewerOf,
    subject: Caller,
    session: Reading,
    listing: ListingOf,
    review: str,
    undecided: Literal["", "yes"] = "",
) -> Response:
    """One review: its grants, each with what was said of it."""
    wanted = public_id(review)
    items = admin.list_review_items(session, subject, wanted, listing.page, undecided=bool(undecided))
    values = {"review": admin.get_review(session, subject, wanted), "items": items, "listing": listing}
    if viewer.part:
        return page(viewer, "company/review_items.html", values)
    return page(viewer, "company/review.html", {**values, "undecided": undecided})


@router.post("/reviews/{review}/items/{item}")
def decide(
    viewer: ViewerOf,
    subject: Caller,
    session: Writing,
    review: str,
    item: str,
    decision: Annotated[Said, Form()] = "",
) -> Response:
    """Say of a grant that it stays, or goes; or nothing any more."""
    decided = admin.decide_item(session, subject, public_id(review), public_id(item), decision or None)
    if viewer.part:
        values = {"review": admin.get_review(session, subject, public_id(review)), "item": decided}
        return page(viewer, "company/review_item.html", values)
    return go_to(viewer, f"/reviews/{public_id(review)}#item-{decided.id}")


@router.get("/reviews/{review}/close")
def preview_close(viewer: ViewerOf, subject: Caller, parts: ComponentsOf, review: str) -> Response:
    """What closing would do: who loses how many documents."""
    wanted = public_id(review)
    found = closing.preview_close(parts.database, subject, wanted)
    return page(viewer, "company/review_close.html", {"id": wanted, "preview": found})


@router.post("/reviews/{review}/close")
def close(
    viewer: ViewerOf,
    subject: Caller,
    session: Changing,
    review: str,
    fingerprint: Annotated[str, Form(min_length=64, max_length=64)],
) -> Response:
    """Take away what was seen to go, and keep who decided what."""
    closing.close_review(session, subject, public_id(review), fingerprint=fingerprint)
    return go_to(viewer, f"/reviews/{public_id(review)}")


@router.get("/reviews/{review}/manifest")
def manifest(subject: Caller, session: Reading, review: str) -> Response:
    """Who decided what, to be saved: the text whose SHA-256 the log has."""
    wanted = public_id(review)
    return attachment(f"access-review-{wanted}.json", admin.review_manifest(session, subject, wanted))
