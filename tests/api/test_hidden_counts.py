"""What a file hides is counted by the worker, under its own database role, and read by the uploader over the API: the
tests of parsers hold the counts, this one their way.
"""

import uuid
from dataclasses import replace

from fastapi.testclient import TestClient

from app.db.engine import connect
from app.embedding.hashed import HashedEmbedder
from ingest import pipeline
from ingest.document import Extracted
from tests.support.company import Company, upload
from tests.support.worker import extract_markdown


def test_an_uploader_is_told_how_much_a_file_hides(client: TestClient, company: Company) -> None:
    given = {"collection": "hr", "path": "a.md", "content": b"# A\n\nText.", "roles": ["hr"]}
    job = upload(client, company, "cleo", **given)["id"]
    engine = connect(company.db.url("ingest"), pool_size=1)

    def extract(content: bytes, filename: str) -> Extracted:
        return replace(extract_markdown(content, filename), hidden={"comments": 2})

    try:
        pipeline.work(pipeline.WorkerComponents(engine, HashedEmbedder(), extract), uuid.UUID(job))
    finally:
        engine.dispose()
    ended = client.get(f"/api/v1/jobs/{job}", headers=company.headers("cleo")).json()
    assert (ended["state"], ended["hidden"]) == ("indexed", {"comments": 2})
