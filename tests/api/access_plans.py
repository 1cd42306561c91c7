"""Plans of access over HTTP, and the policy that they change."""

from typing import Any

from fastapi.testclient import TestClient

from tests.support.company import Company

PLANS = "/api/v1/access/plans"
OPEN_HR = {"change": "grant", "collection": "hr", "grant": {"role": "managers"}}
API = "/api/v1"


def plan(client: TestClient, company: Company, *changes: dict[str, Any], who: str = "root") -> Any:
    answer = client.post(PLANS, json={"changes": list(changes)}, headers=company.headers(who))
    assert answer.status_code == 201, answer.text
    return answer.json()


def act(client: TestClient, company: Company, made: dict[str, Any], who: str = "root") -> Any:
    return client.post(f"{PLANS}/{made['id']}/apply", headers=company.headers(who))


def policy_of(company: Company) -> list[Any]:
    """Everything that says who may read what, as it stands."""
    return [
        company.rows(f"select t::text from {table} t order by 1")
        for table in ("collection", "scope", "folder", "membership", "role_inside", "curator", "steward", "app_user")
    ] + [company.rows("select scope_id, path from document order by 1, 2")]


def inherit(client: TestClient, company: Company) -> None:
    place = f"/api/v1/documents/{company.documents['hr', 'salaries.md']}/access"
    assert client.put(place, json={"grants": []}, headers=company.headers("cleo")).status_code == 200


def everything(company: Company) -> list[Any]:
    return [*policy_of(company), company.rows("select t::text from api_key t order by 1")]
