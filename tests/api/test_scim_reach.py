"""How far a provisioning service reaches: to the people and groups of its own source, and never to more access."""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.problems import ABSENT, check_problem
from tests.api.services import listed
from tests.support.company import PEOPLE, Company, copied_company
from tests.support.environment import LAW_FACTOR
from tests.support.provisioning import ENTERPRISE, GROUP, PATCH_OP, USER, ScimClient, add_provisioner, check_error
from tests.support.service import client_of, parts_of

# Everything that says who is who and who may read what, but for what the source 'okta' may change by right.
FOREIGN = {
    "app_user": "select u::text from app_user u where source <> 'okta' or kind = 'service'",
    "role": "select r::text from role r where source <> 'okta'",
    "membership": "select m::text from membership m join app_user u on u.id = m.user_id join role r on r.id = m.role_id"
    " where u.source <> 'okta' or r.source <> 'okta'",
    "role_inside": "select i::text from role_inside i join role a on a.id = i.role_id join role b on b.id = i.inside_id"
    " where a.source <> 'okta' or b.source <> 'okta'",
    "api_key": "select k::text from api_key k join app_user u on u.id = k.user_id where u.source <> 'okta'",
    "curator": "select c::text from curator c",
    "steward": "select s::text from steward s",
    "collection": "select c::text from collection c",
    "folder": "select f::text from folder f",
    "rule": "select r.id::text from rule r",
    "scope": "select s.id || ':' || s.rule_id as text from scope s",
    "directory_profile": "select p::text from directory_profile p where source <> 'okta'",
    "sign_in_identity": "select s::text from sign_in_identity s join app_user u on u.id = s.user_id"
    " where u.source <> 'okta'",
}
RISEN = (
    "select name from app_user where source = 'okta' and kind = 'person'"
    " and (clearance > 1 or not capabilities <@ '{ask}' or held and active or provisions is not null)"
)


@dataclass
class Neighbours:
    """A company beside the source 'okta': local people and roles, another source, and who was switched off by hand."""

    company: Company
    scim: ScimClient
    foreign: dict[str, str]
    own: dict[str, str]
    held: str

    def snapshot(self) -> dict[str, list[str]]:
        found = {name: self.company.rows(query) for name, query in FOREIGN.items()}
        return {name: sorted(str(next(iter(row.values()))) for row in rows) for name, rows in found.items()}

    def visible(self) -> dict[str, set[tuple[str, str]]]:
        """What local people see, by the service's own word."""
        return {who: listed(self.scim.client, self.company.headers(who)) for who in PEOPLE}


def neighbours_in(company: Company, client: TestClient) -> Neighbours:
    scim = ScimClient(client, add_provisioner(company.db, "okta"))
    other = ScimClient(client, add_provisioner(company.db, "azure"))
    foreign = {"azure person": other.user("zoe", externalId="z1")["id"]}
    foreign["azure group"] = other.group("Sales", foreign["azure person"], externalId="g1")["id"]
    for name in ("ada", "mia", "root"):
        [row] = company.rows("select id from app_user where source = 'local' and name like %s", [f"{name}%"])[:1] or [
            {}
        ]
        if row:
            foreign[f"local {name}"] = str(row["id"])
    for name in ("hr", "managers"):
        foreign[f"local {name}"] = str(company.rows("select id from role where name = %s", [name])[0]["id"])
    foreign["the service"] = str(scim.key.id)
    own = {name: scim.user(name, externalId=name)["id"] for name in ("kim", "lea", "max")}
    own |= {"Red": scim.group("Red", own["kim"])["id"], "Blue": scim.group("Blue", own["lea"])["id"]}
    held = scim.user("held one")["id"]
    root = company.headers("root")
    name = company.rows("select name from app_user where id = %s", [held])[0]["name"]
    assert client.patch(f"/api/v1/users/okta:{name}", json={"active": False}, headers=root).status_code == 200
    assert client.put("/api/v1/roles/okta:red/members/ada", headers=root).status_code == 204
    return Neighbours(company, scim, foreign, own, held)


@pytest.fixture
def neighbours(company: Company, client: TestClient) -> Neighbours:
    return neighbours_in(company, client)


@pytest.fixture(scope="module")
def lasting(company_template: Company) -> Iterator[Neighbours]:
    with copied_company(company_template) as company, client_of(parts_of(company.db)) as client:
        yield neighbours_in(company, client)


def requests_to(kind: str, target: str, own: dict[str, str]) -> list[tuple[str, str, Any]]:
    """Each way to name somebody in a change."""
    user, group = {"schemas": [USER], "userName": "taken over"}, {"schemas": [GROUP], "displayName": "taken over"}
    off = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": False}]}
    name = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": "x"}]}
    member = [{"value": target}]
    adding = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": member}]}
    return [
        ("PUT", f"/{kind}/{target}", user if kind == "Users" else group),
        ("PATCH", f"/{kind}/{target}", off if kind == "Users" else name),
        ("DELETE", f"/{kind}/{target}", None),
        ("PATCH", f"/Groups/{own['Red']}", adding),
        ("PUT", f"/Groups/{own['Red']}", {**group, "members": member}),
        ("POST", "/Groups", {**group, "members": member}),
    ]


def test_what_is_not_of_the_source_is_refused_and_recorded_as_if_it_were_not_there(neighbours: Neighbours) -> None:
    """People and roles that are local or of another source, against an id of nobody: the same answer but for the id,
    and the same record. Nothing of them changes.
    """
    before, scim = neighbours.snapshot(), neighbours.scim
    for name, target in neighbours.foreign.items():
        for kind in ("Users", "Groups"):
            both = [requests_to(kind, each, neighbours.own) for each in (target, str(ABSENT))]
            for theirs, nobodys in zip(*both, strict=True):
                answers = [scim.send(*each) for each in (theirs, nobodys)]
                assert answers[0].status_code in {400, 404}, (name, theirs, answers[0].text)
                assert_same(answers, target)
            seen = [scim.send("GET", f"/{kind}/{each}") for each in (target, str(ABSENT), "no-id")]
            assert {each.status_code for each in seen} == {404}
            assert len({each.content for each in seen}) == 1
    assert neighbours.snapshot() == before
    refused = neighbours.company.records("change.refused")
    assert {record["reason"] for record in refused} == {"NotOfSource", "ForeignMember"}
    assert {record["actor"]["user"] for record in refused} == {str(scim.key.id)}
    assert len(refused) == len(neighbours.foreign) * 2 * 6 * 2
    assert {record["route"] for record in refused} >= {"PATCH /scim/v2/Users/{user}", "POST /scim/v2/Groups"}


def assert_same(answers: list[Any], target: str) -> None:
    first, second = ((each.status_code, each.text, each.headers["content-type"]) for each in answers)
    assert first[0] == second[0]
    assert first[1].replace(target, str(ABSENT)) == second[1]
    assert first[2] == second[2]


def test_searches_give_nobody_else(neighbours: Neighbours) -> None:
    scim = neighbours.scim
    for question in ("id pr", 'userName sw ""', 'not (userName eq "x")', 'displayName ne "x"'):
        found = scim.send("GET", "/Users", filter=question).json()["Resources"]
        assert {each["userName"] for each in found} == {"kim", "lea", "max", "held one"}, question
    groups = scim.send("GET", "/Groups").json()["Resources"]
    assert {each["displayName"] for each in groups} == {"Red", "Blue"}
    members = {member["value"] for group in groups for member in group.get("members", ())}
    assert members == {neighbours.own["kim"], neighbours.own["lea"]}, "not the local person in a group"
    for target in neighbours.foreign.values():
        for question in (f'members eq "{target}"', f'id eq "{target}"'):
            assert scim.send("GET", "/Groups", filter=question).json()["totalResults"] == 0
    for question in ('userName eq "zoe"', 'externalId eq "z1"', 'userName eq "ada"'):
        assert scim.send("GET", "/Users", filter=question).json()["totalResults"] == 0


def test_a_local_member_of_a_group_stays_when_the_source_replaces_its_members(neighbours: Neighbours) -> None:
    red = neighbours.own["Red"]
    body = {"schemas": [GROUP], "displayName": "Red", "members": []}
    assert neighbours.scim.send("PUT", f"/Groups/{red}", body).status_code == 200
    rows = neighbours.company.rows("select u.name from membership m join app_user u on u.id = m.user_id"
                                   " where m.role_id = %s", [red])  # fmt: skip
    assert rows == [{"name": "ada"}]


def test_whom_an_administrator_switched_off_stays_so(neighbours: Neighbours) -> None:
    """On every way to switch somebody on; what is not `active` may change."""
    scim, held = neighbours.scim, f"/Users/{neighbours.held}"
    for value in (True, "True", "true"):
        check_error(scim.patch(held, {"op": "Replace", "path": "active", "value": value}), 409)
    check_error(scim.send("PUT", held, {"schemas": [USER], "userName": "held one", "active": True}), 409)
    answer = scim.patch(held, {"op": "replace", "value": {"active": True}})
    check_error(answer, 409)
    assert "administrator" in answer.json()["detail"]
    assert scim.patch(held, {"op": "replace", "path": "title", "value": "Boss"}).json()["active"] is False
    assert scim.patch(held, {"op": "remove", "path": "active"}).json().get("active") is None
    left_out = scim.send("PUT", held, {"schemas": [USER], "userName": "held one"})
    assert left_out.json().get("active") in {None, False}
    assert neighbours.company.rows(RISEN) == []


def test_nobody_else_provisions(client: TestClient, company: Company, neighbours: Neighbours) -> None:
    """People, administrators too, are refused on these routes, and the service on all others."""
    for who in ("root", "ada", "cleo"):
        for method, path in (("GET", "/Users"), ("POST", "/Users"), ("DELETE", f"/Groups/{neighbours.own['Red']}")):
            answer = client.request(method, f"/scim/v2{path}", json={}, headers=company.headers(who))
            check_problem(answer, 403, "MissingCapability")
    check_problem(client.get("/scim/v2/Users"), 401, "NotSignedIn")
    for method, path, body in (
        ("GET", "/users/me", None),
        ("GET", "/documents", None),
        ("GET", "/users", None),
        ("POST", "/ask", {"question": "What?"}),
        ("POST", "/keys", {"user": "ada", "capabilities": ["ask"]}),
        ("PATCH", "/users/okta:kim", {"clearance": "restricted"}),
    ):
        answer = client.request(method, f"/api/v1{path}", json=body, headers=neighbours.scim.key.headers)
        check_problem(answer, 403, "InPersonNeeded")


# --- Any requests at all.

HOSTILE: list[dict[str, Any]] = [
    {},
    {"active": True},
    {"active": "False"},
    {"roles": [{"value": "administer", "primary": True}], "entitlements": [{"value": "restricted"}]},
    {"clearance": "restricted", "capabilities": ["administer"], "held": False, "source": "local", "kind": "service"},
    {"id": str(ABSENT), "meta": {"created": "2000-01-01T00:00:00Z", "version": "x"}},
    {"groups": [{"value": "<foreign>"}]},
    {"externalId": "z1"},
    {"externalId": "kim"},
    {"password": "x", ENTERPRISE: {"manager": {"value": "<foreign>"}}},
    {"provisions": "local", "tokens_after": None, "deleted_at": None},
]
PLACES = ("members", "active", "userName", "displayName", "roles", "id", "groups", 'members[value eq "<foreign>"]',
          "clearance", "capabilities", "externalId", "meta.version", None)  # fmt: skip
names = st.sampled_from(["kim", "ada", "local:ada", "everyone", "hr", "Red", "new one", "_canary", "okta:kim"])
targets = st.sampled_from(["<own>", "<foreign>", "<held>", "<absent>", "<group>", "bulkId:1", "no-id", "", "."])
members = st.lists(targets.map(lambda each: {"value": each}), max_size=3)
attributes = st.sampled_from(HOSTILE)
users = st.builds(lambda name, more: {"schemas": [USER], "userName": name, **more}, names, attributes)
groups = st.builds(
    lambda name, who, more: {"schemas": [GROUP], "displayName": name, "members": who, **more},
    names,
    members,
    attributes,
)
values = st.one_of(
    members, attributes, st.booleans(), names, st.none(), st.sampled_from(["True", "False", "<foreign>"])
)
patches = st.lists(
    st.builds(
        lambda op, path, value: {"op": op, "value": value} | ({} if path is None else {"path": path}),
        st.sampled_from(["add", "Replace", "remove", "Remove"]), st.sampled_from(PLACES), values,
    ),
    min_size=1, max_size=3,
).map(lambda operations: {"schemas": [PATCH_OP], "Operations": operations})  # fmt: skip
kinds = st.sampled_from(["Users", "Groups"])
singles = st.one_of(
    st.tuples(st.just("POST"), kinds.map(lambda kind: f"/{kind}"), st.one_of(users, groups)),
    st.tuples(st.just("PUT"), st.builds("/{}/{}".format, kinds, targets), st.one_of(users, groups)),
    st.tuples(st.just("PATCH"), st.builds("/{}/{}".format, kinds, targets), patches),
    st.tuples(st.just("DELETE"), st.builds("/{}/{}".format, kinds, targets), st.none()),
)
bulks = st.lists(singles, min_size=1, max_size=4).map(
    lambda parts: (
        "POST",
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": method, "path": path, "data": data, "bulkId": str(number)}
                for number, (method, path, data) in enumerate(parts)
            ],
        },
    )
)


@settings(max_examples=30 * LAW_FACTOR, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_widens(lasting: Neighbours, data: st.DataObject) -> None:
    """Whatever a service sends: nothing of anybody else changes, nobody rises, nobody who was switched off by hand
    comes back, and what local people see stays what it was. No request fails by a fault of ours.
    """
    scim, before = lasting.scim, lasting.snapshot()
    seen = lasting.visible()
    for _ in range(data.draw(st.integers(1, 6))):
        method, path, body = data.draw(st.one_of(singles, singles, bulks))
        words = {
            "<own>": one_of_them(living(lasting, "Users"), data.draw(st.integers(0, 99))),
            "<group>": one_of_them(living(lasting, "Groups"), data.draw(st.integers(0, 99))),
            "<foreign>": data.draw(st.sampled_from(sorted(lasting.foreign.values()))),
            "<held>": lasting.held,
            "<absent>": str(ABSENT),
        }
        sent = filled([path, body], words)
        answer = scim.send(method, *sent)
        assert answer.status_code < 500, (method, sent, answer.text)
        assert '"status": "500"' not in answer.text, (method, sent, answer.text)
    assert lasting.snapshot() == before
    assert lasting.company.rows(RISEN) == []
    assert lasting.company.rows("select 1 from app_user where id = %s and active", [lasting.held]) == []
    assert lasting.visible() == seen


def one_of_them(ids: list[str], number: int) -> str:
    """By a number, since how many there are depends on what went before."""
    return ids[number % len(ids)]


def filled(request: list[Any], words: dict[str, str]) -> Any:
    """The request with each placeholder replaced."""
    return json.loads(re.sub("|".join(words), lambda found: words[found[0]], json.dumps(request)))


def living(world: Neighbours, kind: str) -> list[str]:
    """Ids of the source as they are now, and one that nobody has."""
    found = world.scim.send("GET", f"/{kind}", count="20").json()["Resources"]
    return sorted(each["id"] for each in found) or [str(uuid.UUID(int=1))]
