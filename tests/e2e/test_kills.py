"""kill -9 in the middle of work: afterwards nothing is half-indexed, twice there, or missing from the audit trail."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest

from app.evidence.verify import verify
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, company_in, found
from tests.support.processes import Process, api, is_ready, sequencer, speaking_model, worker
from tests.support.questions import ON_LEAVE
from tests.support.service import client_of, parts_of
from tests.support.waiting import wait_for

HASHED = {"CLEARANCE_EMBEDDER__KIND": "hashed"}
# No passage says what the model says, and the first words must come while it speaks.
SPOKEN = {"CLEARANCE_ANSWER__GROUNDING": "mark"}
FILES = 40
GOOD = "# Parental leave\n\nEvery employee gets twenty-six weeks of parental leave after the first year."


@pytest.fixture
def company(cluster: Cluster) -> Iterator[Company]:
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


def page(number: int) -> bytes:
    """A document of several passages."""
    sections = [f"## Part {n} of {number}\n\n" + f"Term{number}x{n} and its meaning. " * 40 for n in range(6)]
    return f"# Book {number}\n\n{chr(10).join(sections)}".encode()


def upload_all(send: Any, company: Company) -> None:
    """Queue the files."""
    for number in range(FILES):
        answer = send(
            "/api/v1/collections/handbook/documents",
            headers=company.headers("cleo"),
            files={"file": ("book.md", page(number))},
            data={"path": f"books/{number}.md", "roles": ["everyone"]},
        )
        assert answer.status_code == 202, answer.text


def states(company: Company) -> dict[str, int]:
    """How many of the files are in which state."""
    rows = company.rows("select state, count(*) as n from ingest_job where path like 'books/%%' group by state")
    return {row["state"]: row["n"] for row in rows}


def check_whole(company: Company) -> int:
    """Assert that what is to be seen is whole, now; gives the number of documents.

    Foreign keys hold that no row is without its parent or under another scope than it (`test_worker.py`).
    """
    halves = company.rows("""
        select d.path from document d
        left join original o on o.document_id = d.id
        where d.path like 'books/%%' and (
          o.document_id is null
          or (select count(*) from chunk c where c.document_id = d.id) < 6
          or (select count(*) from chunk c where c.document_id = d.id)
             <> (select count(*) from chunk c join vector_row v on v.chunk_id = c.id where c.document_id = d.id)
          or (select count(*) from chunk c where c.document_id = d.id)
             <> (select count(distinct substr(p.entries, 8 * n + 1, 8)::bigint >> 25)
                 from posting p, generate_series(0, length(p.entries) / 8 - 1) n where p.document_id = d.id))
    """)
    assert halves == []
    orphans = company.rows("""
        select 1 from posting p, generate_series(0, length(p.entries) / 8 - 1) n
        where not exists (select 1 from chunk c where c.document_id = p.document_id
                          and c.id = substr(p.entries, 8 * n + 1, 8)::bigint >> 25)
    """)
    assert orphans == []
    # A document and the end of its upload are one commit, and so is the record of it.
    seen = company.rows("select path, public_id, version from document where path like 'books/%%'")
    ended = company.rows("select path from ingest_job where path like 'books/%%' and state = 'indexed'")
    assert sorted(d["path"] for d in seen) == sorted(j["path"] for j in ended)
    assert {d["version"] for d in seen} <= {1}
    recorded = [r["document"] for r in company.records("document.indexed")]
    assert all(recorded.count(str(d["public_id"])) == 1 for d in seen)
    return len(seen)


def wait_until_indexed(company: Company, running: Process, count: int) -> None:
    wait_for(lambda: states(company).get("indexed", 0) >= count, seconds=30, message=lambda: running.said)


def wait_until_all_indexed(company: Company, running: Process) -> None:
    wait_for(
        lambda: states(company) == {"indexed": FILES},
        seconds=60,
        message=lambda: f"{states(company)} {running.child.poll()}\n{running.said[-4000:]}",
    )
    assert check_whole(company) == FILES


def test_kill_the_worker_in_the_middle_of_an_ingest(company: Company, tmp_path: Path) -> None:
    with client_of(parts_of(company.db)) as client:
        upload_all(client.post, company)
    seen = 0
    for _ in range(2):
        with worker(tmp_path, company.db, **HASHED) as running:
            wait_until_indexed(company, running, seen + 5)
            family = psutil.Process(running.child.pid).children(recursive=True)
            running.kill()
        before, seen = seen, check_whole(company)
        assert before + 5 <= seen < FILES, "the worker was not in the middle of its work"
        psutil.wait_procs(family, timeout=10)
        assert not [p for p in family if p.is_running()]  # no parser outlives it
    with worker(tmp_path, company.db, **HASHED) as running:
        wait_until_all_indexed(company, running)
    left = "select 1 from procrastinate_jobs where status in ('doing', 'todo') and task_name = 'ingest.upload'"
    assert company.rows(left) == []


@contextlib.contextmanager
def streaming(url: str, company: Company) -> Iterator[tuple[str, Iterator[str]]]:
    """A streamed answer of which the first words have come: its trail, and the lines that follow."""
    body = {"question": ON_LEAVE, "stream": True, "mode": "generate"}
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        client.stream("POST", f"{url}/api/v1/ask", json=body, headers=company.headers("ben")) as answer,
    ):
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines) == "event: opened"
        trail = json.loads(next(lines).removeprefix("data: "))["trail"]
        while next(lines) != "event: delta":
            pass
        yield trail, lines


def outcomes(company: Company, trail: str) -> list[str]:
    """How the closing records of a trail say that it ended."""
    return [r["outcome"] for r in company.records("answer.closed") if r["trail"] == trail]


def check_log(company: Company, folder: Path, *, holds: str) -> None:
    """Export the whole log as an auditor and verify it offline; the trail must be in it, opened and closed."""
    leaves = "select count(*) as n from audit_leaf"
    placed = "select count(*) as n from audit_entry"
    wait_for(lambda: company.rows(leaves) == company.rows(placed), seconds=15, message="leaves wait for their place")
    with client_of(parts_of(company.db)) as client:
        export = client.get("/api/v1/audit/export", headers=company.headers("audrey"))
    assert export.status_code == 200
    file = folder / "audit.jsonl"
    file.write_bytes(export.content)
    report = verify(file)
    assert report.ok, report.findings
    records = [json.loads(json.loads(line)["record"]) for line in export.text.splitlines()[1:-1]]
    assert [r["kind"] for r in records if r["trail"] == holds] == ["answer.opened", "answer.closed"]


def test_kill_the_api_in_the_middle_of_a_streamed_answer(company: Company, tmp_path: Path) -> None:
    with speaking_model(pieces=600, delay=0.05) as model, sequencer(tmp_path, company.db, close_after=2):
        with (
            api(tmp_path, company.db, model_url=model, **SPOKEN) as (running, url),
            streaming(url, company) as (trail, lines),
        ):
            running.kill()
            with pytest.raises(httpx.TransportError):
                for _ in lines:
                    pass
        assert [r["trail"] for r in company.records("answer.opened")] == [trail]
        wait_for(lambda: outcomes(company, trail) == ["abandoned"], seconds=20, message="nobody closed the trail")
        check_log(company, tmp_path, holds=trail)
        with (
            api(tmp_path, company.db, model_url=model, **SPOKEN) as (_, url),
            streaming(url, company) as (again, _lines),
        ):
            assert again != trail


def test_kill_postgres_in_the_middle_of_everything(tmp_path: Path) -> None:
    """On a server of its own with normal durability: what was committed stands, what was not never was."""
    with contextlib.ExitStack() as stack:
        company = stack.enter_context(company_in(tmp_path))
        model = stack.enter_context(speaking_model(pieces=600, delay=0.05))
        stack.enter_context(sequencer(tmp_path, company.db, close_after=2))
        served, url = stack.enter_context(api(tmp_path, company.db, model_url=model, **SPOKEN))
        upload_all(lambda path, **form: httpx.post(f"{url}{path}", trust_env=False, **form), company)
        running = stack.enter_context(worker(tmp_path, company.db, **HASHED))
        trail, lines = stack.enter_context(streaming(url, company))
        wait_until_indexed(company, running, 5)
        seen = states(company)["indexed"]
        assert seen < FILES, "the worker was not in the middle of its work"

        server = company.db.cluster.server
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        refused = httpx.get(f"{url}/readyz", trust_env=False, timeout=20)
        assert (refused.status_code, refused.json()["code"]) == (503, "DatabaseUnavailable")
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        assert next(lines) is not None  # tokens flow without a connection
        time.sleep(2)
        server.start()

        assert check_whole(company) >= seen
        assert [r["trail"] for r in company.records("answer.opened")] == [trail]
        wait_for(lambda: is_ready(url), seconds=15, message=served.said)
        wait_until_all_indexed(company, running)
        assert running.child.poll() is None
        wait_for(lambda: bool(outcomes(company, trail)), seconds=20, message="nobody closed the trail")
        check_log(company, tmp_path, holds=trail)
        body, headers = {"question": ON_LEAVE, "mode": "quote"}, company.headers("ben")
        answer = httpx.post(f"{url}/api/v1/ask", json=body, headers=headers, trust_env=False)
        assert answer.json()["outcome"] == "quoted"
