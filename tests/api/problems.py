"""What every error over HTTP looks like."""

import re
import uuid
from typing import Any

from tests.support.company import SECRETS

ABSENT = uuid.UUID("11111111-2222-4333-8444-555555555555")  # an id of nothing


def check_problem(answer: Any, status: int, code: str) -> None:
    """The one shape of all errors, with nothing in it that could betray anything."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "code", "detail"}
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:clearance:error:{code}")
    assert body["title"]
    check_discreet(answer.text)


def check_discreet(text: str) -> None:
    """No document's words, no database number or relation, no SQL, no place in our source."""
    assert not [word for word in SECRETS if word in text]
    assert not re.search(
        r"select |insert |update |delete from|psycopg|sqlalchemy|Traceback|\.py\b|scope_id", text, re.I
    )
