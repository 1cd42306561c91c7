"""Plans: what a change would do, before it is made; a second administrator where its author would gain."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.settings import AccessSettings
from tests.api.access_plans import OPEN_HR, PLANS, act, inherit, plan, policy_of
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.service import client_of, parts_of


def test_a_plan_says_what_would_be_and_changes_nothing(client: TestClient, company: Company) -> None:
    """Who gains and loses how many; every table of the policy stays as it was, to the last row."""
    inherit(client, company)
    before = policy_of(company)
    made = plan(client, company, OPEN_HR)
    assert (made["state"], made["needs_second"], made["documents"]) == ("open", False, 1)
    assert made["people"] == [{"user": "mia", "gains": 1, "loses": 0}]
    shut = plan(client, company, {"change": "revoke", "collection": "hr", "grant": {"role": "hr"}}, OPEN_HR)
    assert shut["people"] == [{"user": who, "gains": int(who == "mia"), "loses": int(who != "mia")} for who in
                              ("ada", "hank", "mia")]  # fmt: skip
    assert policy_of(company) == before
    assert [p["id"] for p in client.get(PLANS, headers=company.headers("root")).json()] == [made["id"], shut["id"]]


def test_a_plan_applied_does_what_it_said(client: TestClient, company: Company) -> None:
    """From its commit on; once; and the log has the plan and each of its steps."""
    inherit(client, company)
    salaries = f"/api/v1/documents/{company.documents['hr', 'salaries.md']}"
    made = plan(client, company, OPEN_HR, {"change": "join", "user": "ben", "role": "managers"})
    assert client.get(salaries, headers=company.headers("mia")).status_code == 404
    assert act(client, company, made).json()["state"] == "applied"
    assert client.get(salaries, headers=company.headers("mia")).status_code == 200
    check_problem(act(client, company, made), 409, "Conflict")
    kinds = [r["kind"] for r in company.rows("select kind from audit_leaf order by at desc limit 4")]
    assert sorted(kinds[1:]) == ["plan.applied", "policy.changed", "role.joined"], "behind the opened document"


@pytest.mark.parametrize(
    ("change", "gains"),
    [
        ({"change": "join", "user": "mia", "role": "hr"}, {"mia": (1, 0)}),
        ({"change": "leave", "user": "ada", "role": "hr"}, {"ada": (0, 1)}),
        ({"change": "nest", "role": "managers", "inside": "hr"}, {"mia": (1, 0)}),
        ({"change": "clearance", "user": "ada", "clearance": "public"}, {"ada": (0, 4)}),
        ({"change": "rule", "collection": "board", "rule": {"grants": [{"everyone": True}]}}, {}),
        ({"change": "rule", "collection": "hr", "folder": "x", "rule": {"grants": []}}, {}),
    ],
    ids=lambda v: v.get("change") if isinstance(v, dict) and "change" in v else "",
)
def test_every_kind_of_change(
    client: TestClient, company: Company, change: dict[str, Any], gains: dict[str, tuple[int, int]]
) -> None:
    """Foreseen as it comes out: the people's lists before and after differ by what the plan says."""
    people = ("ada", "ben", "mia", "hank")
    before = {who: count(client, company, who) for who in people}
    handbook = sum(1 for collection, _ in company.documents if collection == "handbook")
    made = plan(client, company, change)
    told = {e["user"]: (e["gains"], e["loses"]) for e in made["people"]}
    expected = {who: (g, handbook + 1 if lost == 4 else lost) for who, (g, lost) in gains.items()}
    assert told == expected
    assert act(client, company, made).status_code == 200
    after = {who: count(client, company, who) for who in people}
    assert {w: after[w] - before[w] for w in people} == {
        w: told.get(w, (0, 0))[0] - told.get(w, (0, 0))[1] for w in people
    }


def count(client: TestClient, company: Company, who: str) -> int:
    """How many documents a person reads (titles are for readers alone)."""
    listed = client.get("/api/v1/documents", headers=company.headers(who)).json()
    return sum(d["title"] != "" for d in listed)


def test_a_plan_is_refused_when_the_world_moved(client: TestClient, company: Company) -> None:
    """Another rule, another member, another document: it would do something else, so it does nothing."""
    inherit(client, company)
    root = company.headers("root")
    moves: list[Any] = [
        lambda: client.post("/api/v1/grants?collection=hr", json={"user": "nora"}, headers=root),
        lambda: client.put("/api/v1/roles/managers/members/max", headers=root),
        lambda: client.patch("/api/v1/users/mia", json={"active": False}, headers=root),
    ]
    for move in moves:
        made = plan(client, company, OPEN_HR)
        assert move().is_success
        before = policy_of(company)
        check_problem(act(client, company, made), 409, "PlanStale")
        assert policy_of(company) == before
    untouched = plan(client, company, OPEN_HR)
    client.post("/api/v1/grants?collection=handbook", json={"user": "nora"}, headers=root)
    assert act(client, company, untouched).status_code == 200, "what moved elsewhere is no matter"


def test_to_oneself_takes_a_second_administrator(client: TestClient, company: Company, second: str) -> None:
    """Planned by the one who gains, applied by another one; both are in the log."""
    inherit(client, company)
    raised = client.patch("/api/v1/users/admin", json={"clearance": "restricted"}, headers=company.headers(second))
    assert raised.status_code == 200
    grant = {"change": "grant", "collection": "hr", "grant": {"user": "admin"}}
    made = plan(client, company, grant)
    assert made["needs_second"]
    assert {"user": "admin", "gains": 1, "loses": 0} in made["people"]
    check_problem(act(client, company, made), 403, "SelfGrant")
    assert act(client, company, made, second).json()["state"] == "applied"
    record = company.records("plan.applied")[-1]
    ids = {r["name"]: str(r["id"]) for r in company.rows("select name, id from app_user")}
    assert (record["author"], record["actor"]["user"], record["needs_second"]) == (ids["admin"], ids["rita"], True)
    join = plan(client, company, {"change": "join", "user": "admin", "role": "managers"})
    assert join["needs_second"]
    check_problem(act(client, company, join), 403, "SelfGrant")
    assert act(client, company, join, second).status_code == 200
    assert [r["reason"] for r in company.records("change.refused")] == ["SelfGrant", "SelfGrant"]


def test_who_applies_may_not_gain_either(client: TestClient, company: Company, second: str) -> None:
    made = plan(client, company, {"change": "grant", "collection": "hr", "grant": {"user": "rita"}})
    check_problem(act(client, company, made, second), 403, "SelfGrant")


def test_policy_may_refuse_it_altogether(company: Company) -> None:
    """Then no plan to one's own profit can even be made."""
    parts = parts_of(company.db)
    strict = parts.settings.model_copy(update={"access": AccessSettings(second_administrator=False)})
    with client_of(type(parts)(**{**vars(parts), "settings": strict})) as client:
        body = {"changes": [{"change": "grant", "collection": "hr", "grant": {"user": "admin"}}]}
        check_problem(client.post(PLANS, json=body, headers=company.headers("root")), 403, "SelfGrant")
        assert client.post(PLANS, json={"changes": [OPEN_HR]}, headers=company.headers("root")).status_code == 201


def test_whose_plans(client: TestClient, company: Company) -> None:
    """A curator plans for the collections that he looks after; his plan is his own and the administrators'."""
    made = plan(client, company, OPEN_HR, who="cleo")
    for who, status in (("root", 200), ("cleo", 200), ("hank", 404), ("ada", 404), ("audrey", 404)):
        answer = client.get(f"{PLANS}/{made['id']}", headers=company.headers(who))
        absent = client.get(f"{PLANS}/{uuid.uuid4()}", headers=company.headers(who))
        assert answer.status_code == status
        assert status == 200 or answer.content == absent.content
    check_problem(act(client, company, made, "hank"), 404, "NotFound")
    assert client.delete(f"{PLANS}/{made['id']}", headers=company.headers("cleo")).status_code == 204
    check_problem(act(client, company, made), 409, "Conflict")


@pytest.mark.parametrize(
    ("who", "change", "status", "code"),
    [
        ("hank", {**OPEN_HR, "collection": "handbook"}, 403, "NotAllowed"),
        ("hank", {**OPEN_HR, "collection": "board"}, 404, "NotFound"),
        ("hank", {"change": "join", "user": "ben", "role": "managers"}, 403, "MissingCapability"),
        ("hank", {"change": "nest", "role": "hr", "inside": "managers"}, 403, "MissingCapability"),
        ("root", {**OPEN_HR, "grant": {"role": "nobody"}}, 422, "UnknownRole"),
        ("root", {"change": "nest", "role": "hr", "inside": "hr"}, 422, "InvalidInput"),
        ("root", {"change": "rule", "collection": "hr", "rule": None}, 422, "InvalidInput"),
        ("root", {"change": "else"}, 422, "InvalidInput"),
    ],
)
def test_what_cannot_be_planned(
    client: TestClient, company: Company, who: str, change: dict[str, Any], status: int, code: str
) -> None:
    before = policy_of(company)
    answer = client.post(PLANS, json={"changes": [change]}, headers=company.headers(who))
    check_problem(answer, status, code)
    assert policy_of(company) == before


def test_all_or_nothing(client: TestClient, company: Company) -> None:
    """A plan whose last step cannot be made makes none of its steps."""
    made = plan(client, company, OPEN_HR, {"change": "join", "user": "ben", "role": "managers"})
    company.execute("revoke insert on membership from clearance_app")
    before = policy_of(company)
    assert act(client, company, made).status_code >= 500
    assert policy_of(company) == before
