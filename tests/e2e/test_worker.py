"""The worker process with its sandbox and the real embedder: from an upload over HTTP to what readers find."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi.testclient import TestClient
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from app.embedding.onnx import OnnxEmbedder
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, found
from tests.support.processes import Process, worker
from tests.support.service import client_of, parts_of
from tests.support.waiting import wait_for

DERIVED = ("original", "chunk", "vector_row", "posting")
ENDED = {"indexed", "unchanged", "failed"}
PAGE = (
    b"# Badges\n\nA lost badge is reported to the gatehouse within one day.\n\n## Guests\n\nGuests wear green badges."
)


@dataclass
class Site:
    """The company, a client of its service, and the worker beside it."""

    company: Company
    client: TestClient
    worker: Process

    def upload(self, who: str, collection: str, path: str, content: bytes, *roles: str) -> str:
        """Upload a file; returns the job's id."""
        answer = self.client.post(
            f"/api/v1/collections/{collection}/documents",
            headers=self.company.headers(who),
            files={"file": (path.rsplit("/", 1)[-1], content)},
            data={"path": path, "roles": list(roles)},
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["state"] == "queued"
        return str(answer.json()["id"])

    def end_of(self, who: str, job: str) -> dict[str, Any]:
        """The upload as its uploader sees it when it has ended."""

        def ended() -> Any:
            seen = self.client.get(f"/api/v1/jobs/{job}", headers=self.company.headers(who)).json()
            return seen if seen["state"] in ENDED else None

        found: dict[str, Any] = wait_for(ended, seconds=60, message=lambda: self.worker.said[-3000:])
        return found

    def put(self, who: str, collection: str, path: str, content: bytes, *roles: str) -> dict[str, Any]:
        """Upload a file and wait for its end."""
        return self.end_of(who, self.upload(who, collection, path, content, *roles))

    def finds(self, who: str, words: str) -> list[str]:
        """The paths that a search gives, best first."""
        answer = self.client.post("/api/v1/search", json={"query": words}, headers=self.company.headers(who))
        return [hit["path"] for hit in answer.json()["hits"]]

    def rows_of(self, path: str) -> dict[str, list[dict[str, Any]]]:
        """The document at a path and all its derived rows."""
        ids = [row["id"] for row in self.company.rows("select id from document where path = %s", [path])]
        chunks = "(select id from chunk where document_id = any (%s))"
        vectors = f"select chunk_id, scope_id, terms, embedding::text from vector_row where chunk_id in {chunks}"
        selects = {
            "document": "select * from document where id = any (%s)",
            "original": "select * from original where document_id = any (%s)",
            "chunk": "select * from chunk where document_id = any (%s) order by ordinal",
            "vector_row": f"{vectors} order by chunk_id",
            "posting": "select * from posting where document_id = any (%s) order by term, entries",
        }
        return {table: self.company.rows(select, [ids]) for table, select in selects.items()}


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with copied(cluster, TEMPLATE) as db:
        company = found(db, stocked=False)
        with (
            client_of(parts_of(db, embedder=OnnxEmbedder(threads=1))) as client,
            worker(tmp_path_factory.mktemp("worker"), db) as process,
        ):
            yield Site(company, client, process)


def test_until_the_first_upload_it_holds_no_parser_and_no_embedder(cluster: Cluster, tmp_path: Path) -> None:
    with copied(cluster, TEMPLATE) as db:
        company = found(db, stocked=False)
        with client_of(parts_of(db, embedder=OnnxEmbedder(threads=1))) as client, worker(tmp_path, db) as process:
            site, seen = Site(company, client, process), psutil.Process(process.child.pid)
            libraries = {Path(mapped.path).name.partition(".")[0] for mapped in seen.memory_maps()}
            assert seen.children() == []
            assert not {name for name in libraries if "onnxruntime" in name}
            assert site.put("cleo", "handbook", "a.md", PAGE, "everyone")["state"] == "indexed"
            assert [child.cmdline()[1:3] for child in seen.children()] == [["-m", "ingest.zygote"]]


def pdf(words: str, *, password: str | None = None) -> bytes:
    """A page of these words, protected if a password is given."""
    made = FPDF()
    made.add_page()
    made.set_font("helvetica")
    made.cell(text=words)
    writer = PdfWriter(PdfReader(io.BytesIO(bytes(made.output()))))
    if password is not None:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_an_upload_becomes_searchable_for_its_readers_alone(site: Site) -> None:
    job = site.put("hank", "hr", "pay/bands.md", b"# Pay bands\n\nBand seven earns forty florins a day.", "hr")
    assert (job["state"], job["reason"]) == ("indexed", None)
    assert set(job["stages_us"]) == {"take", "extract", "split", "embed", "write"}
    assert site.finds("ada", "What does band seven earn?")[0] == "pay/bands.md"
    assert "pay/bands.md" not in site.finds("ben", "What does band seven earn?")
    rows = site.rows_of("pay/bands.md")
    assert all(rows[name] for name in DERIVED)
    assert {row["scope_id"] for name in rows for row in rows[name]} == {rows["document"][0]["scope_id"]}
    seen = site.client.get(f"/api/v1/documents/{job['document']}", headers=site.company.headers("ada")).json()
    assert "forty florins" in seen["passages"][-1]["text"]
    [indexed] = [r for r in site.company.records("document.indexed") if r["document"] == job["document"]]
    assert indexed["chunks"] == len(rows["chunk"])
    [kept] = site.company.rows("select content from ingest_job where id = %s", [job["id"]])
    assert kept["content"] is None


def test_the_same_bytes_are_no_work(site: Site) -> None:
    first = site.put("cleo", "handbook", "badges.md", PAGE, "everyone")
    before = site.rows_of("badges.md")
    again = site.put("cleo", "handbook", "badges.md", PAGE, "everyone")
    assert (first["state"], again["state"]) == ("indexed", "unchanged")
    assert again["document"] == first["document"]
    assert again["stages_us"] is None
    assert site.rows_of("badges.md") == before


def test_changed_tags_move_the_document_and_embed_nothing(site: Site) -> None:
    page = PAGE + b"\n\nThe moving page."
    site.put("cleo", "handbook", "moving.md", page, "everyone")
    assert site.finds("ben", "the moving page")[0] == "moving.md"
    before = site.rows_of("moving.md")
    moved = site.put("cleo", "handbook", "moving.md", page, "hr")
    after = site.rows_of("moving.md")
    assert moved["state"] == "indexed"
    assert moved["stages_us"] is None  # no stage was run: nothing was parsed, nothing embedded
    scope = after["document"][0]["scope_id"]
    assert scope != before["document"][0]["scope_id"]
    for name in DERIVED:
        assert {row["scope_id"] for row in after[name]} == {scope}
        apart = [{k: v for k, v in row.items() if k != "scope_id"} for row in after[name]]
        assert apart == [{k: v for k, v in row.items() if k != "scope_id"} for row in before[name]]
    assert "moving.md" not in site.finds("ben", "the moving page")
    assert site.finds("ada", "the moving page")[0] == "moving.md"


def test_unchanged_is_for_who_could_read_what_stood_there(site: Site) -> None:
    """cleo curates the collection and may not read it: 'unchanged' would confirm a guess of hers."""
    page = b"# Reviews\n\nThe review of the spring is hard."
    site.put("hank", "hr", "reviews.md", page, "hr")
    assert site.put("cleo", "hr", "reviews.md", page, "hr")["state"] == "indexed"
    assert site.put("hank", "hr", "reviews.md", page, "hr")["state"] == "unchanged"


# Bad files by their names, and the reason that is given.
BAD = {
    "locked.pdf": (pdf("Locked words", password="x"), "protected by a password"),
    "broken.docx": (b"PK\x03\x04 not really", "damaged"),
    "broken.pdf": (b"%PDF-1.7\nnothing", "damaged"),
    "blank.txt": (b" \n\n\t ", "no text"),
    "program.exe": (b"MZ\x90\x00" + bytes(200), "not supported"),
}


def test_a_failed_version_leaves_the_old_one_standing(site: Site) -> None:
    site.put("cleo", "handbook", "plan.pdf", pdf("The plan is to row across the lake."), "everyone")
    before = site.rows_of("plan.pdf")
    job = site.put("cleo", "handbook", "plan.pdf", pdf("Another plan.", password="x"), "hr")
    assert job["state"] == "failed"
    assert site.rows_of("plan.pdf") == before  # its rule too: the tags of the failed upload count for nothing
    assert site.finds("ben", "row across the lake")[0] == "plan.pdf"


def test_every_file_ends_and_a_bad_one_with_a_reason(site: Site) -> None:
    files = {f"{n}.md": f"# Page {n}\n\nWords of page {n}.".encode() for n in range(12)}
    files |= {path: content for path, (content, _) in BAD.items()}
    jobs = {path: site.upload("cleo", "handbook", path, content, "everyone") for path, content in files.items()}
    ended = {path: site.end_of("cleo", job) for path, job in jobs.items()}
    assert [path for path, job in ended.items() if job["state"] != "indexed"] == list(BAD)
    for path, (_, reason) in BAD.items():
        assert (ended[path]["state"], ended[path]["document"]) == ("failed", None), path
        assert reason in ended[path]["reason"], path
        assert site.rows_of(path)["document"] == []
        assert [r["job"] for r in site.company.records("document.failed")].count(jobs[path]) == 1
    assert site.company.rows("select 1 from ingest_job where state in ('queued', 'running')") == []
    kept = site.company.rows("select id from ingest_job where content is not null")
    here = {str(row["id"]) for row in kept} & set(jobs.values())
    assert here == {jobs[path] for path in BAD}, "those that failed, until they are retried"
    assert site.company.rows("select 1 from procrastinate_jobs where queue_name = 'ingest' and status = 'doing'") == []


def test_two_uploads_to_one_path_end_as_the_later_one(site: Site) -> None:
    texts = [f"# Version {n}\n\nThe version is number {n}." for n in range(5)]
    jobs = [site.upload("cleo", "handbook", "versions.md", text.encode(), "everyone") for text in texts]
    assert [site.end_of("cleo", job)["state"] for job in jobs] == ["indexed"] * 5
    rows = site.rows_of("versions.md")
    assert rows["document"][0]["version"] == 5
    assert "number 4" in rows["chunk"][-1]["text"]


def test_deletion_takes_everything_along(site: Site) -> None:
    job = site.put("cleo", "handbook", "gone.md", PAGE + b"\n\nSoon to be gone.", "everyone")
    gone = [row["id"] for row in site.rows_of("gone.md")["document"]]
    answer = site.client.delete(f"/api/v1/documents/{job['document']}", headers=site.company.headers("cleo"))
    assert answer.status_code == 204
    for column in ("document.id", "original.document_id", "chunk.document_id", "posting.document_id"):
        table = column.partition(".")[0]
        assert site.company.rows(f"select 1 from {table} where {column} = any (%s)", [gone]) == [], table
    assert site.company.rows("select 1 from vector_row where chunk_id not in (select id from chunk)") == []
    assert "gone.md" not in site.finds("ben", "soon to be gone")
    assert site.company.records("document.deleted")[-1]["document"] == job["document"]
