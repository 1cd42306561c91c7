"""Whoever changes access takes the policy epoch before any row: two that took a row and the epoch the other way round
would wait for each other. The tests of single changes run alone and would not see it.
"""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from app.db.engine import connect
from app.embedding.hashed import HashedEmbedder
from ingest import pipeline
from ingest.document import Extracted
from ingest.upkeep import COLLECT
from tests.support.company import DOCUMENTS, Company, upload
from tests.support.waiting import wait_for
from tests.support.worker import extract_markdown

API = "/api/v1"
ROWS = ("access_plan", "collection", "folder", "document", "ingest_job", "scope", "app_user", "role", "api_key")
WAITING = (
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    " and wait_event_type = 'Lock'"
)
RULE = {"grants": [{"role": "engineering"}], "label": "confidential", "inherits": False}
GRANT = {"role": "engineering"}
MANIFEST = {"file": ("manifest", b"-  nothing.md\n")}
DOCUMENT_CHANGE = {"change": "grant", "document": "{document}", "grant": GRANT}
# By the curator of hr; the last one takes the document away.
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "rule of a collection": ("PUT", "/collections/hr/access", {"json": RULE}),
    "rule of a folder": ("PUT", "/collections/hr/access?folder=pay", {"json": RULE}),
    "rule of a document": ("PUT", "/documents/{document}/access", {"json": RULE}),
    "grant on a document": ("POST", "/grants?document={document}", {"json": GRANT}),
    "grant on a collection": ("POST", "/grants?collection=hr", {"json": GRANT}),
    "plan for a document": ("POST", "/access/plans", {"json": {"changes": [DOCUMENT_CHANGE]}}),
    "move": ("PATCH", "/documents/{document}", {"json": {"path": "pay/salaries.md"}}),
    "look at a sync": ("POST", "/collections/hr/sync", {"files": MANIFEST}),
    "upload under a new rule": (
        "POST",
        "/collections/hr/documents",
        {"files": {"file": ("new.md", b"# New")}, "data": {"roles": ["engineering"], "label": "public"}},
    ),
    "removal": ("DELETE", "/documents/{document}", {}),
}


def held_while_waiting(company: Company, act: Callable[[Callable[[], object]], Any]) -> tuple[Any, set[str]]:
    """What `act` gives, and the tables of which somebody held a row while it waited for the epoch.

    The epoch is somebody else's from the moment at which `act` calls what it is given.
    """
    with psycopg.connect(company.db.libpq("admin")) as other, ThreadPoolExecutor(1) as thread:
        going = thread.submit(act, lambda: other.execute("select from policy_epoch for update"))
        wait_for(lambda: going.done() or company.rows(WAITING)[0]["count"])
        assert not going.done(), f"it did not wait for the epoch: {going.result()}"
        held = {table for table in ROWS if rows_held(company, table)}
        other.rollback()
        return going.result(), held


def rows_held(company: Company, table: str) -> int:
    """How many rows of a table are locked, in whatever way."""
    free = f"select count(*) from (select from {table} for update skip locked) as free"
    return int(company.rows(f"select (select count(*) from {table}) - ({free}) as held")[0]["held"])


@pytest.mark.parametrize("what", REQUESTS)
def test_a_request_waits_for_the_epoch_with_empty_hands(client: TestClient, company: Company, what: str) -> None:
    method, path, body = REQUESTS[what]
    document = company.documents["hr", "salaries.md"]
    if "json" in body:
        body = {"json": json.loads(json.dumps(body["json"]).replace("{document}", str(document)))}

    def send(take: Callable[[], object]) -> Any:
        take()
        return client.request(method, API + path.format(document=document), headers=company.headers("cleo"), **body)

    answer, held = held_while_waiting(company, send)
    assert held == set()
    assert answer.is_success, answer.text


@pytest.mark.parametrize("text", ["same bytes", "other bytes"])
def test_the_worker_waits_for_the_epoch_with_empty_hands(client: TestClient, company: Company, text: str) -> None:
    """In each of its transactions: the first looks whether the bytes are the same, the second writes others."""
    content = DOCUMENTS["hr", "salaries.md"] if text == "same bytes" else "# Other\n\nOther words."
    given = {"collection": "hr", "path": "salaries.md", "content": content.encode(), "roles": ["engineering"]}
    job = uuid.UUID(upload(client, company, "cleo", **given)["id"])
    engine = connect(company.db.url("ingest"), pool_size=1)

    def work(take: Callable[[], object]) -> None:
        def extract(content: bytes, filename: str) -> Extracted:
            take()
            return extract_markdown(content, filename)

        if text == "same bytes":
            take()
        pipeline.work(pipeline.WorkerComponents(engine, HashedEmbedder(), extract), job)

    try:
        _, held = held_while_waiting(company, work)
    finally:
        engine.dispose()
    assert held == set()
    [moved] = company.records("policy.changed")[-1:]
    assert (moved["action"], moved["writer"]) == ("document.moved", "clearance_ingest")


def test_the_collector_waits_for_the_epoch_with_empty_hands(company: Company) -> None:
    """Also of the uploads that it removes."""
    engine = connect(company.db.url("ingest"), pool_size=1)

    def collect(take: Callable[[], object]) -> None:
        take()
        with engine.begin() as connection:
            connection.exec_driver_sql(COLLECT, {"days": 0})

    try:
        _, held = held_while_waiting(company, collect)
    finally:
        engine.dispose()
    assert held == set()
    uploads = "select from ingest_job where path <> 'canary'"
    assert company.rows(uploads) == []
