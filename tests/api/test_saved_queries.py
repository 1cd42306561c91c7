"""Queries of the log that an auditor keeps."""

from typing import Any

from fastapi.testclient import TestClient

from app.admin.saved_queries import MAX_QUERIES
from tests.api.problems import check_problem
from tests.support.company import Company

QUERIES = "/api/v1/audit/queries"


def save(client: TestClient, company: Company, name: str, q: str, who: str = "audrey") -> Any:
    return client.post(QUERIES, json={"name": name, "q": q}, headers=company.headers(who))


def kept(client: TestClient, company: Company) -> dict[str, str]:
    return {each["name"]: each["q"] for each in client.get(QUERIES, headers=company.headers("audrey")).json()}


def test_a_query_is_kept_under_a_name_until_it_is_removed(client: TestClient, company: Company) -> None:
    assert save(client, company, "Ada’s answers", " kind:answer   who:ada ").status_code == 201
    save(client, company, "withheld", "kind:search")
    changed = save(client, company, "withheld", "outcome:refused")
    assert kept(client, company) == {"Ada’s answers": "who:ada kind:answer", "withheld": "outcome:refused"}
    assert client.delete(f"{QUERIES}/{changed.json()['id']}", headers=company.headers("audrey")).status_code == 204
    assert list(kept(client, company)) == ["Ada’s answers"]


def test_it_is_its_auditors_alone(client: TestClient, company: Company) -> None:
    query = save(client, company, "mine", "kind:answer").json()["id"]
    company.execute("update app_user set capabilities = capabilities || '{audit}'::text[] where name = 'root'")
    check_problem(client.get(QUERIES, headers=company.headers("ada")), 403, "MissingCapability")
    company.execute("update saved_query set user_id = (select id from app_user where name = 'ada')")
    assert kept(client, company) == {}
    check_problem(client.delete(f"{QUERIES}/{query}", headers=company.headers("audrey")), 404, "NotFound")


def test_what_cannot_be_kept_is_said(client: TestClient, company: Company) -> None:
    for name, q, says in (
        ("wrong", "freya", "stands alone"),
        ("nothing", "  ", "there is nothing to keep"),
        (" ", "kind:answer", "name of printable characters"),
        ("a\nb", "kind:answer", "name of printable characters"),
    ):
        answer = save(client, company, name, q)
        check_problem(answer, 422, "InvalidInput")
        assert says in answer.json()["detail"]
    company.execute(
        "insert into saved_query (user_id, name, q) select id, n::text, 'kind:answer' from app_user,"
        f" generate_series(1, {MAX_QUERIES}) n where name = 'audrey'"
    )
    check_problem(save(client, company, "one more", "kind:answer"), 409, "Conflict")
    assert save(client, company, "7", "kind:search").status_code == 201
