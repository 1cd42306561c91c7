"""Documents for who may read them: a list, and one with its text, whole or beside a page at one of its passages."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.acl.explain import Explanation
from app.admin.collections import list_collections
from app.admin.explain import explain_access
from app.answer import documents as reading
from app.answer.documents import OpenedPassage
from app.db.paging import Page
from app.db.session import ReadSession
from app.retrieval.browse import DocumentEntry, curated
from app.retrieval.document_list import DocumentFilter
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Asker, Caller, ComponentsOf, Downloader, Reading, public_id
from app.web.http.files import attachment
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
MANY = 200
# Passages on one page of a document, and around the one that is shown beside another page.
PASSAGES = 200
AROUND = 6


@dataclass(frozen=True)
class TextPart:
    """A run of a document's passages: `number` counts such runs from 1; `here` is the passage that was asked for."""

    passages: list[OpenedPassage]
    number: int
    numbers: int
    here: str

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number < self.numbers else None


@router.get("/documents")
def documents(
    viewer: ViewerOf,
    subject: Caller,
    session: Reading,
    parts: ComponentsOf,
    listing: ListingOf,
    collection: Text = "",
) -> Response:
    """The documents that the viewer may read, by collection and path."""
    found = reading.list_documents(session, subject, parts.policy, listing.page, DocumentFilter(collection or None))
    values = {"documents": found, "listing": listing, "collection": collection}
    if viewer.part and not listing.first:
        return page(viewer, "reading/document_rows.html", values)
    collections = list_collections(session, subject, Page(limit=MANY))
    return page(viewer, "reading/documents.html", {**values, "collections": collections})


@router.get("/documents/{document}")
def open_document(
    viewer: ViewerOf,
    subject: Asker,
    parts: ComponentsOf,
    document: str,
    passage: Annotated[str, Query(max_length=40)] = "",
    part: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """A document with its text: at this passage, or this part of it. Beside another page, what stands around."""

    def beside(session: ReadSession, listed: DocumentEntry) -> tuple[Explanation, bool]:
        why = explain_access(session, subject, listed.document.public_id)
        return why, viewer.curates and listed.document.collection_id in curated(subject)

    opened, passages, (why, curates) = reading.open_document_and(parts, subject, public_id(document), beside)
    found = next((n for n, each in enumerate(passages) if str(each.chunk) == passage), None)
    text = around(passages, found or 0) if viewer.part else part_of(passages, found, part)
    template = "reading/beside.html" if viewer.part else "reading/document.html"
    return page(viewer, template, {"document": opened, "text": text, "why": why, "curates": curates})


@router.get("/documents/{document}/original")
def original(subject: Downloader, parts: ComponentsOf, document: str) -> Response:
    """The file as it was uploaded, to be saved."""
    return attachment(*reading.download_original(parts, subject, public_id(document)))


def around(passages: list[OpenedPassage], place: int) -> TextPart:
    """The passages before and after one."""
    shown = passages[max(0, place - AROUND) : place + AROUND + 1]
    here = str(passages[place].chunk) if passages else ""
    return TextPart(shown, 1, 1, here)


def part_of(passages: list[OpenedPassage], place: int | None, number: int) -> TextPart:
    """The part of this number, or the one that a passage is in; the last one for a number beyond it."""
    numbers = max(1, -(-len(passages) // PASSAGES))
    if place is not None and not number:
        number = place // PASSAGES + 1
    number = min(max(number, 1), numbers)
    shown = passages[(number - 1) * PASSAGES : number * PASSAGES]
    return TextPart(shown, number, numbers, "" if place is None else str(passages[place].chunk))
