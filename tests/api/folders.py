"""Documents and rules below the folders of the hr collection."""

import uuid
from typing import Any

from fastapi.testclient import TestClient

from tests.support.company import Company

ACCESS = "/api/v1/collections/hr/access"


def put(client: TestClient, company: Company, path: str, who: str = "cleo", *, text: str = "", **tags: Any) -> None:
    """Upload a document, which inherits unless it has tags; what it says is the content of this path or of `text`."""
    answer = client.post(
        "/api/v1/collections/hr/documents",
        headers=company.headers(who),
        files={"file": ("file.md", content(text or path))},
        data={"path": path, **(tags or {"inherits": "true"})},
    )
    assert answer.status_code == 202, answer.text


def content(path: str) -> bytes:
    return f"# {path}\n\nWhat stands in {path}.".encode()


def seen(client: TestClient, company: Company, who: str) -> set[str]:
    """What this person reads of the hr collection (the company's own document there left out)."""
    answer = client.get("/api/v1/documents", params={"collection": "hr"}, headers=company.headers(who))
    return {d["path"] for d in answer.json()} - {"salaries.md"}


def rule(client: TestClient, company: Company, folder: str, body: dict[str, Any], who: str = "root") -> Any:
    return client.put(ACCESS, params={"folder": folder}, json=body, headers=company.headers(who))


def ids(company: Company) -> dict[str, uuid.UUID]:
    rows = company.rows("select path, public_id from document where collection_id ="
                        " (select id from collection where name = 'hr')")  # fmt: skip
    return {row["path"]: row["public_id"] for row in rows}
