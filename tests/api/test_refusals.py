"""Refusals leave a record: changes that are not somebody's to make, and sign-ins that failed, bounded."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.admin.refusals import MAX_SOURCES, WINDOW_SECONDS, FailedSignIns, SignInSource
from app.identity.api_keys import make_key
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.service import app_of, client_of, parts_of

ME = "/api/v1/users/me"


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "code"),
    [
        ("ada", "POST", "/roles", {"name": "x"}, "MissingCapability"),
        ("hank", "PUT", "/collections/handbook/access", {"grants": []}, "NotAllowed"),
        ("nora", "PUT", "/roles/hr/members/ben", None, "MissingCapability"),
        ("cleo", "POST", "/grants?collection=hr", {"user": "cleo"}, "SelfGrant"),
        ("ada", "DELETE", "/documents/00000000-0000-0000-0000-000000000000", None, "MissingCapability"),
    ],
)
def test_a_refused_change_is_recorded(
    client: TestClient, company: Company, who: str, method: str, path: str, body: Any, code: str
) -> None:
    """By name, with the reason and the route; whatever refused it, a dependency or the route itself."""
    answer = client.request(method, f"/api/v1{path}", json=body, headers=company.headers(who))
    check_problem(answer, 403, code)
    [record] = company.records("change.refused")
    assert (record["actor"]["name"], record["reason"]) == (who, code)
    assert record["route"].startswith(f"{method} /")
    assert "{" in record["route"] or "?" not in record["route"], "the route's template, never what was sent"


def test_what_is_not_a_change_leaves_none(client: TestClient, company: Company) -> None:
    """Refused reads and questions; what is not there; what is merely wrong."""
    for method, path, body in (
        ("GET", "/users", None),
        ("POST", "/ask", {"question": "What?"}),
        ("DELETE", "/roles/nothing", None),
        ("POST", "/roles", {"nome": "x"}),
    ):
        client.request(
            method, f"/api/v1{path}", json=body, headers=company.headers("nora" if path != "/roles" else "root")
        )
    assert [r["route"] for r in company.records("change.refused")] == ["DELETE /roles/{name}"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [("expired", "expired key"), ("revoked", "revoked key"), ("unknown", "unknown key"), ("shapeless", "no key")],
)
def test_a_failed_sign_in_is_recorded(client: TestClient, company: Company, key: str, reason: str) -> None:
    """With the public prefix of a key of ours, and nothing of one that is not; never the key."""
    secret = {"unknown": make_key().secret, "shapeless": "hunter2"}.get(key) or company.keys[key]
    check_problem(client.get(ME, headers={"Authorization": f"Bearer {secret}"}), 401, "NotSignedIn")
    [record] = company.records("signin.refused")
    assert (record["reason"], record["count"], record["actor"]["user"]) == (reason, 1, None)
    assert record["prefix"] == (secret[:12] if key in company.keys else None)
    assert secret.removeprefix(record["prefix"] or "") not in str(company.rows("select body from audit_leaf"))


def test_a_service_alone_and_the_switched_off(client: TestClient, company: Company) -> None:
    root = company.headers("root")
    client.post("/api/v1/users", json={"name": "bot", "kind": "service", "capabilities": ["ask"]}, headers=root)
    made = client.post("/api/v1/keys", json={"user": "bot", "capabilities": ["ask"]}, headers=root).json()
    client.get(ME, headers={"Authorization": f"Bearer {made['secret']}"})
    client.patch("/api/v1/users/ben", json={"active": False}, headers=root)
    client.get(ME, headers=company.headers("ben"))
    assert [r["reason"] for r in company.records("signin.refused")] == ["service alone", "switched off"]


def test_without_a_key_nothing_is_recorded(client: TestClient, company: Company) -> None:
    client.get(ME)
    client.get("/api/v1/users")
    assert company.records("signin.refused") == []


def test_a_stranger_cannot_fill_the_log(client: TestClient, company: Company) -> None:
    """Forty wrong keys in a minute are one record, and one more with the number of the rest when the minute is over."""
    for _ in range(40):
        client.get(ME, headers={"Authorization": f"Bearer {make_key().secret}"})
    assert [r["count"] for r in company.records("signin.refused")] == [1]
    failed: FailedSignIns = app_of(client).state.failed_sign_ins
    failed._began -= WINDOW_SECONDS
    assert client.get(ME, headers=company.headers("ben")).status_code == 200
    assert [r["count"] for r in company.records("signin.refused")] == [1, 39]


def test_the_end_of_the_process_loses_no_number(company: Company) -> None:
    with client_of(parts_of(company.db)) as client:
        for _ in range(3):
            client.get(ME, headers={"Authorization": f"Bearer {make_key().secret}"})
    assert [r["count"] for r in company.records("signin.refused")] == [1, 2]


def test_the_memory_is_bounded() -> None:
    """Beyond so many sources all others are one, without an address, and all are counted."""
    now = [0.0]
    failed = FailedSignIns(clock=lambda: now[0])
    first = [
        due for n in range(MAX_SOURCES + 50) for due in failed.add(SignInSource(f"10.0.0.{n}", None, "unknown key"))
    ]
    assert len(first) == MAX_SOURCES + 1
    now[0] = WINDOW_SECONDS + 1.0
    assert failed.due() == [(SignInSource(None, None, "many sources"), 49)]
    assert failed.due() == []
