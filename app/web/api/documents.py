"""Documents as their readers see them: list, open, download."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.answer import documents as reading
from app.retrieval.document_list import DocumentFilter, DocumentOrder
from app.web.api.schemas import DocumentOut, OpenedOut, PassageOut
from app.web.http.dependencies import (
    AskerOrDelegate,
    CallerOrDelegate,
    ComponentsOf,
    DownloaderOrDelegate,
    Reading,
    public_id,
)
from app.web.http.files import attachment
from app.web.http.paging import PageOf

router = APIRouter(prefix="/documents", tags=["documents"])


FolderQuery = Annotated[str | None, Query(description="of this folder and those below it")]
ContainsQuery = Annotated[
    str | None, Query(max_length=200, description="a text in the path; of collections that you curate alone")
]


def document_filter(
    collection: str | None = None, folder: FolderQuery = None, contains: ContainsQuery = None
) -> DocumentFilter:
    """A dependency: which documents a list is to have."""
    return DocumentFilter(collection, folder, contains or None)


FilterOf = Annotated[DocumentFilter, Depends(document_filter)]
OrderOf = Annotated[DocumentOrder, Query(description="by collection and path, or what changed last first")]


@router.get("")
def documents(
    subject: CallerOrDelegate,
    session: Reading,
    parts: ComponentsOf,
    page: PageOf,
    where: FilterOf,
    order: OrderOf = "path",
) -> list[DocumentOut]:
    """The documents you may read, and those in collections you curate (without titles)."""
    found = reading.list_documents(session, subject, parts.policy, page, where, order)
    return [DocumentOut.model_validate(document) for document in found]


@router.get("/{document}")
def open_document(document: str, subject: AskerOrDelegate, parts: ComponentsOf) -> OpenedOut:
    """One document with its text, redacted."""
    opened, passages = reading.open_document(parts, subject, public_id(document))
    return OpenedOut(**asdict(opened), passages=[PassageOut.model_validate(passage) for passage in passages])


@router.get("/{document}/original", response_class=Response)
def original(document: str, subject: DownloaderOrDelegate, parts: ComponentsOf) -> Response:
    """The file as it was uploaded, not redacted (download). Always sent as an attachment, never shown by a browser."""
    return attachment(*reading.download_original(parts, subject, public_id(document)))
