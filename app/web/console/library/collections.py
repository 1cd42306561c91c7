"""Collections: the list, and one with its folders, the rule at each, and its documents."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.collection_rows import describe_collections
from app.admin.collection_tree import collection_tree
from app.admin.collections import get_collection
from app.admin.document_rows import list_curated_documents
from app.admin.feedback import list_feedback
from app.answer.documents import list_documents
from app.identity.subject import may_edit_rules
from app.paths import folders_of
from app.retrieval.browse import curated
from app.retrieval.document_list import DocumentFilter, DocumentOrder
from app.web.console.library.words import rule_words
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import ComponentsOf, CuratorCaller, Reading
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])


@router.get("/collections")
def collections(viewer: ViewerOf, session: Reading, listing: ListingOf) -> Response:
    """The collections that the viewer may read from or curate; all of them for an administrator."""
    found = describe_collections(session, viewer.subject, listing.page, rule_words(viewer))
    template = "collection_rows.html" if viewer.part and not listing.first else "collections.html"
    return page(viewer, f"library/{template}", {"collections": found, "listing": listing})


@router.get("/collections/{name}/feedback")
def feedback(
    viewer: ViewerOf, subject: CuratorCaller, session: Reading, parts: ComponentsOf, listing: ListingOf, name: str
) -> Response:
    """What was said of answers made from it, for its curators, without who said it."""
    found = list_feedback(session, subject, parts.checks, listing.page, collection=name)
    values = {"name": name, "entries": found, "listing": listing}
    return page(viewer, "library/feedback_rows.html" if viewer.part else "library/feedback.html", values)


@router.get("/collections/{name}")
def collection(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    session: Reading,
    parts: ComponentsOf,
    listing: ListingOf,
    *,
    name: str,
    folder: Text = "",
    contains: Annotated[str, Query(max_length=200)] = "",
    order: DocumentOrder = "path",
) -> Response:
    """A collection, or a folder of it: the folders in it with their rules for who may see them, and the documents."""
    found, subject = get_collection(session, viewer.subject, name), viewer.subject
    where = DocumentFilter(name, folder or None, contains or None)
    curates = found.id in curated(subject)
    documents: Sequence[object]
    if curates:
        documents = list_curated_documents(session, subject, parts.checks, listing.page, where, order)
    else:
        documents = list_documents(session, subject, parts.policy, listing.page, where, order)
    values: dict[str, Any] = {
        "name": name,
        "folder": where.folder or "",
        "curates": curates,
        "documents": documents,
        "listing": listing,
    }
    if viewer.part and not listing.first:
        return page(viewer, "library/document_rows.html", values)
    levels = []
    if may_edit_rules(subject, found.id):
        words = rule_words(viewer)
        levels = collection_tree(session, subject, parts.checks, name, within=where.folder or "", words=words)
    more = {"description": found.description, "contains": contains, "order": order}
    trail = [*folders_of(where.folder), where.folder] if where.folder else []
    return page(viewer, "library/collection.html", {**values, **more, "levels": levels, "trail": trail})
