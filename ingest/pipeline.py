"""The path of a document, one stage a line. Each upload ends as indexed, unchanged, or failed with a reason."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import log
from app.acl.visible import scopes_select
from app.audit.events.answers import DocumentFailed, DocumentIndexed
from app.audit.events.base import Actor
from app.audit.log import record
from app.db.audit_writers import WORKER as WORKER_NAME
from app.db.session import refusal_of
from app.db.tables.library import Document, IngestJob
from app.db.tables.people import User
from app.embedding.protocol import EmbeddingModel
from app.identity.authenticate import reader_of
from app.incoming.detector import find_in
from app.incoming.neutralise import kinds_of
from ingest.document import DocumentPassage, Extracted
from ingest.embed import IndexedPassage, index_passages
from ingest.extractors.errors import ExtractionError
from ingest.split import split
from ingest.write import (
    NewVersion,
    claim_job,
    current_document,
    effective_scope,
    finish_job,
    lock_move,
    move_to_scope,
    scope_of,
    write_version,
)

WORKER = Actor.service(WORKER_NAME)


@dataclass(frozen=True)
class WorkerComponents:
    """What the worker works with. `extract` turns bytes and a file name into text, in a sandbox."""

    engine: Engine
    embedder: EmbeddingModel
    extract: Callable[[bytes, str], Extracted]


@dataclass
class StageTimer:
    """Microseconds by stage."""

    stages: dict[str, int] = field(default_factory=dict)
    _mark: int = field(default_factory=time.perf_counter_ns)

    def mark_stage(self, stage: str) -> None:
        """The time since the last lap belongs to this stage."""
        now = time.perf_counter_ns()
        self.stages[stage] = (now - self._mark) // 1000
        self._mark = now


def work(parts: WorkerComponents, job_id: uuid.UUID) -> None:
    """Take one upload to its end. Safe to run again at any point: until the last commit nothing of it is to be seen."""
    timer = StageTimer()
    with Session(parts.engine, expire_on_commit=False) as session:
        with session.begin():
            lock_move(session, job_id)
            job = claim_job(session, job_id)
            if job is None or _is_unchanged(session, job):
                return
        timer.mark_stage("take")
        content = job.content or b""
        try:
            extracted = parts.extract(content, job.path.rsplit("/", 1)[-1])
        except ExtractionError as error:
            # The file is at fault: no other try will do better.
            if fail_job(parts, job_id, str(error), code=error.code):
                log.get().info("document.failed", job=str(job_id), reason=error.code)
            return
        timer.mark_stage("extract")
        passages = split(extracted, counter=parts.embedder)
        timer.mark_stage("split")
        indexed = index_passages(passages, parts.embedder)
        timer.mark_stage("embed")
        version = NewVersion(extracted.title, extracted.media_type, content)
        file = _IndexedFile(version, indexed, dict(extracted.hidden), count_findings(passages))
        try:
            done = _write(parts, session, job_id, file, timer)
        except DBAPIError as error:
            # What a legal hold keeps is not replaced, however often it is tried.
            if (refusal := refusal_of(error)) is None:
                raise
            fail_job(parts, job_id, refusal, code="Held")
            return
    if done:
        log.get().info("document.indexed", job=str(job_id), chunks=len(indexed), **timer.stages)


class _IndexedFile(NamedTuple):
    """What was made of an upload: the version, its passages with vectors, what of the file was left out, and in how
    many passages something was found, by kind.
    """

    version: NewVersion
    passages: Sequence[IndexedPassage]
    hidden: dict[str, Any]
    findings: dict[str, Any]


def count_findings(passages: Iterable[DocumentPassage]) -> dict[str, Any]:
    """In how many passages there is what speaks to a model or hides a text, by kind."""
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update(kinds_of(find_in(passage.title, passage.heading_path, passage.text)))
    return dict(counts)


def _write(parts: WorkerComponents, session: Session, job_id: uuid.UUID, file: _IndexedFile, timer: StageTimer) -> bool:
    """Put what was made of an upload in its place, in one transaction; False where the upload is gone."""
    with session.begin():
        lock_move(session, job_id)
        job = claim_job(session, job_id)
        if job is None:
            return False
        written = write_version(session, job, file.version, file.passages)
        timer.mark_stage("write")
        job.document_id, job.stages = written.document, timer.stages
        job.hidden, job.findings = file.hidden, file.findings
        finish_job(session, job, "indexed")
        event = DocumentIndexed(
            actor=WORKER,
            job=job_id,
            document=written.document,
            version=written.version,
            collection=job.collection_id,
            scope=str(written.scope),
            chunks=len(file.passages),
            embedder=parts.embedder.digest,
        )
        record(session, event)
    return True


def fail_job(parts: WorkerComponents, job_id: uuid.UUID, reason: str, *, code: str = "GaveUp") -> bool:
    """The upload ends as failed, and nothing of it is to be seen; False if it had ended or is gone.

    `code` is for the record; the default says that a part of ours failed too often.
    """
    with Session(parts.engine) as session, session.begin():
        job = claim_job(session, job_id)
        if job is None:
            return False
        finish_job(session, job, "failed", reason=reason)
        record(session, DocumentFailed(actor=WORKER, job=job_id, collection=job.collection_id, reason=code))
    return True


def _is_unchanged(session: Session, job: IngestJob) -> bool:
    """The same bytes stand at this path: at most their scope changes.

    Only for an uploader who could read what stands there, or put it there: for anyone else the outcome, its stages and
    its time would confirm a guess. Their upload is worked on as if nothing stood there.
    """
    document = current_document(session, job)
    if document is None or document.sha256 != job.sha256:
        return False
    if not (_could_read(session, job.uploaded_by, document) or _uploaded_before(session, job, document)):
        return False
    moved = document.scope_id != effective_scope(document, job)
    if moved:
        session.flush()
        move_to_scope(session, job)
        event = DocumentIndexed(
            actor=WORKER,
            job=job.id,
            document=document.public_id,
            version=document.version_id,
            collection=job.collection_id,
            scope=str(scope_of(session, job.scope_id)),
            chunks=0,
            embedder="",
        )
        record(session, event)
    job.document_id = document.public_id
    finish_job(session, job, "indexed" if moved else "unchanged")
    return True


def _uploaded_before(session: Session, job: IngestJob, document: Document) -> bool:
    """Whether this uploader brought the same bytes before: to this path, or to this document, which may have moved."""
    earlier = select(IngestJob.id).where(
        IngestJob.uploaded_by == job.uploaded_by,
        IngestJob.collection_id == job.collection_id,
        or_(IngestJob.path == job.path, IngestJob.document_id == document.public_id),
        IngestJob.sha256 == job.sha256,
        IngestJob.state.in_(("indexed", "unchanged")),
    )
    return session.scalar(earlier.limit(1)) is not None


def _could_read(session: Session, user_id: uuid.UUID, document: Document) -> bool:
    reader = reader_of(session, session.get_one(User, user_id))
    scopes = scopes_select(reader, session.scalars(select(func.now())).one()).subquery()
    return session.scalar(select(scopes.c.id).where(scopes.c.id == document.scope_id)) is not None
