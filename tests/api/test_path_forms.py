"""A rule and an upload that a person would write alike mean one place; what means none is refused by every route."""

import unicodedata
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.folders import ACCESS, put, rule, seen
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.worker import work_queued

CLOSED: dict[str, Any] = {"grants": [], "inherits": False}
# Each is refused: it cannot be seen, steers the line, leaves the folder, or is no text.
REFUSED = ["pay\u200f", "p\u2028ay", "pa\u202ey", "pay\u200b", "pay\x07", "pay\\x", "pay/../x", "pay//x", "pay/.", " ",
           "pay\ufe0f", "a" * 300]  # fmt: skip


@pytest.mark.parametrize(
    "spelled", ["bu\u0308ro/lo\u0308hne", " büro/löhne ", "büro /\u00a0löhne", "/büro/löhne/", "büro/lo\u0308hne\u3000"]
)
def test_a_folder_rule_applies_however_it_is_spelled(client: TestClient, company: Company, spelled: str) -> None:
    """To what is there, and to what comes in another spelling. On 686199e it was accepted and applied to nothing."""
    put(client, company, "büro/löhne/a.md")
    work_queued(company.db)
    answer = rule(client, company, spelled, CLOSED)
    assert (answer.status_code, answer.json()["documents"]) == (200, 1)
    put(client, company, unicodedata.normalize("NFD", "büro/löhne/") + "b.md")
    work_queued(company.db)
    assert seen(client, company, "ada") == set()
    [folder] = client.get("/api/v1/collections/hr/folders", headers=company.headers("cleo")).json()
    assert folder["path"] == "büro/löhne"
    gone = client.delete(ACCESS, params={"folder": spelled}, headers=company.headers("root"))
    assert gone.status_code == 204
    assert seen(client, company, "ada") == {"büro/löhne/a.md", "büro/löhne/b.md"}


def test_a_plan_finds_the_folder_however_it_is_spelled(client: TestClient, company: Company) -> None:
    """A grant is added to the rule that is there: to a folder of another spelling it would have been the first one."""
    rule(client, company, "büro", {"grants": [{"effect": "deny", "role": "engineering"}]})
    change = {"change": "grant", "collection": "hr", "folder": "bu\u0308ro ", "grant": {"role": "managers"}}
    made = client.post("/api/v1/access/plans", json={"changes": [change]}, headers=company.headers("root"))
    applied = client.post(f"/api/v1/access/plans/{made.json()['id']}/apply", headers=company.headers("root"))
    assert applied.status_code == 200, applied.text
    found = client.get(ACCESS, params={"folder": "büro"}, headers=company.headers("cleo")).json()["grants"]
    assert sorted((g["effect"], g["role"]) for g in found) == [("allow", "managers"), ("deny", "engineering")]


def test_a_search_filters_by_a_folder_however_it_is_spelled(client: TestClient, company: Company) -> None:
    put(client, company, "büro/a.md")
    work_queued(company.db)
    body = {"query": "What stands in it?", "folder": "/bu\u0308ro/"}
    hits = client.post("/api/v1/search", json=body, headers=company.headers("ada")).json()["hits"]
    assert {hit["path"] for hit in hits} == {"büro/a.md"}


@pytest.mark.changes_nothing
@pytest.mark.parametrize("path", REFUSED)
def test_what_is_no_path_is_refused_by_every_route(client: TestClient, company: Company, path: str) -> None:
    """With one error, so that no surface goes on with a place of its own."""
    [document] = [company.documents["hr", "salaries.md"]]
    upload = {"files": {"file": ("f.md", b"# A\n\nText.")}, "data": {"path": f"{path}/a.md", "inherits": "true"}}
    manifest = {"files": {"file": ("m", f"{'0' * 64}  {path}/a.md".encode())}}
    folder: dict[str, Any] = {"params": {"collection": "hr", "folder": path}}
    change = {"change": "rule", "collection": "hr", "folder": path, "rule": CLOSED}
    requests: list[tuple[str, str, str, dict[str, Any]]] = [
        ("POST", "/collections/hr/documents", "cleo", upload),
        ("POST", "/collections/hr/sync", "cleo", manifest),
        ("PATCH", f"/documents/{document}", "cleo", {"json": {"path": f"{path}/a.md"}}),
        ("GET", "/collections/hr/access", "cleo", {"params": {"folder": path}}),
        ("PUT", "/collections/hr/access", "cleo", {"params": {"folder": path}, "json": CLOSED}),
        ("DELETE", "/collections/hr/access", "cleo", {"params": {"folder": path}}),
        ("GET", "/grants", "cleo", folder),
        ("POST", "/grants", "cleo", {**folder, "json": {"everyone": True}}),
        ("DELETE", f"/grants/{'0' * 32}", "cleo", folder),
        ("POST", "/access/plans", "cleo", {"json": {"changes": [change]}}),
        ("POST", "/search", "ada", {"json": {"query": "salary", "folder": path}}),
    ]
    before = company.rows(
        "select path from folder union all select path from ingest_job union all select path from document"
    )
    for method, route, who, request in requests:
        answer = client.request(method, f"/api/v1{route}", headers=company.headers(who), **request)
        check_problem(answer, 422, "InvalidInput")
        assert "path" in answer.json()["detail"], route
    after = company.rows(
        "select path from folder union all select path from ingest_job union all select path from document"
    )
    assert after == before


def test_a_folder_rule_says_what_it_is_about(client: TestClient, company: Company) -> None:
    """How many documents stand below it; a warning where none does, and where another folder looks the same."""
    put(client, company, "pay/2026/a.md")
    work_queued(company.db)
    told = rule(client, company, "pay", CLOSED, "cleo").json()
    # Each rule here is one under which nobody reads, which its answer says last.
    assert (told["documents"], told["warnings"][:-1]) == (1, [])
    assert "Nobody can read this" in told["warnings"][-1]
    other = rule(client, company, "Pay.", CLOSED, "cleo").json()
    assert other["documents"] == 0
    assert other["warnings"][:-1] == [
        "'pay' looks like 'Pay.' and is another folder: this rule is not about it",
        "no document stands below 'Pay.': the rule is for what comes there",
    ]
    whole = client.put(ACCESS, json={"grants": [{"role": "hr"}]}, headers=company.headers("root")).json()
    assert (whole["documents"], whole["warnings"]) == (None, [])


def test_who_does_not_curate_is_told_of_no_documents_folder(client: TestClient, company: Company) -> None:
    """Root rules every collection and lists no document of this one: a number, and folders with rules, are all."""
    put(client, company, "pay/a.md")
    work_queued(company.db)
    told = rule(client, company, "PAY", CLOSED).json()
    assert (told["documents"], told["warnings"][:-1]) == (
        0,
        ["no document stands below 'PAY': the rule is for what comes there"],
    )
    assert "'pay' looks like" in rule(client, company, "PAY", CLOSED, "cleo").json()["warnings"][0]


@pytest.mark.changes_nothing
@pytest.mark.parametrize("name", ["ｈｒ", "hr ", "hr\u200b", "HR", "һr"])
def test_no_rule_names_whom_it_only_looks_like(client: TestClient, company: Company, name: str) -> None:
    """Names of roles, people and collections are plain lower case; what looks like one is nobody, and said so."""
    for wrong in ({"role": name}, {"user": name}):
        assert rule(client, company, "pay", {"grants": [wrong]}).status_code == 422
    for route in ("/roles", "/users", "/collections"):
        made = client.post(f"/api/v1{route}", json={"name": name}, headers=company.headers("root"))
        check_problem(made, 422, "InvalidInput")
