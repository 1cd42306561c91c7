"""Recorded requests of Entra ID and Okta, and what each must do: nothing more than it says.

Bodies are those of the public documentation of both (Microsoft Learn, "Develop a SCIM endpoint"; Okta, "SCIM 2.0").
"""

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.identity.api_keys import make_key
from tests.support.company import Company
from tests.support.provisioning import ENTERPRISE, GROUP, PATCH_OP, USER, ScimClient, add_provisioner, check_error

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


@pytest.fixture
def entra(client: TestClient, company: Company) -> ScimClient:
    return ScimClient(client, add_provisioner(company.db, "entra"))


@pytest.fixture
def okta(client: TestClient, company: Company) -> ScimClient:
    return ScimClient(client, add_provisioner(company.db, "okta"))


def test_entra_tests_the_connection_and_finds_nobody(entra: ScimClient) -> None:
    answer = entra.send("GET", "/Users", filter='userName eq "6d0b1b2e-absent"')
    assert answer.status_code == 200
    assert answer.json() == {"schemas": [LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []}


def test_entra_makes_a_person_and_finds_them_again(entra: ScimClient, company: Company) -> None:
    """Whatever the case of the name; by their external id too. What we have no column for comes back as it was sent."""
    sent = {
        "schemas": [USER, ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_ab6490ee@testuser.com",
        "active": True,
        "displayName": "lennay",
        "emails": [{"primary": True, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        "roles": [],
        ENTERPRISE: {"department": "Sales", "employeeNumber": "701984"},
        "password": "never-kept",
    }
    made = entra.send("POST", "/Users", sent)
    assert made.status_code == 201
    shown = made.json()
    for name in ("externalId", "userName", "active", "displayName", "emails", "name", ENTERPRISE):
        assert shown[name] == sent[name]
    for question in (
        'userName eq "TEST_user_ab6490ee@testuser.com"',
        f'externalId eq "{sent["externalId"]}"',
        'emails[type eq "work"].value eq "test_user_fd0ea19b@testuser.com"'.replace("].value eq", " and value eq")
        + "]",
        'emails.value co "FD0EA19B" and active eq true',
        f'{ENTERPRISE}:employeeNumber eq "701984"',
    ):
        found = entra.send("GET", "/Users", filter=question).json()
        assert [each["id"] for each in found["Resources"]] == [shown["id"]], question
    stored = company.rows("select attributes::text as said from directory_profile")
    assert not any("never-kept" in row["said"] or "password" in row["said"] for row in stored)
    person = "select name, display_name, clearance, capabilities, source from app_user where source = 'entra'"
    [row] = company.rows(f"{person} and kind = 'person'")
    assert row == {
        "name": "test_user_ab6490ee@testuser.com", "display_name": "lennay", "clearance": 1, "capabilities": ["ask"],
        "source": "entra",
    }  # fmt: skip


def test_entra_patches_in_capitals_and_by_strings(entra: ScimClient) -> None:
    person = entra.user("mia@corp.example", active=True)
    off = entra.patch(f"/Users/{person['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert off.status_code == 200
    assert off.json()["active"] is False
    on = entra.patch(f"/Users/{person['id']}", {"op": "Add", "path": "active", "value": "True"})
    assert on.json()["active"] is True
    named = entra.patch(
        f"/Users/{person['id']}",
        {
            "op": "Replace",
            "value": {"displayName": "Mia K.", "name.familyName": "Kern", f"{ENTERPRISE}:department": "R"},
        },
    )
    assert named.json()["displayName"] == "Mia K."
    assert named.json()["name"] == {"familyName": "Kern"}
    assert named.json()[ENTERPRISE] == {"department": "R"}


def test_entra_writes_an_email_that_is_not_there(entra: ScimClient) -> None:
    person = entra.user("mia@corp.example", emails=[{"type": "home", "value": "home@corp.example"}])
    path = 'emails[type eq "work"].value'
    answer = entra.patch(f"/Users/{person['id']}", {"op": "Replace", "path": path, "value": "work@corp.example"})
    assert {(e["type"], e["value"]) for e in answer.json()["emails"]} == {
        ("home", "home@corp.example"), ("work", "work@corp.example"),
    }  # fmt: skip


def test_entra_sends_a_manager_as_a_string(entra: ScimClient) -> None:
    person = entra.user("mia@corp.example")
    answer = entra.patch(f"/Users/{person['id']}", {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "42"})
    assert answer.json()[ENTERPRISE]["manager"] == {"value": "42"}


def test_entra_removes_members_by_value_and_never_empties_the_group(entra: ScimClient) -> None:
    ids = [entra.user(f"user{n}")["id"] for n in range(4)]
    group = entra.group("Sales", *ids)["id"]
    removal = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ids[0]}]}
    assert entra.patch(f"/Groups/{group}", removal).status_code == 204
    assert entra.members(group) == set(ids[1:])
    assert entra.patch(f"/Groups/{group}", {**removal, "value": [{"value": "nobody"}]}).status_code == 204
    wrong: list[Any] = [
        [],
        None,
        "",
        {},
        [{}],
        [{"value": ""}],
        [{"value": None}],
        [{"value": ids[1]}, {"display": "x"}],
    ]
    for unclear in wrong:
        check_error(entra.patch(f"/Groups/{group}", {**removal, "value": unclear}), 400, "invalidValue")
    assert entra.members(group) == set(ids[1:])
    assert entra.patch(f"/Groups/{group}", {**removal, "value": {"value": ids[1]}}).status_code == 204
    assert entra.members(group) == set(ids[2:])


def test_entra_looks_at_groups_without_their_members(entra: ScimClient) -> None:
    person = entra.user("mia@corp.example")["id"]
    group = entra.group("Sales", person, externalId="8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159")
    found = entra.send("GET", "/Groups", excludedAttributes="members", filter='displayName eq "SALES"').json()
    assert [each["id"] for each in found["Resources"]] == [group["id"]]
    assert "members" not in found["Resources"][0]
    alone = entra.send("GET", f"/Groups/{group['id']}", excludedAttributes="members").json()
    assert "members" not in alone
    for question in (
        f'members eq "{person}"',
        f'members[value eq "{person}"]',
        f'id eq "{group["id"]}" and members pr',
    ):
        assert entra.send("GET", "/Groups", filter=question).json()["totalResults"] == 1, question
    assert entra.send("GET", "/Groups", filter=f'members eq "{group["id"]}"').json()["totalResults"] == 0


def test_okta_replaces_a_whole_person(okta: ScimClient) -> None:
    """What it leaves out is gone; `active` left out stays."""
    person = okta.user("mia@corp.example", title="Boss", externalId="00u1")
    whole = {
        "schemas": [USER], "id": person["id"], "userName": "mia.k@corp.example", "externalId": "00u1", "active": False,
        "name": {"givenName": "Mia", "familyName": "Kern"}, "groups": [], "meta": {"resourceType": "User"},
    }  # fmt: skip
    answer = okta.send("PUT", f"/Users/{person['id']}", whole)
    assert answer.status_code == 200, answer.text
    assert "title" not in answer.json()
    assert answer.json()["active"] is False
    del whole["active"]
    assert okta.send("PUT", f"/Users/{person['id']}", whole).json()["active"] is False
    on = okta.patch(f"/Users/{person['id']}", {"op": "replace", "value": {"active": True}})
    assert on.status_code == 200
    assert on.json()["active"] is True


def test_okta_renames_a_group_and_changes_who_is_in_it(okta: ScimClient) -> None:
    ids = [okta.user(f"user{n}")["id"] for n in range(3)]
    group = okta.group("Sales", ids[0])["id"]
    renamed = okta.patch(f"/Groups/{group}", {"op": "replace", "value": {"id": group, "displayName": "Sales EMEA"}})
    assert renamed.status_code == 204
    assert okta.send("GET", f"/Groups/{group}").json()["displayName"] == "Sales EMEA"
    changed = okta.patch(
        f"/Groups/{group}",
        {"op": "remove", "path": f'members[value eq "{ids[0]}"]'},
        {"op": "add", "path": "members", "value": [{"value": each, "display": "x"} for each in ids[1:]]},
    )
    assert changed.status_code == 204
    assert okta.members(group) == set(ids[1:])
    assert okta.patch(f"/Groups/{group}", {"op": "replace", "path": "members", "value": [{"value": ids[0]}]}).is_success
    assert okta.members(group) == {ids[0]}
    assert okta.send("DELETE", f"/Groups/{group}").status_code == 204
    check_error(okta.send("GET", f"/Groups/{group}"), 404)


def test_okta_pages(okta: ScimClient) -> None:
    names = {okta.user(f"user{n:02}")["userName"] for n in range(5)}
    seen: list[str] = []
    for start in (1, 3, 5, 7):
        page = okta.send("GET", "/Users", count="2", startIndex=str(start), sortBy="userName").json()
        assert page["totalResults"] == 5
        seen += [each["userName"] for each in page["Resources"]]
    assert seen == sorted(names)
    assert okta.send("GET", "/Users", count="0").json()["totalResults"] == 5


def test_who_is_removed_is_gone_and_their_namesake_is_somebody_else(okta: ScimClient) -> None:
    first = okta.user("mia@corp.example", externalId="00u1")
    group = okta.group("Sales", first["id"])["id"]
    check_error(okta.send("POST", "/Users", {"schemas": [USER], "userName": "MIA@corp.example"}), 409, "uniqueness")
    assert okta.send("DELETE", f"/Users/{first['id']}").status_code == 204
    for method, body in (("GET", None), ("PUT", {"schemas": [USER], "userName": "x"}), ("DELETE", None)):
        check_error(okta.send(method, f"/Users/{first['id']}", body), 404)
    assert okta.members(group) == set()
    assert okta.user("mia@corp.example", externalId="00u1")["id"] != first["id"]


def test_groups_lie_inside_groups_and_in_no_circle(okta: ScimClient) -> None:
    inner = okta.group("Inner")["id"]
    outer = okta.group("Outer", inner)["id"]
    assert okta.members(outer) == {inner}
    circle = okta.patch(f"/Groups/{inner}", {"op": "add", "path": "members", "value": [{"value": outer}]})
    check_error(circle, 400, "invalidValue")
    assert okta.members(inner) == set()


def test_a_version_that_is_over_changes_nothing(okta: ScimClient) -> None:
    person = okta.user("mia@corp.example")
    tag = person["meta"]["version"]
    same = okta.send("GET", f"/Users/{person['id']}", headers={"If-None-Match": tag})
    assert same.status_code == 304
    okta.patch(f"/Users/{person['id']}", {"op": "replace", "path": "title", "value": "Boss"})
    late = okta.send("PUT", f"/Users/{person['id']}", {"schemas": [USER], "userName": "x"}, headers={"If-Match": tag})
    check_error(late, 412)
    assert okta.send("GET", f"/Users/{person['id']}").json()["userName"] == "mia@corp.example"


def test_a_bulk_request_is_bounded_and_its_parts_fail_alone(okta: ScimClient, company: Company) -> None:
    body: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER], "userName": "mia"}},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": {"schemas": [USER], "userName": "MIA"}},
            {"method": "POST", "path": "/Groups", "bulkId": "c",
             "data": {"schemas": [GROUP], "displayName": "Sales", "members": [{"value": "bulkId:a"}]}},
            {"method": "DELETE", "path": "/Users/11111111-1111-4111-8111-111111111111"},
        ],
    }  # fmt: skip
    answer = okta.send("POST", "/Bulk", body)
    assert answer.status_code == 200, answer.text
    assert [each["status"] for each in answer.json()["Operations"]] == ["201", "409", "201", "404"]
    [group] = okta.send("GET", "/Groups").json()["Resources"]
    [person] = okta.send("GET", "/Users").json()["Resources"]
    assert okta.members(group["id"]) == {person["id"]}
    assert [record["reason"] for record in company.records("change.refused")] == ["NotOfSource"]
    body["Operations"] = body["Operations"][:1] * 101
    check_error(okta.send("POST", "/Bulk", body), 413)


def test_a_thousand_members_fit_into_one_request(okta: ScimClient, company: Company) -> None:
    """Above 64 KB, which bound every other body; above 1 MB nothing is read."""
    company.execute(
        "insert into app_user (name, display_name, source, capabilities)"
        " select 'user' || n, '', 'okta', '{ask}' from generate_series(1, 1000) n"
    )
    ids = [str(row["id"]) for row in company.rows("select id from app_user where source = 'okta' and kind = 'person'")]
    group = okta.group("Everybody")["id"]
    value = [{"value": each, "display": "somebody whose name makes the body larger"} for each in ids]
    assert okta.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": value}).status_code == 204
    assert okta.members(group) == set(ids)
    assert okta.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": value * 20}).status_code == 413


WAYS_TO_END: dict[str, Any] = {
    "patch": {"op": "Replace", "path": "active", "value": "False"},
    "put": {"schemas": [USER], "userName": "mia", "active": False},
    "delete": None,
}


@pytest.mark.parametrize("way", WAYS_TO_END)
def test_whoever_is_switched_off_has_nothing_left_to_come_in_with(okta: ScimClient, company: Company, way: str) -> None:
    """Key, session, link and delegation end in the transaction that answers; switched on again, none comes back."""
    person = okta.user("mia")["id"]
    key = make_key()
    company.execute(
        f"insert into api_key (prefix, hash, user_id, capabilities)"
        f" values ('{key.prefix}', '\\x{key.hash.hex()}', '{person}', '{{ask}}');"
        "insert into sign_in_session (prefix, hash, user_id, means, idle_seconds, idle_until, expires_at)"
        f" values ('s', '\\x01', '{person}', 'provider', 60, now() + interval '1 min', now() + interval '1 h');"
        f"insert into sign_in_link (prefix, hash, user_id, created_by, expires_at)"
        f" values ('l', '\\x02', '{person}', '{person}', now() + interval '1 h');"
        "insert into delegation (prefix, hash, service_id, person_id, capabilities, expires_at)"
        f" values ('d', '\\x03', '{okta.key.id}', '{person}', '{{ask}}', now() + interval '1 h')"
    )
    assert okta.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {key.secret}"}).status_code == 200
    body = WAYS_TO_END[way]
    answer = {
        "patch": lambda: okta.patch(f"/Users/{person}", body or {}),
        "put": lambda: okta.send("PUT", f"/Users/{person}", body),
        "delete": lambda: okta.send("DELETE", f"/Users/{person}"),
    }[way]()
    assert answer.is_success
    ended = (
        "select revoked_at as at from api_key where user_id = %s union all"
        " select ended_at from sign_in_session where user_id = %s union all"
        " select revoked_at from sign_in_link where user_id = %s union all"
        " select revoked_at from delegation where person_id = %s"
    )
    moments = [row["at"] for row in company.rows(ended, [person] * 4)]
    assert len(moments) == 4
    assert len(set(moments)) == 1, "at one moment: that of the transaction"
    assert isinstance(moments[0], dt.datetime)
    if way != "delete":
        assert okta.patch(f"/Users/{person}", {"op": "replace", "path": "active", "value": True}).is_success
    assert okta.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {key.secret}"}).status_code == 401
    assert [row["at"] for row in company.rows(ended, [person] * 4)] == moments


def test_a_body_that_makes_no_sense_is_told_so(okta: ScimClient) -> None:
    headers = {**okta.key.headers, "Content-Type": "application/scim+json"}
    for content in (b"{", b"[]", b"[" * 100_000, b'{"userName": "a\\u0000b"}', b"\xff", b'{"userName": "\\ud800"}'):
        check_error(okta.client.post("/scim/v2/Users", content=content, headers=headers), 400, scim_type_for(content))
    check_error(okta.send("GET", "/Users", filter="userName eq"), 400, "invalidFilter")
    check_error(okta.send("GET", "/Users", filter='nothing eq "x"'), 400, "invalidFilter")
    check_error(okta.send("GET", "/Groups", filter='members co "x"'), 400, "invalidFilter")
    check_error(okta.send("GET", "/Users", filter=" or ".join(["title pr"] * 60)), 400, "invalidFilter")
    check_error(okta.send("GET", "/Nothing"), 404)
    body = {"schemas": [PATCH_OP], "Operations": []}
    check_error(okta.send("PATCH", f"/Users/{okta.user('mia')['id']}", body), 400, "invalidValue")


def scim_type_for(content: bytes) -> str:
    return "invalidValue" if b"u0000" in content else "invalidSyntax"
