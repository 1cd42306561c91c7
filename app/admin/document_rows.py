"""The documents of a collection as its curators see them: how many people read each, and how its last upload ended."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.acl.readers import count_readers
from app.acl.rule_store import one_of, rules_of
from app.acl.rules import OwnRule
from app.acl.visible import Visible, visible_scopes
from app.db.paging import Page
from app.db.session import ReadSession
from app.db.tables.access import Scope
from app.guardrail.check import Check
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.identity.subject import Label, Subject, require_curator
from app.retrieval.browse import DocumentEntry, Job, find_collection, last_uploads
from app.retrieval.document_list import DocumentFilter, DocumentOrder, list_documents


@dataclass(frozen=True)
class CuratedDocument:
    """A document for who curates its collection, its path redacted; `title` is empty for who may not read it.

    `tagged`: it has a rule of its own. `upload` is the curator's own last upload to its path where that has not ended
    yet, or failed after the version that stands.
    """

    id: uuid.UUID
    path: str
    title: str
    media_type: str
    size: int
    version: int
    updated_at: dt.datetime
    label: Label
    readers: int
    tagged: bool
    upload: Job | None


def list_curated_documents(
    session: ReadSession,
    subject: Subject,
    checks: Iterable[Check],
    page: Page,
    where: DocumentFilter,
    order: DocumentOrder = "path",
) -> list[CuratedDocument]:
    """The documents of a page of the filter's collection, for its curators. Raises NotFound or MissingCapability."""
    visible = visible_scopes(session, subject)
    collection = find_collection(session, subject, visible, where.collection or "")
    require_curator(subject, collection.id)
    entries = list_documents(session, subject, visible, page, where, order)
    return curated_rows(session, subject, checks, visible, entries)


def curated_rows(
    session: ReadSession,
    subject: Subject,
    checks: Iterable[Check],
    visible: Visible,
    entries: Sequence[DocumentEntry],
) -> list[CuratedDocument]:
    """These documents of one collection that the subject curates."""
    columns = (Scope.id, Scope.rule_id, Scope.own_digest)
    scopes = select(*columns).where(one_of(Scope.id.expression, {entry.document.scope_id for entry in entries}))
    scope_of = {row.id: row for row in session.execute(scopes)}
    rules = rules_of(session, {row.rule_id for row in scope_of.values()})
    readers = dict(zip(rules, count_readers(session, list(rules.values()), visible.at), strict=True))
    collections = {entry.document.collection_id for entry in entries}
    paths = [entry.document.path for entry in entries]
    uploads = last_uploads(session, subject, next(iter(collections)), paths) if collections else {}
    clean = Redactor(Redaction(tuple(checks)))
    found = []
    for entry in entries:
        document, scope = entry.document, scope_of[entry.document.scope_id]
        row = CuratedDocument(
            id=document.public_id,
            path=clean(document.path),
            title=clean(entry.title or ""),
            media_type=document.media_type,
            size=document.size,
            version=document.version,
            updated_at=document.updated_at,
            label=rules[scope.rule_id].label,
            readers=readers[scope.rule_id],
            tagged=scope.own_digest != OwnRule().digest,
            upload=_open(uploads.get(document.path), document.updated_at),
        )
        found.append(row)
    return found


def _open(upload: Job | None, updated_at: dt.datetime) -> Job | None:
    """An upload that is on its way, or that failed after the version that stands."""
    if upload is None or upload.state in {"indexed", "unchanged"}:
        return None
    return None if upload.state == "failed" and upload.created_at < updated_at else upload
