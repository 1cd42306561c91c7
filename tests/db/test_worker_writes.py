"""What the worker's database role can do to documents beyond what an upload asks for: nothing. The other tests of roles
hold what it may read; these hold what it may write, column by column and document by document.
"""

import contextlib
import json
import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.acl.rules import Grant, OwnRule
from app.evidence.merkle import canonical
from app.identity.subject import EVERYONE_ID, Principal
from ingest.embed import index_passages
from ingest.write import NewVersion, current_document, effective_scope, move_to_scope, write_version
from tests.support.library_db import EMBEDDER, LibraryDb, allow, touched

EVERYONE = Grant("allow", Principal("everyone", EVERYONE_ID))


@dataclass(frozen=True)
class Site:
    """A document of Ada's alone, and a collection that everybody reads."""

    library: LibraryDb
    ada: uuid.UUID
    secret: uuid.UUID
    open: uuid.UUID
    document: int

    def scope_of(self) -> int:
        return self.library.value("owner", "select scope_id from document where id = :d", d=self.document)

    def epoch(self) -> int:
        return self.library.value("owner", "select number from policy_epoch")


@pytest.fixture
def site(library: LibraryDb) -> Site:
    ada = library.person("ada")
    secret, everybody = library.collection("secret", allow("user", ada)), library.collection("open", EVERYONE)
    document = library.document(secret, "a.md", "the alder note")
    library.document(everybody, "b.md", "the birch note")
    return Site(library, ada, secret, everybody, document)


TO_OPEN = "(select s.id from scope s join collection c on c.id = s.collection_id where c.name = 'open')"
OPEN = "(select id from collection where name = 'open')"
REFUSED = {
    "move a document to another collection": f"update document set scope_id = {TO_OPEN}, collection_id = {OPEN}",
    "say when a document was ruled": "update document set ruled_at = '-infinity'",
    "give a document another id": "update document set public_id = gen_random_uuid()",
    "rename a document": "update document set path = 'z.md'",
    "claim other bytes": "update document set sha256 = sha256('')",
    "put a document anywhere": "insert into document (collection_id, scope_id, path, media_type, size, sha256, version)"
    f" values ({OPEN}, {TO_OPEN}, 'c.md', 'text/plain', 0, '', 1)",
    "delete a document": "delete from document",
    "point an upload to another scope": f"update ingest_job set scope_id = {TO_OPEN}, collection_id = {OPEN}",
    "point an upload to another path": "update ingest_job set path = 'b.md'",
    "upload for somebody": "update ingest_job set uploaded_by = uploaded_by",
    "change what was uploaded": "update ingest_job set content = ''",
    "claim what was uploaded": "update ingest_job set sha256 = sha256('')",
    "upload later": "update ingest_job set created_at = now()",
    "make an upload": "insert into ingest_job (collection_id, scope_id, path, uploaded_by, size, sha256)"
    f" values ({OPEN}, {TO_OPEN}, 'c.md', gen_random_uuid(), 0, '')",
    "delete an upload": "delete from ingest_job",
    "move an original": "update original set scope_id = scope_id",
    "move passages": "update chunk set scope_id = scope_id",
    "take another passage's id": "insert into chunk (public_id, document_id, scope_id, ordinal, heading_path, text,"
    " tokens) values (gen_random_uuid(), 1, 1, 9, '{}', 'x', 1)",
    "hide a vector from the lists": "insert into vector_row (chunk_id, scope_id, terms, embedding, changed)"
    " values (1, 1, 1, '[0]', '1')",
    "change the embedder of the index": "update index_profile set embedder = 'x'",
    "note a move of its own": "select clearance.note_move(gen_random_uuid(), 1, 2)",
}


def test_the_worker_may_not(site: Site) -> None:
    for statement in REFUSED.values():
        site.library.check_refused("permission denied", "ingest", statement)


STANDING = "(select id from document where path = 'b.md')"
OTHERS = {
    "chunk": "insert into chunk (document_id, scope_id, ordinal, heading_path, text, tokens)"
    f" values ({STANDING}, {TO_OPEN}, 9, '{{}}', 'the alder note', 1)",
    "posting": "insert into posting (term, document_id, scope_id, entries)"
    f" values (1, {STANDING}, {TO_OPEN}, '12345678')",
    "original": f"insert into original (document_id, scope_id, title, content) values ({STANDING}, {TO_OPEN}, 'x', '')",
    "vector_row": f"insert into vector_row (chunk_id, scope_id, terms, embedding) select 1, {TO_OPEN}, 1, '[0]'",
}


def test_a_document_that_nobody_uploads_is_left_alone(site: Site) -> None:
    """No passage goes in or out, whatever other document is being worked on."""
    with site.library.uploading(site.secret, {"a.md": (site.scope_of(), b"x")}):
        for statement in OTHERS.values():
            site.library.check_refused("row-level security", "ingest", statement)
        for table in ("chunk", "original"):
            assert site.library.run("ingest", f"delete from {table} where document_id = {STANDING}") == 0


def test_a_document_is_put_for_a_running_upload_alone(site: Site) -> None:
    put = "select * from clearance.put_document(:job, 'text/plain', gen_random_uuid())"
    with site.library.uploading(site.secret, {"c.md": (site.scope_of(), b"x")}) as (session, [job]):
        touched(session, "update ingest_job set state = 'failed' where id = :job", job=job.id)
        for wanted in (job.id, uuid.uuid4()):
            with pytest.raises(DBAPIError, match="no upload"), session.begin_nested():
                session.execute(text(put), {"job": wanted})
            with pytest.raises(DBAPIError, match="no upload"), session.begin_nested():
                session.execute(text("select clearance.move_document(:job)"), {"job": wanted})


def test_an_upload_that_ended_stays_so(site: Site) -> None:
    with site.library.uploading(site.secret, {"c.md": (site.scope_of(), b"x")}) as (session, [job]):
        touched(session, "update ingest_job set state = 'indexed' where id = :job", job=job.id)
        with pytest.raises(DBAPIError, match="has ended"), session.begin_nested():
            touched(session, "update ingest_job set state = 'running' where id = :job", job=job.id)


@pytest.mark.parametrize("how", ["same bytes", "new bytes"])
def test_a_move_raises_the_epoch_and_is_in_the_log(site: Site, how: str) -> None:
    """As the upload says, whichever way the worker takes; the database writes it, so the worker cannot leave it out."""
    library, before = site.library, site.scope_of()
    other = library.scope(site.secret, OwnRule(frozenset({EVERYONE})))
    epoch = site.epoch()
    library.run("owner", "update document set sha256 = sha256('same') where id = :d", d=site.document)
    with library.uploading(site.secret, {"a.md": (other, b"same")}) as (session, [job]):
        if how == "same bytes":
            move_to_scope(session, job)
        else:
            write_version(session, job, NewVersion("A", "text/plain", b"same"), index_passages([], EMBEDDER))
    assert site.scope_of() == other != before
    assert site.epoch() > epoch
    body = library.text("select body from audit_leaf where kind = 'policy.changed'")
    record = json.loads(body)
    assert canonical(record) == body
    public = library.text("select public_id from document where id = :d", d=site.document)
    scopes = [library.text("select public_id from scope where id = :s", s=s) for s in (before, other)]
    assert (record["action"], record["target"]) == ("document.moved", f"document:{public}")
    assert (record["before"], record["after"]) == ({"scope": scopes[0]}, {"scope": scopes[1]})
    assert (record["writer"], record["actor"]["user"], record["epoch"]) == ("clearance_ingest", None, site.epoch())


def test_nothing_moves_without_a_reason(site: Site) -> None:
    """Other bytes, or a document that was ruled after the upload was sent: no move, no epoch, no record."""
    library, before = site.library, site.scope_of()
    other = library.scope(site.secret, OwnRule(frozenset({EVERYONE})))
    epoch = site.epoch()
    with library.uploading(site.secret, {"a.md": (other, b"other bytes")}) as (session, [job]):
        move_to_scope(session, job)
        library.run("owner", "update document set ruled_at = clock_timestamp(), sha256 = sha256('other bytes')")
        move_to_scope(session, job)
        assert effective_scope(current_document(session, job), job) == before
        write_version(session, job, NewVersion("A", "text/plain", b""), index_passages([], EMBEDDER))
    assert (site.scope_of(), site.epoch()) == (before, epoch)
    assert library.value("owner", "select count(*) from audit_leaf") == 0


def test_the_api_queues_uploads_of_the_callers_and_nothing_else(site: Site) -> None:
    """Not any task, not for an upload of somebody else's, and none of the queue's own functions."""
    library = site.library
    curator = library.person("curator", curates=[site.secret])
    forged = {
        "any task": "insert into procrastinate_jobs (queue_name, task_name, args) values ('ingest', 'evil', '{}')",
        "by its function": "select procrastinate_defer_jobs_v1(array[('q','t',0,null,null,'{}',null)"
        "::procrastinate_job_to_defer_v1])",
        "a periodic one": "select procrastinate_defer_periodic_job_v2('q', null, null, 't', 0, 'p', 1, '{}')",
        "the end of a job": "select procrastinate_finish_job_v1(1, 'failed', true)",
        "a look": "select 1 from procrastinate_jobs",
    }
    for statement in forged.values():
        library.check_refused("permission denied", "app", statement)
    with library.uploading(site.secret, {"c.md": (site.scope_of(), b"x")}) as (_, [job]):
        library.run(
            "owner", "update ingest_job set state = 'queued', uploaded_by = :c where id = :j", c=curator, j=job.id
        )
        with contextlib.suppress(DBAPIError):
            library.run("app", "select clearance.defer_upload(:job)", job=job.id)
        assert library.value("owner", "select count(*) from procrastinate_jobs") == 0
