"""Records have people by id; beside them stands what these were called at that moment, and from where they asked."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit.encryption import SealBroken, open_address, seal_address
from app.client.api import ApiError, Client
from tests.support.audit_order import sequence
from tests.support.company import Company, administering
from tests.support.service import parts_of, serve, subject_named

EVENTS = "/api/v1/audit/events"
HERE, THERE = "203.0.113.9", "198.51.100.4"


def events(client: TestClient, company: Company, q: str) -> list[dict[str, Any]]:
    sequence(company.db)
    answer = client.get(EVENTS, params={"q": q}, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def search(client: TestClient, company: Company, who: str) -> None:
    body = {"query": "parental leave"}
    assert client.post("/api/v1/search", json=body, headers=company.headers(who)).status_code == 200


@pytest.fixture
def from_two_places(company: Company) -> Company:
    """Ada and Ben searched from one address, Ada from another as well, and a key that is none came from the first."""
    api = parts_of(company.db).settings.api.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with serve(parts_of(company.db, api=api)) as url:
        for who, address in (("ada", HERE), ("ben", HERE), ("ada", THERE)):
            with Client(url, company.keys[who]) as client:
                client._http.headers["X-Forwarded-For"] = address
                client.post("/search", {"query": "leave"})
        with Client(url, "clr_abcdefgh_" + "x" * 43) as stranger, pytest.raises(ApiError):
            stranger._http.headers["X-Forwarded-For"] = HERE
            stranger.get("/users/me")
    return company


def test_each_record_has_the_name_of_its_moment(client: TestClient, company: Company) -> None:
    search(client, company, "ben")
    company.execute("update app_user set name = 'benno' where name = 'ben'")
    search(client, company, "ben")
    company.execute("update app_user set name = 'ben' where name = 'ada'")
    search(client, company, "ben")
    found = events(client, company, "who:benno kind:search")
    assert [event["name"] for event in found] == ["ben", "benno", "benno"]
    assert {event["record"]["actor"]["name"] for event in found} == {None}
    # Whoever has a name now, or had it, is meant.
    assert {event["record"]["actor"]["user"] for event in events(client, company, "who:ben kind:search")} == {
        found[0]["record"]["actor"]["user"]
    }


def test_people_and_roles_in_a_record_are_named_also_when_they_are_gone(client: TestClient, company: Company) -> None:
    send = administering(client, company)
    send("POST", "/roles", {"name": "night-watch"})
    send("PUT", "/roles/night-watch/members/ben", None)
    send("DELETE", "/roles/night-watch/members/ben", None)
    send("DELETE", "/roles/night-watch", None)
    company.execute("delete from app_user where name = 'ben'")
    [joined] = [e for e in events(client, company, "kind:role.joined") if "night-watch" in e["names"].values()]
    record = joined["record"]
    assert joined["names"] == {record["role"]: "night-watch", record["user"]: "ben", record["actor"]["user"]: "admin"}


def test_a_record_of_nobody_has_no_name_of_a_user(client: TestClient, from_two_places: Company) -> None:
    [refused] = events(client, from_two_places, "kind:signin.refused")
    assert (refused["address"], refused["names"]) == (HERE, {})
    assert HERE not in str(refused["record"])


def test_an_address_is_found_though_every_person_has_it_sealed_in_another_way(
    client: TestClient, from_two_places: Company
) -> None:
    def who(q: str) -> list[tuple[str, str]]:
        return sorted((e["name"] or "", e["address"]) for e in events(client, from_two_places, q))

    assert who(f"address:{HERE} kind:search") == [("ada", HERE), ("ben", HERE)]
    assert who(f"address:{THERE} kind:search") == [("ada", THERE)]
    assert who(f"address:{HERE} who:ben kind:search") == [("ben", HERE)]
    assert who(f"-address:{HERE} kind:search") == [("ada", THERE)]
    assert [address for _, address in who(f"address:{HERE} kind:signin")] == [HERE]
    assert who("address:192.0.2.1") == []
    sealed = [r["body"]["actor"]["address"] for r in from_two_places.rows(
        "select body::json as body from audit_leaf where kind = 'search.done' order by at")]  # fmt: skip
    assert len(set(sealed)) == 3


def test_the_addresses_of_a_query_are_sealed_in_the_record_of_the_look(
    client: TestClient, from_two_places: Company
) -> None:
    events(client, from_two_places, f"address:{HERE} who:ben")
    [look] = from_two_places.records("audit.read")
    assert HERE not in str(look["filters"])
    assert "address:" in look["filters"]["q"]


def test_a_damaged_key_keeps_nobody_from_all_other_records(client: TestClient, from_two_places: Company) -> None:
    damaged = "update person_key set wrapped = sha256('x') where user_id = (select id from app_user where name = 'ben')"
    from_two_places.execute(damaged)
    assert sorted((e["name"], e["address"]) for e in events(client, from_two_places, "kind:search")) == [
        ("ada", THERE), ("ada", HERE), ("ben", None),
    ]  # fmt: skip
    assert [e["name"] for e in events(client, from_two_places, f"address:{HERE} kind:search")] == ["ada"]


def test_what_one_key_seals_another_does_not_open() -> None:
    one, other = bytes(32), bytes(31) + b"\1"
    assert open_address(one, seal_address(one, HERE)) == HERE
    assert seal_address(one, HERE) == seal_address(one, HERE) != seal_address(other, HERE)
    with pytest.raises(SealBroken, match="does not open"):
        open_address(other, seal_address(one, HERE))


def test_names_of_before_are_for_auditors_alone(client: TestClient, company: Company) -> None:
    company.execute("update app_user set name = 'benno' where name = 'ben'")
    parts = parts_of(company.db)
    try:
        for who, number in (("audrey", 1), ("ada", 0), ("cleo", 0)):
            with parts.database.reading(subject_named(parts, who).user_id) as session:
                assert session.scalar(text("select count(*) from name_history where name = 'ben'")) == number
        with pytest.raises(DBAPIError), parts.database.writing(subject_named(parts, "audrey").user_id) as session:
            session.execute(text("update name_history set name = 'eve' where name = 'ben'"))
    finally:
        parts.database.close()
