"""Plans: what a change would do, before it is made; a second administrator where its author would gain."""

from typing import Any

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
    assert [r["reason"] for r in company.records("change.refused")] == ["SelfGrant"]


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


def test_a_plan_that_its_author_ended_is_not_applied(client: TestClient, company: Company) -> None:
    made = plan(client, company, OPEN_HR, who="cleo")
    assert client.delete(f"{PLANS}/{made['id']}", headers=company.headers("cleo")).status_code == 204
    check_problem(act(client, company, made), 409, "Conflict")


def test_all_or_nothing(client: TestClient, company: Company) -> None:
    """A plan whose last step cannot be made makes none of its steps."""
    made = plan(client, company, OPEN_HR, {"change": "join", "user": "ben", "role": "managers"})
    company.execute("revoke insert on membership from clearance_app")
    before = policy_of(company)
    assert act(client, company, made).status_code >= 500
    assert policy_of(company) == before
