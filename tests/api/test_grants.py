"""Grants one by one: what they change takes effect at once, and nobody's change is lost."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.support.company import Company


def test_a_grant_on_a_document_opens_and_shuts_it(client: TestClient, company: Company) -> None:
    """Added, seen; taken away, gone: each from the next request on."""
    document = company.documents["hr", "salaries.md"]
    target = f"/api/v1/grants?document={document}"
    opened = f"/api/v1/documents/{document}"
    assert client.get(opened, headers=company.headers("mia")).status_code == 404
    made = client.post(target, json={"role": "managers"}, headers=company.headers("cleo"))
    assert made.status_code == 201
    assert client.get(opened, headers=company.headers("mia")).status_code == 200
    listed = client.get(target, headers=company.headers("cleo")).json()
    assert made.json() in listed
    gone = f"/api/v1/grants/{made.json()['id']}?document={document}"
    assert client.delete(gone, headers=company.headers("cleo")).status_code == 204
    assert client.get(opened, headers=company.headers("mia")).status_code == 404
    check_problem(client.delete(gone, headers=company.headers("cleo")), 404, "NotFound")


def test_grants_are_recorded_with_the_rule_before_and_after(client: TestClient, company: Company) -> None:
    """Every change is in the log, in the transaction that made it."""
    before = company.rows("select count(*) from audit_leaf where kind = 'policy.changed'")[0]["count"]
    client.post("/api/v1/grants?collection=hr", json={"role": "managers"}, headers=company.headers("root"))
    after = company.rows("select count(*) from audit_leaf where kind = 'policy.changed'")[0]["count"]
    assert after == before + 1


def test_many_at_once_lose_nothing(client: TestClient, company: Company) -> None:
    """Read, change and write happen under one lock: 8 roles granted at once are 8 grants."""
    names = [f"team-{n}" for n in range(8)]
    for name in names:
        assert client.post("/api/v1/roles", json={"name": name}, headers=company.headers("root")).status_code == 201

    def grant(name: str) -> int:
        answer = client.post("/api/v1/grants?collection=hr", json={"role": name}, headers=company.headers("root"))
        return answer.status_code

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(grant, names)) == [201] * 8
    listed = client.get("/api/v1/grants?collection=hr", headers=company.headers("root")).json()
    assert set(names) <= {g["role"] for g in listed}


def test_what_is_refused(client: TestClient, company: Company) -> None:
    """Oneself, nobody's business, two targets, no target."""
    hr = "/api/v1/grants?collection=hr"
    check_problem(client.post(hr, json={"user": "cleo"}, headers=company.headers("cleo")), 403, "SelfGrant")
    check_problem(client.post(hr, json={"role": "nobody"}, headers=company.headers("root")), 422, "UnknownRole")
    check_problem(client.get(hr, headers=company.headers("ada")), 403, "NotAllowed")
    both = f"{hr}&document={uuid.uuid4()}"
    check_problem(client.get(both, headers=company.headers("root")), 422, "InvalidInput")
    check_problem(client.get("/api/v1/grants", headers=company.headers("root")), 422, "InvalidInput")
    document = company.documents["hr", "salaries.md"]
    check_problem(
        client.get(f"/api/v1/grants?document={document}", headers=company.headers("ada")), 403, "MissingCapability"
    )
