"""Questions over HTTP, and what a streamed answer says."""

import json
from typing import Any

from fastapi.testclient import TestClient

from tests.support.company import Company

OWN_KEY = "AKIA" + "H3KQ7ZWNX5PLRT2V"  # a credential in a question
ON_LEAVE = "How many weeks of parental leave does an employee get?"
ON_SALARY = "What is the salary band of level five?"


def ask(client: TestClient, company: Company, who: str, question: str, **options: Any) -> Any:
    """One question."""
    return client.post("/api/v1/ask", json={"question": question, **options}, headers=company.headers(who))


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The server-sent events of a whole response."""
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        found.append((name[7:], json.loads(data[6:])))
    return found


def spoken(found: list[tuple[str, dict[str, Any]]]) -> str:
    """The text that the deltas make."""
    return "".join(data["text"] for name, data in found if name == "delta")
