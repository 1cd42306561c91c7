"""Users and roles of several sources over HTTP: the same name is somebody else, wherever a name is written."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.support.company import Company, administering, copied_company, upload
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued


@pytest.fixture
def abroad(client: TestClient, company: Company) -> Company:
    return with_okta(client, company)


@pytest.fixture(scope="module")
def send_wrong(company_template: Company) -> Iterator[Callable[..., Any]]:
    with copied_company(company_template) as company, client_of(parts_of(company.db)) as client:
        root = with_okta(client, company).headers("root")
        yield lambda method, path, body: client.request(method, f"/api/v1{path}", json=body, headers=root)


def with_okta(client: TestClient, company: Company) -> Company:
    """A second source with a role hr and a person ada in it, beside those of our own."""
    send = administering(client, company)
    send("POST", "/roles", {"name": "hr", "source": "okta"})
    send("POST", "/users", {"name": "ada", "source": "okta", "clearance": "confidential"})
    send("PUT", "/roles/okta:hr/members/okta:ada", None)
    company.keys["okta:ada"] = send("POST", "/keys", {"user": "okta:ada"})["secret"]
    return company


def places(client: TestClient, company: Company, who: str) -> set[tuple[str, str]]:
    found = client.get("/api/v1/documents", headers=company.headers(who)).json()
    return {(d["collection"], d["path"]) for d in found}


def test_neither_gets_what_the_other_was_granted(client: TestClient, abroad: Company) -> None:
    """By role, by person, and by a document's own tags."""
    salaries = ("hr", "salaries.md")
    assert salaries in places(client, abroad, "ada")
    assert salaries not in places(client, abroad, "okta:ada")
    send = administering(client, abroad)
    send("POST", "/collections", {"name": "one", "grants": [{"user": "ada"}]})
    send("POST", "/collections", {"name": "two", "grants": [{"user": "okta:ada"}, {"role": "okta:hr"}]})
    for collection in ("one", "two"):
        send("PUT", f"/collections/{collection}/curators/cleo", None)
    for path, tag in (("ours.md", "hr"), ("theirs.md", "okta:hr")):
        upload(client, abroad, "cleo", collection="one", path=path, content=b"# A\n\nText of it.", roles=[tag])
    work_queued(abroad.db)
    assert places(client, abroad, "ada") & {("one", "ours.md"), ("one", "theirs.md")} == {("one", "ours.md")}
    assert places(client, abroad, "okta:ada") & {("one", "ours.md"), ("one", "theirs.md")} == {("one", "theirs.md")}
    rule = client.get("/api/v1/collections/two/access", headers=abroad.headers("root")).json()
    assert {(g["role"], g["user"]) for g in rule["grants"]} == {(None, "okta:ada"), ("okta:hr", None)}
    collections = {who: {c["name"] for c in client.get("/api/v1/collections", headers=abroad.headers(who)).json()}
               for who in ("ada", "okta:ada")}  # fmt: skip
    assert "two" not in collections["ada"]


def test_what_is_shown_can_be_sent_back(client: TestClient, abroad: Company) -> None:
    root = abroad.headers("root")
    users = {u["name"]: u for u in client.get("/api/v1/users", headers=root).json()}
    assert (users["ada"]["source"], users["ada"]["roles"]) == ("local", ["hr"])
    assert (users["okta:ada"]["source"], users["okta:ada"]["roles"]) == ("okta", ["okta:hr"])
    roles = {r["name"]: r for r in client.get("/api/v1/roles", headers=root).json()}
    assert (roles["hr"]["source"], roles["okta:hr"]["source"]) == ("local", "okta")
    assert (roles["okta:hr"]["members"], "okta:ada" in roles["hr"]["members"]) == (["okta:ada"], False)
    assert client.get("/api/v1/users/me", headers=abroad.headers("okta:ada")).json()["name"] == "okta:ada"
    [mine] = client.get("/api/v1/keys", headers=abroad.headers("okta:ada")).json()
    assert mine["user"] == "okta:ada"
    assert {k["user"] for k in client.get("/api/v1/keys?user=okta:ada", headers=root).json()} == {"okta:ada"}
    assert {k["user"] for k in client.get("/api/v1/keys?user=ada", headers=root).json()} == {"ada"}
    assert client.patch("/api/v1/users/okta:ada", json={"active": False}, headers=root).status_code == 200
    assert client.get("/api/v1/users/me", headers=abroad.headers("ada")).status_code == 200
    assert client.get("/api/v1/users/me", headers=abroad.headers("okta:ada")).status_code == 401


WRONG: list[tuple[str, str, dict[str, Any] | None, int, str]] = [
    ("POST", "/roles", {"name": "hr", "source": "okta"}, 409, "Conflict"),
    ("POST", "/users", {"name": "ada", "source": "okta"}, 409, "Conflict"),
    ("POST", "/roles", {"name": "okta:hr"}, 422, "InvalidInput"),
    ("POST", "/users", {"name": "okta:ada"}, 422, "InvalidInput"),
    ("POST", "/roles", {"name": "hr", "source": "OKTA"}, 422, "InvalidInput"),
    ("POST", "/roles", {"name": "hr", "source": ""}, 422, "InvalidInput"),
    ("POST", "/roles", {"name": "everyone", "source": "okta"}, 422, "InvalidInput"),
    ("PUT", "/roles/azure:hr/members/ada", None, 404, "NotFound"),
    ("PUT", "/roles/hr/members/azure:ada", None, 404, "NotFound"),
    ("POST", "/grants?collection=handbook", {"role": "azure:hr"}, 422, "UnknownRole"),
    ("POST", "/grants?collection=handbook", {"role": "okta:everyone"}, 422, "UnknownRole"),
    ("POST", "/grants?collection=handbook", {"role": "local:everyone"}, 422, "UnknownRole"),
    ("POST", "/grants?collection=handbook", {"user": "azure:ada"}, 422, "InvalidInput"),
    ("POST", "/keys", {"user": "azure:ada"}, 404, "NotFound"),
    ("PATCH", "/users/okta:ada", {"source": "local"}, 422, "InvalidInput"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG)
def test_names_of_nobody(
    send_wrong: Callable[..., Any], method: str, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    check_problem(send_wrong(method, path, body), status, code)
