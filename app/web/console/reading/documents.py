"""Documents for who may read them: a list, and one with its text, whole or beside a page at one of its passages."""

from fastapi import APIRouter, Response

from app.admin.collections import list_collections
from app.answer import documents as reading
from app.db.paging import Page
from app.retrieval.document_list import DocumentFilter
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import CallerOrDelegate, ComponentsOf, Reading
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE], include_in_schema=False)
MANY = 200


@router.get("/documents")
def documents(
    viewer: ViewerOf,
    subject: CallerOrDelegate,
    session: Reading,
    parts: ComponentsOf,
    listing: ListingOf,
    collection: Text = "",
) -> Response:
    """The documents that the viewer may read, by collection and path."""
    found = reading.list_documents(session, subject, parts.checks, listing.page, DocumentFilter(collection or None))
    values = {"documents": found, "listing": listing, "collection": collection}
    if viewer.part and not listing.first:
        return page(viewer, "reading/document_rows.html", values)
    collections = list_collections(session, subject, Page(limit=MANY))
    return page(viewer, "reading/documents.html", {**values, "collections": collections})
