"""Documents and rules below the folders of the hr collection."""

import uuid
from typing import Any

from fastapi.testclient import TestClient

from tests.support.company import Company

ACCESS = "/api/v1/collections/hr/access"


def put(
    client: TestClient, company: Company, path: str, *, inherits: bool = True, roles: list[str] | None = None
) -> None:
    """Upload a document as cleo, the collection's curator."""
    answer = client.post(
        "/api/v1/collections/hr/documents",
        headers=company.headers("cleo"),
        files={"file": ("file.md", f"# {path}\n\nWhat stands in {path}.".encode())},
        data={"path": path, "roles": roles or [], "inherits": str(inherits).lower()},
    )
    assert answer.status_code == 202, answer.text


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
