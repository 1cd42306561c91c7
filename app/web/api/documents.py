"""Documents as their readers see them: list, open, download."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote as percent

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from app.acl.visible import Visible, visible_scopes
from app.answer.components import Parts
from app.audit.actor import actor
from app.audit.events import DocumentDownloaded, DocumentOpened
from app.audit.log import record
from app.guardrail.redactor import Redactor
from app.identity.subject import Label, Subject
from app.retrieval.browse import Listed, find_document, list_documents, original_of, passages_of
from app.web.api.schemas import DocumentOut, OpenedOut, PassageOut
from app.web.http.dependencies import Lent, LentAsker, LentDownloader, PartsOf, Reading, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/documents", tags=["documents"])

Content = TypeVar("Content")


@router.get("")
def documents(
    subject: Lent,
    session: Reading,
    parts: PartsOf,
    page: PageOf,
    collection: str | None = None,
) -> list[DocumentOut]:
    """The documents you may read, and those on shelves you curate (without titles), by collection and path."""
    visible = visible_scopes(session, subject)
    found = list_documents(session, subject, visible, page, collection=collection)
    clean = Redactor(parts.checks)
    return [_wire(clean, visible, listed) for listed in found]


@router.get("/{document}")
def open_document(document: str, subject: LentAsker, parts: PartsOf) -> OpenedOut:
    """One document with its text, redacted."""
    visible, listed, chunks = _read(parts, subject, document, passages_of, DocumentOpened)
    clean = Redactor(parts.checks)
    passages = [
        PassageOut(heading=tuple(clean(h) for h in c.heading_path), page=c.page, text=clean(c.text)) for c in chunks
    ]
    return OpenedOut(**_wire(clean, visible, listed).model_dump(), passages=passages)


@router.get("/{document}/original", response_class=Response)
def original(document: str, subject: LentDownloader, parts: PartsOf) -> Response:
    """The file as it was uploaded, not redacted (download). Always sent as an attachment, never shown by a browser."""
    _, listed, content = _read(parts, subject, document, original_of, DocumentDownloaded)
    name = percent(listed.document.path.rsplit("/", 1)[-1], safe="")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return Response(content, headers=headers, media_type="application/octet-stream")


def _read(
    parts: Parts,
    subject: Subject,
    document: str,
    take: Callable[[Session, Visible, Listed], Content],
    kind: type[DocumentOpened] | type[DocumentDownloaded],
) -> tuple[Visible, Listed, Content]:
    """Read a document in one snapshot, and commit that it was read before anything of it is given out."""
    with parts.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        listed = find_document(session, subject, visible, public_id(document))
        content = take(session, visible, listed)
    event = kind(
        actor=actor(subject),
        document=listed.document.public_id,
        version=listed.document.version_id,
        policy_epoch=visible.epoch,
    )
    with parts.database.writing(subject.user_id) as session:
        record(session, event)
    return visible, listed, content


def _wire(clean: Redactor, visible: Visible, listed: Listed) -> DocumentOut:
    document = listed.document
    label = visible.labels.get(document.scope_id)
    return DocumentOut(
        id=document.public_id,
        collection=listed.collection,
        path=clean(document.path),
        title=clean(listed.title or ""),
        media_type=document.media_type,
        size=document.size,
        version=document.version,
        updated_at=document.updated_at,
        label=None if label is None else Label(label).text,
    )
