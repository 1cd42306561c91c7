"""Grants one by one: what they change takes effect at once, and nobody's change is lost."""

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
