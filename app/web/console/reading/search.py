"""Searching: while somebody types, and as a page with an address of its own."""

from fastapi import APIRouter, Response

from app.admin.collections import list_collections
from app.answer.search import SearchRequest, search_documents
from app.db.paging import Page
from app.errors import UnreadableSearch
from app.web.console.fields import chosen, day_start
from app.web.console.listing import Text
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Asker, ComponentsOf
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
HITS = 20
MANY = 200


@router.get("/search")
def search(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    subject: Asker,
    parts: ComponentsOf,
    *,
    q: Text = "",
    collection: Text = "",
    folder: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """Passages for these words. Without words, how to search."""
    found, trouble = None, ""
    if q.strip():
        request = SearchRequest(
            text=q,
            limit=HITS,
            collections=chosen([collection]),
            folder=folder,
            since=day_start(since, "since"),
            until=day_start(until, "until"),
        )
        try:
            found = search_documents(parts, subject, request)
        except UnreadableSearch as error:
            # Half a phrase, while somebody types: say what is missing where the hits would be.
            trouble = error.detail
    values = {"q": q, "found": found, "trouble": trouble}
    if viewer.part:
        return page(viewer, "reading/hits.html", values)
    with parts.database.reading(subject.user_id) as session:
        collections = list_collections(session, subject, Page(limit=MANY))
    form = {"collection": collection, "folder": folder, "since": since, "until": until}
    return page(viewer, "reading/search.html", {**values, "form": form, "collections": collections})
