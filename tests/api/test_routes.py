"""Every route has a declared access, holds to it, and refuses in one shape that betrays nothing."""

import re
import uuid
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from app.main import create
from tests.api.company import METRICS_KEY, SECRETS, Company, app_of, parts_of

# Any living key will do; a capability needs it of both key and person; public needs none.
ROUTES = {
    ("GET", "/healthz"): "public",
    ("GET", "/readyz"): "public",
    ("GET", "/api/v1/docs"): "public",
    ("GET", "/api/v1/openapi.json"): "public",
    ("GET", "/metrics"): "metrics key",
    ("POST", "/api/v1/ask"): "ask",
    ("POST", "/api/v1/search"): "ask",
    ("GET", "/api/v1/documents"): "key",
    ("GET", "/api/v1/documents/{document}"): "ask",
    ("GET", "/api/v1/documents/{document}/original"): "download",
    ("GET", "/api/v1/documents/{document}/access"): "curate",
    ("PUT", "/api/v1/documents/{document}/access"): "curate",
    ("DELETE", "/api/v1/documents/{document}"): "curate",
    ("POST", "/api/v1/collections/{name}/documents"): "curate",
    ("GET", "/api/v1/jobs"): "curate",
    ("GET", "/api/v1/jobs/{job}"): "curate",
    ("GET", "/api/v1/collections"): "key",
    ("POST", "/api/v1/collections"): "administer",
    ("GET", "/api/v1/collections/{name}"): "key",
    ("DELETE", "/api/v1/collections/{name}"): "administer",
    ("GET", "/api/v1/collections/{name}/access"): "key",
    ("PUT", "/api/v1/collections/{name}/access"): "key",
    ("PUT", "/api/v1/collections/{name}/curators/{user}"): "administer",
    ("DELETE", "/api/v1/collections/{name}/curators/{user}"): "administer",
    ("GET", "/api/v1/access/explain"): "key",
    ("GET", "/api/v1/grants"): "key",
    ("POST", "/api/v1/grants"): "key",
    ("DELETE", "/api/v1/grants/{grant}"): "key",
    ("GET", "/api/v1/users/me"): "key",
    ("GET", "/api/v1/users"): "administer",
    ("POST", "/api/v1/users"): "administer",
    ("PATCH", "/api/v1/users/{name}"): "administer",
    ("GET", "/api/v1/roles"): "administer or curate",
    ("POST", "/api/v1/roles"): "administer",
    ("DELETE", "/api/v1/roles/{name}"): "administer",
    ("PUT", "/api/v1/roles/{name}/members/{user}"): "administer",
    ("DELETE", "/api/v1/roles/{name}/members/{user}"): "administer",
    ("PUT", "/api/v1/roles/{name}/inside/{outer}"): "administer",
    ("DELETE", "/api/v1/roles/{name}/inside/{outer}"): "administer",
    ("GET", "/api/v1/keys"): "key",
    ("POST", "/api/v1/keys"): "administer",
    ("DELETE", "/api/v1/keys/{key}"): "key",
    ("GET", "/api/v1/audit/events"): "audit",
    ("GET", "/api/v1/audit/head"): "audit",
    ("GET", "/api/v1/audit/export"): "audit",
}
# Swagger UI's own files, out of its package; not a route of ours.
MOUNTS = {"/api/v1/docs/static"}
KEYED = sorted(route for route, access in ROUTES.items() if access not in {"public", "metrics key"})
BAD_KEYS = {
    "no key": None,
    "no scheme": "clr_abcdefgh_" + "x" * 43,
    "another scheme": "Basic clr_abcdefgh_" + "x" * 43,
    "malformed key": "Bearer not-a-key",
    "wrong key": "Bearer clr_abcdefgh_" + "x" * 43,
    "expired key": "expired",
    "revoked key": "revoked",
}
ABSENT = uuid.UUID("11111111-2222-4333-8444-555555555555")


def served(client: TestClient) -> set[tuple[str, str]]:
    """What the application really routes, by method and path."""
    found = set()
    for context in iter_route_contexts(app_of(client).routes):
        for method in (context.methods or set()) - {"HEAD"}:
            found.add((method, str(context.path)))
    return found


def path_for(template: str, **names: object) -> str:
    """The template with each name filled in; an absent document, key or job, an absent name otherwise."""
    return re.sub(r"\{(\w+)\}", lambda m: str(names.get(m[1], ABSENT)), template)


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


def test_every_route_is_declared(client: TestClient) -> None:
    mounted = {m for m in (getattr(r, "path", None) for r in app_of(client).routes) if m in MOUNTS}
    assert served(client) - {("GET", m) for m in mounted} == set(ROUTES)
    assert mounted == MOUNTS


def test_a_route_that_nobody_declared_is_found(company: Company) -> None:
    app = create(parts_of(company.db))
    app.add_api_route("/api/v1/back-door", lambda: None)
    assert served(TestClient(app)) - set(ROUTES) == {("GET", "/api/v1/back-door")}


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_no_route_opens_without_a_living_key(client: TestClient, company: Company, kind: str) -> None:
    given = BAD_KEYS[kind]
    value = f"Bearer {company.keys[given]}" if given in company.keys else given
    headers = {} if value is None else {"Authorization": value}
    bodies = set()
    for method, template in KEYED:
        answer = client.request(method, path_for(template), headers=headers)
        check_problem(answer, 401, "NotSignedIn")
        assert answer.headers["www-authenticate"] == "Bearer"
        bodies.add(answer.content)
    assert len(bodies) == 1


def test_public_routes_need_none(client: TestClient) -> None:
    for (method, template), access in ROUTES.items():
        if access == "public":
            assert client.request(method, template).status_code == 200


def test_metrics_have_a_key_of_their_own(client: TestClient, company: Company) -> None:
    check_problem(client.get("/metrics"), 401, "NotSignedIn")
    check_problem(client.get("/metrics", headers=company.headers("root")), 401, "NotSignedIn")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert 'route="/metrics",status="401"' in text
    check_discreet(text)
    assert not re.search("handbook|board|ada|leave", text)


CAPABLE = sorted(r for r in KEYED if ROUTES[r] != "key")


@pytest.mark.parametrize("route", CAPABLE, ids=lambda r: f"{r[0]} {r[1]}")
def test_a_key_without_the_capability_is_told_so(client: TestClient, company: Company, route: tuple[str, str]) -> None:
    """Whether or not the thing is there: both the person with the most otherwise and a weak key of a strong person."""
    needed = set(ROUTES[route].split(" or "))
    others = sorted({"ask", "download", "curate", "administer", "audit"} - needed)
    make = client.post("/api/v1/keys", json={"user": "max", "capabilities": others}, headers=company.headers("root"))
    hidden = {"document": company.documents["board", "merger.md"], "name": "board"}
    headers = {"Authorization": f"Bearer {make.json()['secret']}"}
    bodies = set()
    for names in ({}, hidden):
        answer = client.request(route[0], path_for(route[1], **names), headers=headers)
        check_problem(answer, 403, "MissingCapability")
        bodies.add(answer.content)
    assert len(bodies) == 1


@pytest.mark.parametrize("route", [("POST", "/api/v1/ask"), ("POST", "/api/v1/search")], ids=lambda r: r[1])
def test_a_key_does_no_more_than_its_person_may(client: TestClient, company: Company, route: tuple[str, str]) -> None:
    every = ["ask", "download", "curate", "administer", "audit"]
    made = client.post("/api/v1/keys", json={"user": "nora", "capabilities": every}, headers=company.headers("root"))
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    check_problem(client.request(*route, json={"question": "?"}, headers=headers), 403, "MissingCapability")


def job_of_another(company: Company) -> uuid.UUID:
    """An upload of cleo's."""
    found: uuid.UUID = company.rows("select id from ingest_job where path = 'leave.md'")[0]["id"]
    return found


# Who asks, how, and with what in the place of the thing: hidden from him, then absent.
HIDDEN: list[tuple[str, str, str, dict[str, Any] | None]] = [
    ("ben", "GET", "/documents/{document}", None),
    ("ada", "GET", "/documents/{document}/original", None),
    ("hank", "GET", "/documents/{document}/access", None),
    ("hank", "PUT", "/documents/{document}/access", {"grants": [], "inherits": True}),
    ("hank", "DELETE", "/documents/{document}", None),
    ("ben", "GET", "/access/explain?document={document}", None),
    ("root", "GET", "/access/explain?document={document}&user=mia", None),
    ("ben", "GET", "/documents?after={document}", None),
    ("ben", "GET", "/documents?collection={name}", None),
    ("ben", "GET", "/collections/{name}", None),
    ("ben", "GET", "/collections/{name}/access", None),
    ("ben", "PUT", "/collections/{name}/access", {"grants": []}),
    ("ben", "GET", "/grants?collection={name}", None),
    ("ben", "POST", "/grants?collection={name}", {"everyone": True}),
    ("hank", "GET", "/grants?document={document}", None),
    ("hank", "POST", "/grants?document={document}", {"everyone": True}),
    ("hank", "GET", "/jobs/{job}", None),
    ("ben", "DELETE", "/keys/{key}", None),
]


@pytest.mark.parametrize(("who", "method", "template", "body"), HIDDEN, ids=lambda v: v if isinstance(v, str) else "")
def test_hidden_is_absent(
    client: TestClient, company: Company, who: str, method: str, template: str, body: dict[str, Any] | None
) -> None:
    """The same bytes and the same headers, but for the id of the request."""
    board = company.rows("select id from api_key where user_id = (select id from app_user where name = 'mia')")
    hidden = {
        "document": company.documents["board", "merger.md"],
        "name": "board",
        "job": job_of_another(company),
        "key": board[0]["id"],
    }
    answers = []
    for names in (hidden, {"name": "absent"}):
        path = "/api/v1" + path_for(template, **names)
        answers.append(client.request(method, path, json=body, headers=company.headers(who)))
    first, second = answers
    assert first.content == second.content
    assert first.status_code == second.status_code
    assert {k: v for k, v in first.headers.items() if k != "x-request-id"} == {
        k: v for k, v in second.headers.items() if k != "x-request-id"
    }
    if template != "/documents?collection={name}":
        check_problem(first, 404, "NotFound")
    check_discreet(first.text)


def test_hidden_shelf_takes_no_upload_and_says_no_more_than_an_absent_one(client: TestClient, company: Company) -> None:
    answers = [
        client.post(
            f"/api/v1/collections/{name}/documents",
            headers=company.headers("hank"),
            files={"file": ("a.md", b"# A\n\nText.")},
            data={"roles": ["hr"]},
        )
        for name in ("board", "absent")
    ]
    check_problem(answers[0], 404, "NotFound")
    assert answers[0].content == answers[1].content


def test_what_is_visible_and_not_yours_to_do_is_forbidden(client: TestClient, company: Company) -> None:
    check_problem(client.get("/api/v1/collections/handbook/access", headers=company.headers("ben")), 403, "NotAllowed")
    document = company.documents["handbook", "leave.md"]
    explain = f"/api/v1/access/explain?document={document}&user=ada"
    check_problem(client.get(explain, headers=company.headers("ben")), 403, "MissingCapability")
    answer = client.post(
        "/api/v1/collections/handbook/documents",
        headers=company.headers("hank"),
        files={"file": ("a.md", b"# A\n\nText.")},
        data={"roles": ["hr"]},
    )
    check_problem(answer, 403, "MissingCapability")


def test_lists_show_what_is_visible_and_no_number_of_the_database(client: TestClient, company: Company) -> None:
    shown = {}
    for who in ("ada", "ben", "mia", "cleo", "root", "nora"):
        answer = client.get("/api/v1/documents", headers=company.headers(who))
        shown[who] = {(d["collection"], d["path"]) for d in answer.json()}
        assert all(set(d) & {"scope_id", "document_id", "chunk_id"} == set() for d in answer.json())
        if who != "ada":
            titles = {d["title"] for d in answer.json()}
            assert "Salary bands" not in titles
    handbook = {key for key in company.documents if key[0] == "handbook"}
    assert shown["ben"] == shown["root"] == shown["nora"] == handbook
    assert shown["ada"] == handbook | {("hr", "salaries.md")}
    assert shown["mia"] == handbook | {("board", "merger.md")}
    assert shown["cleo"] == set(company.documents)  # places of the shelves that she curates, without titles


def test_unknown_paths_look_like_everything_that_is_not_there(client: TestClient, company: Company) -> None:
    check_problem(client.get("/api/v1/nothing"), 404, "NotFound")
    known = client.get(f"/api/v1/documents/{ABSENT}", headers=company.headers("ben"))
    assert client.get("/api/v1/nothing").content == known.content
    wrong = client.delete("/api/v1/ask", headers=company.headers("ben"))
    check_problem(wrong, 405, "MethodNotAllowed")
