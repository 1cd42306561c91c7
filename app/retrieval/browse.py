"""Collections and documents as a reader, or their curator, may list and open them."""

import datetime as dt
import uuid
from collections.abc import Collection as Collected
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.acl.visible import Visible
from app.db.paging import Page
from app.db.tables.access import Collection, Scope
from app.db.tables.library import Chunk, Document, IngestJob, Original
from app.errors import NotFound
from app.identity.subject import Capability, Subject
from app.paths import folders_of


@dataclass(frozen=True)
class DocumentEntry:
    """A document with its collection's name. `title` is None for a curator who may not read it."""

    document: Document
    collection: str
    title: str | None


@dataclass(frozen=True)
class Job:
    """An upload of the subject's and its state. `stages_us` has microseconds by stage.

    `retried_by`: the upload that brought its bytes once more. A failed one without can be retried.
    """

    id: uuid.UUID
    collection: str
    path: str
    state: str
    reason: str | None
    document: uuid.UUID | None
    created_at: dt.datetime
    finished_at: dt.datetime | None
    stages_us: dict[str, int] | None
    hidden: dict[str, int] | None
    findings: dict[str, int] | None
    retried_by: uuid.UUID | None


def curated(subject: Subject) -> frozenset[uuid.UUID]:
    """The collections the subject may curate: none without the capability."""
    return subject.curates if Capability.CURATE in subject.capabilities else frozenset()


def readable_collections(subject: Subject, visible: Visible) -> Select[Collection]:
    """The collections with a scope the subject may read, those they curate, and all for an administrator."""
    readable = select(Scope.collection_id).where(visible.has(Scope.id.expression))
    query = select(Collection).where(Collection.name.not_like(r"\_%"))
    if Capability.ADMINISTER not in subject.capabilities:
        query = query.where(or_(Collection.id.in_(readable), Collection.id.in_(curated(subject))))
    return query


def list_collections(session: Session, subject: Subject, visible: Visible) -> list[Collection]:
    return list(session.scalars(readable_collections(subject, visible).order_by(Collection.name)))


def find_collection(session: Session, subject: Subject, visible: Visible, name: str) -> Collection:
    """The collection of that name; raises NotFound if it is absent or not for the subject to see.

    An administrator sees every collection, so their error names the missing one; for others both cases are the same.
    """
    found = next((c for c in list_collections(session, subject, visible) if c.name == name), None)
    if found is None:
        if Capability.ADMINISTER in subject.capabilities:
            raise NotFound(f"No collection is named {name!r}.")
        raise NotFound
    return found


def documents_by_folder(
    session: Session, subject: Subject, collection_id: uuid.UUID, within: str | None = None
) -> list[tuple[str, int, int]]:
    """How many documents lie in each folder of a collection, by their scope: folder, scope, documents.

    For its curators, who may list them; empty for others. `within`: of this folder alone (the empty path: all that
    there is), those further down counted for the folder directly in it.
    """
    if collection_id not in curated(subject):
        return []
    path = Document.path
    if within is None:
        # By length: a pattern for each of a hundred thousand paths takes three times as long.
        name = func.strpos(func.reverse(path), "/")
        folder = case((name == 0, ""), else_=func.left(path, func.length(path) - name))
    else:
        above = f"{within}/" if within else ""
        below = func.substr(path, len(above) + 1) if within else path
        folder = case((func.strpos(below, "/") == 0, within), else_=literal(above) + func.split_part(below, "/", 1))
    lying = select(folder.label("folder"), Document.scope_id).where(Document.collection_id == collection_id)
    if within:
        # Paths compare by their bytes: '0' is what follows '/'.
        lying = lying.where(path > f"{within}/", path < f"{within}0")
    # Behind OFFSET the planner does not take each document for a group of its own, and sort them all.
    each = lying.offset(0).subquery()
    counted = select(each.c.folder, each.c.scope_id, func.count()).group_by(each.c.folder, each.c.scope_id)
    return [(row[0], row[1], row[2]) for row in session.execute(counted)]


def folders_of_documents(session: Session, subject: Subject, collection_id: uuid.UUID) -> frozenset[str]:
    """The folders that documents of a collection lie in or below, for its curators; empty for others."""
    lowest = {folder for folder, _, _ in documents_by_folder(session, subject, collection_id) if folder}
    return frozenset(f for path in lowest for f in (path, *folders_of(path)))


def find_document(session: Session, subject: Subject, visible: Visible, public_id: uuid.UUID) -> DocumentEntry:
    """One document; raises NotFound if it is absent or not for the subject to see."""
    row = session.execute(
        select(Document, Collection.name, Original.title)
        .join(Collection, Collection.id == Document.collection_id)
        .outerjoin(Original, (Original.document_id == Document.id) & visible.has(Original.scope_id.expression))
        .where(Document.public_id == public_id, _listed(subject, visible), Collection.name.not_like(r"\_%"))
    ).one_or_none()
    if row is None:
        raise NotFound
    return DocumentEntry(*row)


def are_visible(session: Session, visible: Visible, documents: Set[uuid.UUID]) -> bool:
    """Whether all of these documents, by their public ids, are there and the subject's to read."""
    return len(readable_documents(session, visible, documents)) == len(documents)


def readable_documents(session: Session, visible: Visible, documents: Set[uuid.UUID]) -> dict[int, int]:
    """Those of these documents, by their public ids, that the subject may read: their numbers, and their scopes."""
    query = select(Document.id, Document.scope_id)
    query = query.where(Document.public_id.in_(documents), visible.has(Document.scope_id.expression))
    return {row.id: row.scope_id for row in session.execute(query)}


def readable_among(session: Session, visible: Visible, documents: Set[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these documents, by their public ids, that the subject may read."""
    query = select(Document.public_id).where(Document.public_id.in_(documents))
    return set(session.scalars(query.where(visible.has(Document.scope_id.expression))))


def places_of(
    session: Session, subject: Subject, collection_id: uuid.UUID, documents: Set[int]
) -> dict[int, tuple[uuid.UUID, str]]:
    """The public ids and paths of those of these documents that lie in a collection which the subject curates."""
    query = select(Document.id, Document.public_id, Document.path).where(
        Document.id.in_(documents),
        Document.collection_id == collection_id,
        Document.collection_id.in_(curated(subject)),
    )
    return {number: (public_id, path) for number, public_id, path in session.execute(query)}


def passages_of(session: Session, visible: Visible, entry: DocumentEntry) -> list[Chunk]:
    """The chunks of a document in order; raises NotFound for a subject who may not read it."""
    if entry.document.scope_id not in visible.scope_ids:
        raise NotFound
    return list(
        session.scalars(
            select(Chunk)
            .where(Chunk.document_id == entry.document.id, visible.has(Chunk.scope_id.expression))
            .order_by(Chunk.ordinal)
        )
    )


def original_of(session: Session, visible: Visible, entry: DocumentEntry) -> bytes:
    """The original bytes; raises NotFound for a subject who may not read them."""
    content = session.scalar(
        select(Original.content).where(
            Original.document_id == entry.document.id, visible.has(Original.scope_id.expression)
        )
    )
    if content is None:
        raise NotFound
    return content


def list_jobs(session: Session, subject: Subject, page: Page, *, state: str | None) -> list[Job]:
    """The subject's own uploads, newest first."""
    query = _jobs(subject)
    if state is not None:
        query = query.where(IngestJob.state == state)
    return [Job(*row) for row in page.rows(session, query, [IngestJob.created_at, IngestJob.id], descending=True)]


def find_job(session: Session, subject: Subject, job_id: uuid.UUID) -> Job:
    """One of the subject's own uploads; raises NotFound for any other."""
    row = session.execute(_jobs(subject).where(IngestJob.id == job_id)).one_or_none()
    if row is None:
        raise NotFound
    return Job(*row)


def last_uploads(session: Session, subject: Subject, collection_id: uuid.UUID, paths: Collected[str]) -> dict[str, Job]:
    """The subject's last upload to each of these paths of a collection, where there is one."""
    query = _jobs(subject).where(IngestJob.collection_id == collection_id, IngestJob.path.in_(paths))
    latest = query.ext(distinct_on(IngestJob.path)).order_by(IngestJob.path, IngestJob.created_at.desc())
    found = (Job(*row) for row in session.execute(latest))
    return {job.path: job for job in found}


def _jobs(subject: Subject) -> Select[*tuple[Any, ...]]:
    return (
        select(
            IngestJob.id,
            Collection.name,
            IngestJob.path,
            IngestJob.state,
            IngestJob.reason,
            IngestJob.document_id,
            IngestJob.created_at,
            IngestJob.finished_at,
            IngestJob.stages,
            IngestJob.hidden,
            IngestJob.findings,
            IngestJob.retried_by,
        )
        .join(Collection, Collection.id == IngestJob.collection_id)
        .where(IngestJob.uploaded_by == subject.user_id)
    )


def _listed(subject: Subject, visible: Visible) -> ColumnElement[bool]:
    """The scope filter of a list: the scopes the subject may read, or the collections they curate (without titles)."""
    return or_(visible.has(Document.scope_id.expression), Document.collection_id.in_(curated(subject)))
