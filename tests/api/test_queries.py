"""Query parameters: what a route does not know is refused by name, on every route; lists come in pages."""

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.client.api import Client
from app.main import create_routes
from app.web.http.route_table import ANY_QUERY, RouteTable, ServedRoute
from tests.api.pages import every
from tests.api.problems import ABSENT, check_page, check_problem
from tests.support.company import Company, administering
from tests.support.service import parts_of, serve

ROUTES = [(m, route) for route in RouteTable(create_routes()).routes for m in sorted(route.methods - {"HEAD"})]
LISTS = sorted(route.template for method, route in ROUTES if method == "GET" and {"limit", "after"} <= route.query)


def path_of(route: ServedRoute) -> str:
    mounted = "/swagger-ui.css" if route.template.endswith("/static") else ""
    return re.sub(r"{\w+}", str(ABSENT), route.template) + mounted


def test_an_unknown_parameter_is_refused_by_name_on_every_route(client: TestClient, company: Company) -> None:
    """Behind the key and before anything else: for a thing that is absent as for one that is hidden."""
    assert len(ROUTES) > 55
    for method, route in ROUTES:
        if route.template in ANY_QUERY:
            continue
        path = path_of(route)
        unsigned = client.request(method, f"{path}?documnt=1")
        signed = client.request(method, f"{path}?documnt=1", headers=company.headers("ben"))
        if route.page:
            check_page(signed, 422, "InvalidInput")
            detail = html.unescape(signed.text)
        else:
            check_problem(unsigned, *((422, "InvalidInput") if route.public else (401, "NotSignedIn")))
            check_problem(signed, 422, "InvalidInput")
            detail = signed.json()["detail"]
        assert [name for name in ("'documnt'", *route.query) if name not in detail] == [], route.template


def test_a_parameter_given_twice_is_refused(client: TestClient, company: Company) -> None:
    """One of the two would be ignored, and an auditor would not know which."""
    answer = client.get("/api/v1/audit/events?kind=search.done&kind=audit.read", headers=company.headers("audrey"))
    check_problem(answer, 422, "InvalidInput")
    assert "'kind' once" in answer.json()["detail"]


def test_a_name_is_shown_cut_and_without_what_a_terminal_obeys(client: TestClient, company: Company) -> None:
    odd = "%1b]0;x%07" + "y" * 500
    detail = client.get(f"/api/v1/users/me?{odd}", headers=company.headers("ben")).json()["detail"]
    assert "\x1b" not in detail
    assert len(detail) < 250


def test_every_list_is_paged() -> None:
    named = "users roles collections documents keys delegations jobs conversations grants access/plans access/readers"
    deeper = "access/reach audit/events audit/heads collections/{name}/folders conversations/{conversation}"
    deeper += " sessions passkeys directories roles/claimed-groups feedback roles/{name}/members leak-tests"
    deeper += " access/reviews access/reviews/{review}/items collections/{name}/tree collections/{name}/documents"
    deeper += " audit/exports audit/queries audit/checkpoints audit/shown audit/openings users/me/openings"
    deeper += " audit/exposure audit/stale-answers audit/deliveries erasures holds retention"
    deeper += " audit/deliveries/{target}/dead-letters"
    deeper += " audit/unusual"
    assert sorted(f"/api/v1/{name}" for name in f"{named} {deeper}".split()) == LISTS
    schema = create_routes().openapi()["paths"]
    for path, operations in schema.items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if answer.get("application/json", {}).get("schema", {}).get("type") == "array":
            assert path in LISTS


def test_pages_together_are_the_list(client: TestClient, company: Company) -> None:
    send = administering(client, company)
    for number in range(4):
        send("PUT", f"/collections/handbook/access?folder=f{number}", {"grants": [{"role": "hr"}]})
        grant = {
            "change": "grant",
            "collection": "handbook",
            "grant": {"user": "ben", "ends_at": f"209{number}-01-01T00:00:00Z"},
        }
        send("POST", "/access/plans", {"changes": [grant]})
    document = company.documents["handbook", "leave.md"]
    for path, who in (
        ("users", "root"),
        ("roles", "root"),
        ("collections", "root"),
        ("documents", "cleo"),
        ("keys", "root"),
        ("jobs", "cleo"),
        ("access/plans", "root"),
        ("collections/handbook/folders", "root"),
        ("collections/handbook/tree", "cleo"),
        (f"access/readers?document={document}", "cleo"),
        ("access/reach?user=ada", "root"),
    ):
        headers = company.headers(who)
        whole = client.get(f"/api/v1/{path}", headers=headers).json()
        assert len(whole) > 1, path
        assert every(client, f"/api/v1/{path}", headers, 1) == whole, path
        assert every(client, f"/api/v1/{path}", headers, len(whole)) == whole, path
    records = every(client, "/api/v1/audit/events", company.headers("audrey"), 7)
    assert [r["seq"] for r in records] == sorted({r["seq"] for r in records})


def test_a_page_neither_repeats_nor_skips_when_others_come(client: TestClient, company: Company) -> None:
    root = company.headers("root")
    first = client.get("/api/v1/roles?limit=2", headers=root)
    administering(client, company)("POST", "/roles", {"name": "aaa"})
    second = client.get("/api/v1/roles" + first.links["next"]["url"], headers=root)
    assert [r["name"] for r in (*first.json(), *second.json())] == ["engineering", "hr", "managers"]


def test_a_place_that_no_list_gave_is_refused(client: TestClient, company: Company) -> None:
    for after in ("x", "WyJhIl0", "bnVsbA", "W1tbW1tbW1tb", "%00", "a" * 2001):
        answer = client.get(f"/api/v1/users?after={after}", headers=company.headers("root"))
        check_problem(answer, 422, "InvalidInput")


def test_the_client_reads_all_pages(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.client.api.PAGE", 2)
    with serve(parts_of(company.db)) as url, Client(url, company.keys["root"]) as root:
        names = [user["name"] for user in root.pages("/users")]
        assert names == sorted(names)
        assert len(names) > 7
        assert [k["user"] for k in root.pages("/keys", user="ben")] == ["ben"]


def test_a_service_learns_who_it_acts_for_and_no_more(client: TestClient, company: Company, bot: Any) -> None:
    """Not the roles, which say what the person may read, nor what they could do by themselves."""
    answer = client.get("/api/v1/users/me", headers=bot.headers("mia")).json()
    assert set(answer) == {"id", "name", "capabilities"}
    assert answer["name"] == "mia"
    assert "download" in client.get("/api/v1/users/me", headers=company.headers("mia")).json()["capabilities"]


def test_the_log_has_the_address_as_declared_proxies_tell_it(company: Company) -> None:
    api = parts_of(company.db).settings.api.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with serve(parts_of(company.db, api=api)) as url, Client(url, company.keys["ben"]) as ben:
        ben._http.headers["X-Forwarded-For"] = "6.6.6.6, 203.0.113.9"
        ben.post("/search", {"query": "leave"})
    [record] = company.records("search.done")
    assert record["actor"]["address"] == "203.0.113.9"
