"""Documents as their readers see them: listed, opened, downloaded. What is read is recorded before it is given out."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.acl.visible import Visible, visible_scopes
from app.answer.components import Components
from app.answer.live_policy import LivePolicy
from app.audit.actor import actor
from app.audit.events.answers import DocumentDownloaded, DocumentOpened
from app.audit.log import record
from app.db.paging import Page
from app.db.session import ReadSession
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.identity.subject import Capability, Label, Subject, require_capability
from app.retrieval.browse import DocumentEntry, find_document, original_of, passages_of
from app.retrieval.document_list import EVERY, DocumentFilter, DocumentOrder
from app.retrieval.document_list import list_documents as browse

Content = TypeVar("Content")
Beside = TypeVar("Beside")


@dataclass(frozen=True)
class DocumentView:
    """A document, its path and title redacted. The title is empty for who curates it and may not read it."""

    id: uuid.UUID
    collection: str
    path: str
    title: str
    media_type: str
    size: int
    version: int
    updated_at: dt.datetime
    label: str | None


@dataclass(frozen=True)
class OpenedPassage:
    """A passage of an opened document, redacted. `page` counts from 1; `chunk` is its id, as sources name it."""

    chunk: uuid.UUID
    heading: tuple[str, ...]
    page: int | None
    text: str


def list_documents(
    session: ReadSession,
    subject: Subject,
    policy: LivePolicy,
    page: Page,
    where: DocumentFilter = EVERY,
    order: DocumentOrder = "path",
) -> list[DocumentView]:
    """The documents that the subject may read, and those that they curate (without titles)."""
    visible = visible_scopes(session, subject)
    clean = _Redactors(policy, subject)
    return [_view(clean, visible, d) for d in browse(session, subject, visible, page, where, order)]


def open_document(parts: Components, subject: Subject, document: uuid.UUID) -> tuple[DocumentView, list[OpenedPassage]]:
    """One document with its passages in order, redacted. Raises NotFound for one the subject may not read."""
    return open_document_and(parts, subject, document, lambda *_: None)[:2]


def open_document_and(
    parts: Components, subject: Subject, document: uuid.UUID, beside: Callable[[ReadSession, DocumentEntry], Beside]
) -> tuple[DocumentView, list[OpenedPassage], Beside]:
    """The same, and what is to stand beside it, read in the same snapshot."""
    require_capability(subject, Capability.ASK)
    visible, listed, (chunks, found) = _read(
        parts,
        subject,
        document,
        lambda session, visible, listed: (passages_of(session, visible, listed), beside(session, listed)),
        DocumentOpened,
    )
    redactors = _Redactors(parts.policy, subject)
    clean = redactors.of(visible, listed)
    passages = [
        OpenedPassage(c.public_id, tuple(clean(h) for h in c.heading_path), c.page, clean(c.text)) for c in chunks
    ]
    view = _view(redactors, visible, listed)
    parts.guardrail.count(clean.counts)
    return view, passages, found


def download_original(parts: Components, subject: Subject, document: uuid.UUID) -> tuple[str, bytes]:
    """The file's name and its bytes as they were uploaded, not redacted. Raises NotFound."""
    require_capability(subject, Capability.DOWNLOAD)
    _, listed, content = _read(parts, subject, document, original_of, DocumentDownloaded)
    return listed.document.path.rsplit("/", 1)[-1], content


def _read(
    parts: Components,
    subject: Subject,
    document: uuid.UUID,
    take: Callable[[ReadSession, Visible, DocumentEntry], Content],
    kind: type[DocumentOpened] | type[DocumentDownloaded],
) -> tuple[Visible, DocumentEntry, Content]:
    """Read a document in one snapshot, and commit that it was read before anything of it is given out."""
    with parts.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        listed = find_document(session, subject, visible, document)
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


class _Redactors:
    """One for the documents of each label that the subject may read, and one for those that they only curate."""

    def __init__(self, policy: LivePolicy, subject: Subject) -> None:
        self._policy, self._subject = policy, subject
        self._by_label: dict[int | None, Redactor] = {}

    def of(self, visible: Visible, listed: DocumentEntry) -> Redactor:
        label = visible.labels.get(listed.document.scope_id)
        if label not in self._by_label:
            unread = Redaction(self._policy.checks)
            redaction = unread if label is None else self._policy.for_text(self._subject, Label(label))
            self._by_label[label] = Redactor(redaction)
        return self._by_label[label]


def _view(redactors: _Redactors, visible: Visible, listed: DocumentEntry) -> DocumentView:
    document, clean = listed.document, redactors.of(visible, listed)
    label = visible.labels.get(document.scope_id)
    return DocumentView(
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
