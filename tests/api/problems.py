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


def error_code(answer: Any) -> str | None:
    """The code that a problem or an error page says; None for what is no error."""
    if answer.headers.get("content-type") == "application/problem+json":
        return str(answer.json()["code"])
    found = re.search(r'<code class="code">(\w+)</code>', answer.text)
    return found[1] if found else None


def check_page(answer: Any, status: int, code: str) -> None:
    """An error as somebody in front of a browser sees it, with nothing in it that could betray anything."""
    assert (answer.status_code, error_code(answer)) == (status, code), answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    check_discreet(answer.text)


def check_discreet(text: str) -> None:
    """No document's words, no database number or relation, no SQL, no place in our source."""
    assert not [word for word in SECRETS if word in text]
    assert not re.search(
        r"select |insert |update |delete from|psycopg|sqlalchemy|Traceback|\.py\b|scope_id", text, re.I
    )
