"""Documents as their readers see them: list, open, download."""

from dataclasses import asdict

from fastapi import APIRouter, Response

from app.answer import documents as reading
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


@router.get("")
def documents(
    subject: CallerOrDelegate,
    session: Reading,
    parts: ComponentsOf,
    page: PageOf,
    collection: str | None = None,
) -> list[DocumentOut]:
    """The documents you may read, and those in collections you curate (without titles), by collection and path."""
    found = reading.list_documents(session, subject, parts.checks, page, collection=collection)
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
