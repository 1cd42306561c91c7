"""Every route has a declared access, holds to it, and refuses in one shape that betrays nothing."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.api.matrix.declared import DECLARED
from tests.api.problems import check_discreet, check_problem
from tests.api.routes import ABSENT, path_for
from tests.support.company import Company
from tests.support.service import METRICS_KEY

# What each route needs; the matrix (test_matrix.py) holds every cell of it.
ROUTES = {route: declared.needs for route, declared in DECLARED.items()}
KEYED = sorted(route for route, access in ROUTES.items() if access not in {"public", "metrics key"})
BAD_KEYS = {
    "no key": None,
    "no scheme": "clr_abcdefgh_" + "x" * 43,
    "another scheme": "Basic clr_abcdefgh_" + "x" * 43,
    "malformed key": "Bearer not-a-key",
    "wrong key": "Bearer clr_abcdefgh_" + "x" * 43,
    "expired key": "expired",
    "revoked key": "revoked",
    "two keys, the first alive": "twice",
}


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_no_route_opens_without_a_living_key(client: TestClient, company: Company, kind: str) -> None:
    given = BAD_KEYS[kind]
    value = f"Bearer {company.keys[given]}" if given in company.keys else given
    headers = [] if value is None else [("Authorization", value)]
    if kind.startswith("two"):
        headers = [("Authorization", company.headers(who)["Authorization"]) for who in ("root", "ben")]
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
    assert shown["cleo"] == set(company.documents)  # places of the collections that she curates, without titles


def test_unknown_paths_look_like_everything_that_is_not_there(client: TestClient, company: Company) -> None:
    """To strangers they look like every other path that needs a key."""
    known = client.get(f"/api/v1/documents/{ABSENT}", headers=company.headers("ben"))
    unknown = client.get("/api/v1/nothing", headers=company.headers("ben"))
    check_problem(unknown, 404, "NotFound")
    assert unknown.content == known.content
    assert client.get("/api/v1/nothing").content == client.get(f"/api/v1/documents/{ABSENT}").content
    wrong = client.delete("/api/v1/ask", headers=company.headers("ben"))
    check_problem(wrong, 405, "MethodNotAllowed")
