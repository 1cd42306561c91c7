"""An upload that waited while its document got another rule does not bring the old tags back."""

import hashlib
import uuid

from sqlalchemy import select, text

from app.acl.rules import OwnRule
from app.db.tables.library import Document, IngestJob
from ingest.document import DocumentPassage
from ingest.embed import index_passages
from ingest.write import NewVersion, claim_job, current_document, effective_scope, write_version
from tests.support.library_db import EMBEDDER, LibraryDb, allow


def upload(
    library: LibraryDb, collection: uuid.UUID, by: uuid.UUID, scope: int, *, content: bytes = b"new"
) -> uuid.UUID:
    """An upload to the path 'plan.md' that waits."""
    with library.session("owner") as session:
        job = IngestJob(
            collection_id=collection, scope_id=scope, path="plan.md", uploaded_by=by, content=content,
            size=len(content), sha256=hashlib.sha256(content).digest(),
        )  # fmt: skip
        session.add(job)
        session.flush()
        return job.id


def land(library: LibraryDb, job_id: uuid.UUID) -> int:
    """The worker writes it; gives the scope the document stands under then."""
    with library.session("ingest") as session:
        job = claim_job(session, job_id)
        assert job is not None
        passages = [DocumentPassage("New text.", (), None, 0, 2)]
        write_version(session, job, NewVersion("Plan", "text/plain", b"new"), index_passages(passages, EMBEDDER))
    scopes = {
        library.value("owner", f"select min(scope_id) from {table} where scope_id <> {canary(library)}")
        for table in ("document", "original", "chunk", "vector_row", "posting")
    }
    assert len(scopes) == 1
    return scopes.pop()


def canary(library: LibraryDb) -> int:
    """The scope of the start-up probe's rows."""
    return library.value("owner", "select scope_id from document where path = 'canary'")


def test_a_rule_given_after_the_upload_was_sent_stands(library: LibraryDb) -> None:
    """The rule of an administrator is newer than the tags of the upload: it wins, however late the upload lands."""
    reader, curator = library.person("reader"), library.person("curator")
    collection = library.collection("plans")
    open_scope = library.scope(collection, OwnRule(frozenset({allow("user", reader)}), inherits=False))
    closed = library.scope(collection, OwnRule(inherits=False))
    library.document(
        collection, "plan.md", "Old text.", own=OwnRule(frozenset({allow("user", reader)}), inherits=False)
    )
    waiting = upload(library, collection, curator, open_scope)
    with library.session("owner") as session:
        session.execute(
            text("update document set scope_id = :scope, ruled_at = now() where path = 'plan.md'"), {"scope": closed}
        )
    assert land(library, waiting) == closed
    later = upload(library, collection, curator, open_scope)
    assert land(library, later) == open_scope


def test_same_bytes_sent_before_the_rule_do_not_move_the_document(library: LibraryDb) -> None:
    """The path on which nothing is embedded obeys the same order."""
    curator = library.person("curator")
    collection = library.collection("plans")
    first, second = library.scope(collection), library.scope(collection, OwnRule(inherits=False))
    library.document(collection, "plan.md", "Old text.")
    waiting = upload(library, collection, curator, second)
    library.run("owner", "update document set ruled_at = clock_timestamp() where path = 'plan.md'")
    with library.session("ingest") as session:
        job = session.get_one(IngestJob, waiting)
        assert effective_scope(current_document(session, job), job) == first
        assert session.scalar(select(Document.scope_id).where(Document.path == "plan.md")) == first
