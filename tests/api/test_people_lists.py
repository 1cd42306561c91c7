"""Users and roles found by text and filters, and one user with all that an administrator asks about them."""

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.support.company import Company, administering

YEAR = "2090-01-01T00:00:00Z"


def names(client: TestClient, company: Company, what: str, **query: Any) -> list[str]:
    answer = client.get(f"/api/v1/{what}", params=query, headers=company.headers("root"))
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()]


@pytest.fixture
def people(client: TestClient, company: Company) -> None:
    """Beside the company: somebody with umlauts, somebody of another source, a service, and roles in one another."""
    send = administering(client, company)
    send("POST", "/users", {"name": "joerg", "display_name": "Jörg Ahlers"})
    send("POST", "/users", {"name": "ada", "source": "okta", "display_name": "100%_Ada"})
    send("POST", "/users", {"name": "bot", "kind": "service"})
    send("POST", "/roles", {"name": "seniors", "inside": ["engineering"]})
    send("PUT", "/roles/seniors/members/joerg", None)


@pytest.mark.usefixtures("people")
def test_users_are_found_by_text_in_their_names(client: TestClient, company: Company) -> None:
    """In any case of letters, umlauts too; with the source in front; and no character is a wildcard."""
    assert names(client, company, "users", text="JÖRG a") == ["joerg"]
    assert names(client, company, "users", text="ADA") == ["ada", "okta:ada"]
    assert names(client, company, "users", text="okta:a") == ["okta:ada"]
    assert names(client, company, "users", text="%_A") == ["okta:ada"]
    assert names(client, company, "users", text="%") == ["okta:ada"]
    assert names(client, company, "users", text="nobody") == []


@pytest.mark.usefixtures("people")
def test_users_are_filtered(client: TestClient, company: Company) -> None:
    """By each filter, and by several at once; by role also through nesting."""
    administering(client, company)("PATCH", "/users/ben", {"active": False})
    assert names(client, company, "users", source="okta") == ["okta:ada"]
    assert names(client, company, "users", active=False) == ["ben"]
    assert names(client, company, "users", kind="service") == ["bot"]
    assert names(client, company, "users", capability="audit") == ["audrey", "max"]
    assert names(client, company, "users", role="engineering") == ["ben", "joerg"]
    assert names(client, company, "users", role="engineering", active=True) == ["joerg"]
    assert names(client, company, "users", role="seniors", kind="service") == []
    check_problem(client.get("/api/v1/users?role=nothing", headers=company.headers("root")), 404, "NotFound")


@pytest.mark.usefixtures("people")
def test_roles_are_found_by_text_and_source(client: TestClient, company: Company) -> None:
    """Among those that one may list: a curator's search finds a role, and none of its members."""
    administering(client, company)("POST", "/roles", {"name": "sales", "source": "okta"})
    assert names(client, company, "roles", text="EN") == ["engineering", "seniors"]
    assert names(client, company, "roles", source="okta") == ["okta:sales"]
    found = client.get("/api/v1/roles?text=senior", headers=company.headers("cleo")).json()
    assert [(role["name"], role["members"]) for role in found] == [("seniors", [])]


def test_a_membership_that_has_ended_is_no_way_to_be_found(client: TestClient, company: Company) -> None:
    company.execute("update membership set ends_at = now() - interval '1 second' where user_id ="
                    " (select id from app_user where name = 'ben')")  # fmt: skip
    assert names(client, company, "users", role="engineering") == []
    assert client.get("/api/v1/users/ben", headers=company.headers("root")).json()["held_roles"] == []


@pytest.mark.usefixtures("people")
def test_a_user_s_roles_say_where_they_come_from(client: TestClient, company: Company) -> None:
    send = administering(client, company)
    send("PUT", "/roles/hr/stewards/joerg", None)
    company.execute(f"update membership set ends_at = '{YEAR}' where user_id ="
                    " (select id from app_user where name = 'joerg')")  # fmt: skip
    found = client.get("/api/v1/users/joerg", headers=company.headers("root")).json()
    assert found["held_roles"] == [
        {"role": "seniors", "source": "local", "through": [], "until": YEAR},
        {"role": "engineering", "source": "local", "through": ["seniors"], "until": YEAR},
    ]
    assert (found["roles"], found["looks_after"], found["name"]) == (["seniors"], ["hr"], "joerg")


def test_what_switching_off_ends_is_counted_before(client: TestClient, company: Company) -> None:
    """What has ended already is not counted; afterwards nothing is left, and the counts were what ended."""
    send = administering(client, company)
    send("POST", "/users", {"name": "bot", "kind": "service"})
    keys = [send("POST", "/keys", {"user": "mia", "expires_at": YEAR}) for _ in range(2)]
    send("DELETE", f"/keys/{keys[1]['id']}", None)
    past = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).isoformat()
    send("POST", "/keys", {"user": "mia", "expires_at": past})
    for secret in (company.keys["mia"], keys[0]["secret"]):
        lent = {"service": "bot", "expires_in": 60}
        answer = client.post("/api/v1/delegations", json=lent, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 201
    send("POST", "/users/mia/links", {"loopback": False})
    company.execute(
        "insert into sign_in_session (prefix, hash, user_id, means, idle_seconds, idle_until, expires_at) select"
        " 'p' || n, sha256(n::text::bytea), id, 'link', 60, now() + make_interval(mins => n), now() + interval '1 day'"
        " from app_user, unnest(array[-1, 1]) n where name = 'mia';"
        "insert into passkey (user_id, credential_id, public_key) select id, '1', '1' from app_user where name = 'mia'"
    )
    root = company.headers("root")

    def counts(name: str) -> Any:
        return client.get(f"/api/v1/users/{name}", headers=root).json()["credentials"]

    assert counts("mia") == {"keys": 2, "sessions": 1, "passkeys": 1, "links": 1, "delegations": 2}
    assert counts("bot")["delegations"] == 2
    # A delegation ends with the key that it was made with.
    send("DELETE", f"/keys/{keys[0]['id']}", None)
    assert counts("mia") == {"keys": 1, "sessions": 1, "passkeys": 1, "links": 1, "delegations": 1}
    send("PATCH", "/users/mia", {"active": False})
    assert set(counts("mia").values()) == {0}
    assert counts("bot")["delegations"] == 0


def test_who_is_gone_from_their_source_is_not_there(client: TestClient, company: Company) -> None:
    company.execute("update app_user set active = false, deleted_at = now() where name = 'nora'")
    check_problem(client.get("/api/v1/users/nora", headers=company.headers("root")), 404, "NotFound")
