"""A missing user, role, collection or folder is named to who may know of it; for others absent and hidden are alike."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.errors import NotFound
from tests.support.company import ROLES, Company

ROLE = sorted(ROLES)[0]


@pytest.mark.parametrize(
    ("method", "path", "body", "missing"),
    [
        ("PATCH", "/users/nemo", {"active": True}, "No user is named 'nemo'."),
        ("DELETE", "/roles/nemo", None, "No role is named 'nemo'."),
        ("PUT", f"/roles/{ROLE}/members/nemo", None, "No user is named 'nemo'."),
        ("PUT", "/roles/nemo/members/ben", None, "No role is named 'nemo'."),
        ("PUT", f"/roles/nemo/inside/{ROLE}", None, "No role is named 'nemo'."),
        ("POST", "/keys", {"user": "okta:nemo"}, "No user is named 'okta:nemo'."),
        ("PUT", "/collections/nemo/curators/ben", None, "No collection is named 'nemo'."),
        ("GET", "/collections/nemo/access", None, "No collection is named 'nemo'."),
        ("DELETE", "/collections/handbook/access?folder=a", None, "The folder 'a' has no rule of its own."),
    ],
)
def test_an_administrator_is_told_what_is_missing(
    client: TestClient, company: Company, method: str, path: str, body: Any, missing: str
) -> None:
    answer = client.request(method, f"/api/v1{path}", json=body, headers=company.headers("root"))
    assert answer.status_code == 404, answer.text
    assert answer.json()["detail"] == missing


def test_a_user_of_our_own_is_as_missing_as_any(client: TestClient, company: Company) -> None:
    """Names in `_` stand in the table, and the words do not tell."""
    texts = {
        client.patch(f"/api/v1/users/{name}", json={"active": True}, headers=company.headers("root")).text.replace(
            name, "X"
        )
        for name in ("_everyone", "_nemo")
    }
    assert len(texts) == 1


def test_who_may_not_know_is_told_nothing(client: TestClient, company: Company) -> None:
    """A reader gets the same bytes for a collection that is hidden and for one that is not there."""
    hidden = {c["name"] for c in client.get("/api/v1/collections", headers=company.headers("root")).json()} - {
        c["name"] for c in client.get("/api/v1/collections", headers=company.headers("ben")).json()
    }
    assert hidden
    for name in (*hidden, "nemo"):
        answer = client.get(f"/api/v1/collections/{name}", headers=company.headers("ben"))
        assert answer.json()["detail"] == NotFound.NOTHING
