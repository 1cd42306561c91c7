"""Keys are changed by administrators; their own holder lets them end earlier, and nothing else."""

import datetime as dt
from typing import Any

from fastapi.testclient import TestClient

from app.settings import ApiSettings
from tests.api.problems import ABSENT, check_problem
from tests.support.company import Company
from tests.support.service import client_of, parts_of

SOON, LATER = "2030-01-01T12:30:00Z", "2040-01-01T00:00:00Z"


def key_of(client: TestClient, company: Company, who: str) -> str:
    [key] = client.get("/api/v1/keys", headers=company.headers(who)).json()[:1]
    return f"/api/v1/keys/{key['id']}"


def patch(client: TestClient, company: Company, who: str, path: str, **body: Any) -> Any:
    return client.patch(path, json=body, headers=company.headers(who))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_an_administrator_changes_what_is_given_and_no_more(client: TestClient, company: Company) -> None:
    path = key_of(client, company, "ben")
    for body, expected in (
        ({"expires_at": SOON, "label": "laptop"}, (SOON, "laptop")),
        ({"expires_at": LATER}, (LATER, "laptop")),
        ({"label": ""}, (LATER, "")),
        ({"expires_at": None}, (None, "")),
    ):
        answer = patch(client, company, "root", path, **body)
        assert answer.status_code == 200, answer.text
        end = answer.json()["expires_at"]
        assert (end and moment(end), answer.json()["label"]) == (expected[0] and moment(expected[0]), expected[1])
    records = company.records("key.changed")
    labels = [company.unsealed(r, "labels") if r["labels"] else None for r in records]
    assert labels == ['{"after":"laptop","before":""}', None, '{"after":"","before":"laptop"}', None]
    assert records[0]["actor"]["name"] == "admin"
    assert records[0]["actor"]["address"] == "testclient"


def test_its_holder_may_only_let_it_end_earlier(client: TestClient, company: Company) -> None:
    path = key_of(client, company, "ben")
    assert patch(client, company, "ben", path, expires_at=LATER).status_code == 200
    assert patch(client, company, "ben", path, expires_at=SOON).status_code == 200
    for body in ({"expires_at": LATER}, {"expires_at": None}, {"label": "mine"}):
        check_problem(patch(client, company, "ben", path, **body), 403, "MissingCapability")
    for other in (path, f"/api/v1/keys/{ABSENT}", "/api/v1/keys/none"):
        check_problem(patch(client, company, "ada", other, expires_at=SOON), 404, "NotFound")


def test_an_end_without_zone_or_in_the_past_is_refused(client: TestClient, company: Company) -> None:
    path = key_of(client, company, "ben")
    for end in ("2030-01-01T00:00:00", "2020-01-01T00:00:00Z", "soon", 5e300):
        check_problem(patch(client, company, "root", path, expires_at=end), 422, "InvalidInput")
    check_problem(patch(client, company, "root", path), 422, "InvalidInput")


def test_a_key_that_has_ended_stays_so(client: TestClient, company: Company) -> None:
    """What was made with it, delegations among it, would live again."""
    path = key_of(client, company, "ben")
    assert client.delete(path, headers=company.headers("root")).status_code == 204
    check_problem(patch(client, company, "root", path, expires_at=LATER), 409, "Conflict")
    path = key_of(client, company, "ada")
    company.execute("update api_key set expires_at = now() where id = '" + path.rsplit("/", 1)[-1] + "'")
    check_problem(patch(client, company, "root", path, expires_at=None), 409, "Conflict")


def test_it_ends_at_the_second(client: TestClient, company: Company) -> None:
    path = key_of(client, company, "ben")
    end = company.rows("select now() + interval '1 hour' as t")[0]["t"]
    assert patch(client, company, "ben", path, expires_at=end.isoformat()).status_code == 200
    assert moment(client.get("/api/v1/keys", headers=company.headers("ben")).json()[0]["expires_at"]) == end


def test_a_key_that_is_revoked_becomes_a_stranger_s(company: Company) -> None:
    parts = parts_of(company.db, api=ApiSettings(stranger_burst=2, stranger_rate_per_minute=1))
    ben = company.headers("ben")
    with client_of(parts) as client:
        assert client.get("/api/v1/users/me", headers=ben).status_code == 200
        company.execute(f"update api_key set revoked_at = now() where prefix = '{company.keys['ben'][:12]}'")
        codes = [client.get("/api/v1/users/me", headers=ben).status_code for _ in range(3)]
    assert codes == [401, 401, 429]
