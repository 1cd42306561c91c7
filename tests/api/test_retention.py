"""How long records are kept takes two people, and what a rule removed is told of where somebody looks for it."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.audit import sequencing
from app.audit.pruning import prune_batch
from app.db.engine import connect
from app.errors import Conflict
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.company import Company, administering
from tests.support.service import parts_of, subject_named

RULES = "/api/v1/retention"
WHY = "The works council agreed to it."


@pytest.fixture
def desk(client: TestClient, company: Company) -> Company:
    """Two who may erase, and an auditor who may not."""
    send = administering(client, company)
    for name in ("erna", "emil"):
        send("POST", "/users", {"name": name, "capabilities": ["erase"], "clearance": "internal"})
        company.keys[name] = send("POST", "/keys", {"user": name, "capabilities": ["erase"]})["secret"]
    return company


def ask(client: TestClient, desk: Company, who: str = "erna", **given: Any) -> Any:
    body = {"kind": "search", "days": 90, "reason": WHY} | given
    return client.post(RULES, json=body, headers=desk.headers(who))


def decide(client: TestClient, desk: Company, rule: str, who: str = "emil", *, approved: bool = True) -> Any:
    return client.post(f"{RULES}/{rule}/decision", json={"approved": approved}, headers=desk.headers(who))


def rules(client: TestClient, desk: Company, who: str = "erna") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(RULES, headers=desk.headers(who)).json()
    return found


def prune(desk: Company) -> int:
    """As the sequencer does; gives how many went."""
    engine = connect(desk.db.url("sequencer"), pool_size=1)
    with Session(engine) as session, session.begin():
        assert sequencing.lock(session)
        batch = prune_batch(session)
    engine.dispose()
    return 0 if batch is None else batch.count


def test_one_person_alone_puts_no_rule_in_force(client: TestClient, desk: Company) -> None:
    asked = ask(client, desk)
    assert asked.status_code == 201, asked.text
    rule = asked.json()["id"]
    assert (asked.json()["state"], asked.json()["own"]) == ("waiting", True)
    check_problem(decide(client, desk, rule, "erna"), 409, "Conflict")
    check_problem(decide(client, desk, rule, "audrey"), 403, "MissingCapability")
    check_problem(ask(client, desk, "audrey"), 403, "MissingCapability")
    check_problem(ask(client, desk, "emil"), 409, "Conflict")
    assert decide(client, desk, rule).status_code == 204
    check_problem(decide(client, desk, rule), 409, "Conflict")
    check_problem(decide(client, desk, "11111111-2222-4333-8444-555555555555"), 404, "NotFound")
    [told] = rules(client, desk, "audrey")
    assert (told["state"], told["decided_by"], told["own"]) == ("in_force", "emil", False)


def test_the_database_holds_whoever_comes_past_the_routes_to_it(client: TestClient, desk: Company) -> None:
    """As the API's role, under the identity of who asked, and of who may not erase at all."""
    rule = ask(client, desk).json()["id"]
    parts = parts_of(desk.db)
    erna, audrey = (subject_named(parts, name).user_id for name in ("erna", "audrey"))
    own = "insert into retention_rule (kind, days, reason, requested_by{0}) values ('key', 90, '" + WHY + "', '{1}'{2})"
    with contextlib.closing(parts.database):
        for user, statement in (
            (erna, f"select clearance.decide_retention('{rule}', true)"),
            (audrey, f"select clearance.decide_retention('{rule}', true)"),
            (erna, "update retention_rule set approved = true"),
            (erna, own.format(", approved", erna, ", true")),
            (erna, own.format("", audrey, "")),
            (audrey, own.format("", audrey, "")),
        ):
            with pytest.raises((DBAPIError, Conflict)), parts.database.writing(user) as session:
                session.execute(text(statement))
    assert [each["state"] for each in rules(client, desk)] == ["waiting"]


def test_a_rule_that_was_refused_or_replaced_is_not_in_force(client: TestClient, desk: Company) -> None:
    for days, approved in ((90, True), (400, True), (30, False)):
        decide(client, desk, ask(client, desk, days=days).json()["id"], approved=approved)
    ask(client, desk, days=None)
    states = {each["days"]: each["state"] for each in rules(client, desk)}
    assert states == {90: "replaced", 400: "in_force", 30: "refused", None: "waiting"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "answers"}, "'answers' is no kind of records that can be removed. These can: answer, search"),
        ({"kind": "log"}, "is no kind of records that can be removed"),
        ({"kind": "search", "label": "public"}, "Answers alone have a label"),
        ({"kind": "answer", "label": "secret"}, "Labels are: public, internal, confidential, restricted"),
        ({"days": 29}, "greater than or equal to 30"),
        ({"days": 36_501}, "36500"),
        ({"reason": "why not"}, "at least 10"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(
    client: TestClient, desk: Company, given: dict[str, Any], said: str
) -> None:
    answer = ask(client, desk, **given)
    assert answer.status_code == 422
    assert said in answer.text
    assert rules(client, desk) == []


def test_what_it_removed_is_told_of_and_recorded(client: TestClient, desk: Company) -> None:
    client.post("/api/v1/search", json={"query": "parental leave"}, headers=desk.headers("mia"))
    desk.execute(
        "alter table audit_leaf disable trigger append_only; update audit_leaf set at = now() - interval '100 days'"
    )
    sequence(desk.db)
    headers = desk.headers("audrey")
    found = client.get("/api/v1/audit/events", params={"q": "kind:search"}, headers=headers).json()
    [seq] = [each["seq"] for each in found["events"]]
    decide(client, desk, ask(client, desk).json()["id"])
    assert prune(desk) == 1
    sequence(desk.db)

    gone = client.get(f"/api/v1/audit/events/{seq}", headers=headers)
    check_problem(gone, 404, "NotFound")
    assert "removed the record of this number" in gone.json()["detail"]
    unknown = client.get("/api/v1/audit/events/999999", headers=headers)
    check_problem(unknown, 404, "NotFound")
    assert "removed" not in unknown.json()["detail"]
    [told] = rules(client, desk)
    assert told["pruned"] == 1
    assert told["pruned_before"] < told["decided_at"]
    [pruned] = desk.records("log.pruned")
    assert (pruned["entries"], pruned["counts"], pruned["rules"]) == ([[seq, seq]], {"search.done": 1}, [told["id"]])
    [requested], [decided] = desk.records("retention.requested"), desk.records("retention.decided")
    assert (requested["days"], desk.unsealed(requested, "reason"), decided["approved"]) == (90, WHY, True)
    assert desk.records("search.done") == []


def test_who_asks_what_people_were_shown_is_told_that_records_are_missing(client: TestClient, desk: Company) -> None:
    salaries, headers = str(desk.documents["hr", "salaries.md"]), desk.headers("audrey")
    client.post("/api/v1/search", json={"query": "salary band"}, headers=desk.headers("ada"))
    desk.execute(
        "alter table audit_leaf disable trigger append_only; update audit_leaf set at = now() - interval '100 days'"
    )
    sequence(desk.db)
    long_ago, lately = "2026-01-01T00:00:00Z", (dt.datetime.now(dt.UTC) - dt.timedelta(days=5)).isoformat()

    def told(route: str, **params: str) -> Any:
        return client.get(f"/api/v1/audit/{route}", params=params, headers=headers).json()

    desk.execute("update user_history set valid_from = '2025-01-01Z'")
    assert told("exposure", document=salaries, since=long_ago)["complete"] is True
    assert told("shown", user="ada")["pruned_before"] is None
    assert [each["document"] for each in told("shown", user="ada")["found"]].count(salaries) == 1
    decide(client, desk, ask(client, desk).json()["id"])
    prune(desk)
    before = rules(client, desk)[0]["pruned_before"]
    assert told("shown", user="ada")["found"] == []
    for route, params in (
        ("shown", {"document": salaries}),
        ("exposure", {"document": salaries}),
        ("stale-answers", {"document": salaries}),
    ):
        assert told(route, **params, since=long_ago)["pruned_before"] == before
        assert told(route, **params, since=lately)["pruned_before"] is None
    assert told("exposure", document=salaries, since=long_ago)["complete"] is False
    assert told("unusual")["pruned_before"] is None
    month = dt.datetime.now(dt.UTC) - dt.timedelta(days=75)
    asked = told("unusual", since=month.isoformat(), until=(month + dt.timedelta(days=5)).isoformat())
    assert asked["pruned_before"] == before, "the days with which these are compared are not whole"
