"""Who may read at a place, why, and what changes it: a folder's and a document's rule; a document moved and deleted."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response

from app.admin.documents import delete_document, foresee_move, move_document
from app.admin.explain import explain_access, list_reach
from app.admin.place_access import document_access, folder_access
from app.admin.roles import list_roles
from app.db.paging import Page
from app.errors import MissingCapability
from app.web.console.library.words import rule_words
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Changing, ComponentsOf, CuratorCaller, Reading, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
# Roles that are offered by name; others can be typed.
MANY = 500
Path = Annotated[str, Query(max_length=4_000)]


@router.get("/collections/{name}/access")
def place_page(viewer: ViewerOf, session: Reading, listing: ListingOf, name: str, folder: Text = "") -> Response:
    """Who may read what comes to a collection or a folder, and what changes that."""
    place = folder_access(session, viewer.subject, name, folder, listing.page, rule_words(viewer))
    if viewer.part and not listing.first:
        return page(viewer, "library/reader_rows.html", {"names": place.names, "listing": listing})
    roles = list_roles(session, viewer.subject, Page(limit=MANY))
    return page(viewer, "library/access.html", {"place": place, "listing": listing, "roles": roles, "why": None})


@router.get("/documents/{document}/access")
def document_page(  # noqa: PLR0913  # each is a dependency of its own
    viewer: ViewerOf,
    subject: CuratorCaller,
    session: Reading,
    parts: ComponentsOf,
    listing: ListingOf,
    *,
    document: str,
    user: Text = "",
) -> Response:
    """Who may read a document, why a person may or may not, and what changes that: for the collection's curators."""
    wanted = public_id(document)
    place = document_access(session, subject, parts.checks, wanted, listing.page, rule_words(viewer))
    if viewer.part and not listing.first:
        return page(viewer, "library/reader_rows.html", {"names": place.names, "listing": listing})
    why = explain_access(session, subject, wanted, user=user) if user else None
    roles = list_roles(session, subject, Page(limit=MANY))
    values = {"place": place, "listing": listing, "roles": roles, "why": why, "user": user}
    return page(viewer, "library/access.html", values)


@router.get("/documents/{document}/move")
def foresee(viewer: ViewerOf, subject: CuratorCaller, parts: ComponentsOf, document: str, to: Path = "") -> Response:
    """Where a document stands; with a path, who would gain and lose it there."""
    wanted = public_id(document)
    with parts.database.reading(subject.user_id) as session:
        place = document_access(session, subject, parts.checks, wanted, Page(limit=1), rule_words(viewer))
    people = foresee_move(parts.database, subject, wanted, to) if to else None
    return page(viewer, "library/move.html", {"place": place, "to": to, "people": people})


@router.post("/documents/{document}/move")
def move(
    viewer: ViewerOf,
    subject: CuratorCaller,
    session: Changing,
    document: str,
    to: Annotated[str, Form(max_length=4_000)],
) -> Response:
    """Move a document within its collection."""
    move_document(session, subject, public_id(document), to)
    return go_to(viewer, f"/documents/{public_id(document)}/access")


@router.get("/documents/{document}/delete")
def confirm(viewer: ViewerOf, subject: CuratorCaller, session: Reading, parts: ComponentsOf, document: str) -> Response:
    """What would go with a document."""
    place = document_access(session, subject, parts.checks, public_id(document), Page(limit=1), rule_words(viewer))
    return page(viewer, "library/delete.html", {"place": place})


@router.post("/documents/{document}/delete")
def delete(
    viewer: ViewerOf,
    subject: CuratorCaller,
    session: Changing,
    document: str,
) -> Response:
    """Delete a document and all that was derived from it."""
    collection = delete_document(session, subject, public_id(document))
    return go_to(viewer, f"/collections/{quote(collection, safe='')}")


@router.get("/reach")
def reach(viewer: ViewerOf, session: Reading, listing: ListingOf, user: Text = "", role: Text = "") -> Response:
    """How many documents of each collection a person, or a role, may read: for who rules a collection."""
    found = None
    if user or role:
        found = list_reach(session, viewer.subject, listing.page, user=user or None, role=role or None)
    elif not (viewer.curates or viewer.may("administer")):
        raise MissingCapability("What others may read is for administrators and for the curators of a collection.")
    return page(viewer, "library/reach.html", {"found": found, "user": user, "role": role, "listing": listing})
