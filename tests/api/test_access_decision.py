"""The permission debugger: every rule looked at for a person and a document, now and in the past, and who is told."""

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.folders import put
from tests.api.problems import ABSENT, check_problem
from tests.support.company import Company, administering
from tests.support.worker import work_queued

YEAR = "2090-01-01T00:00:00Z"
PAST = "2020-01-01T00:00:00Z"


def decision(client: TestClient, company: Company, who: str, **query: Any) -> Any:
    return client.get("/api/v1/access/decision", params=query, headers=company.headers(who))


def told(client: TestClient, company: Company, **query: Any) -> Any:
    answer = decision(client, company, "cleo", **query)
    assert answer.status_code == 200, answer.text
    explained = client.get("/api/v1/access/explain", params=query, headers=company.headers("cleo")).json()
    found = answer.json()
    assert (found["explanation"], found["reason"]) == (explained["explanation"], explained["reason"])
    return found


@pytest.fixture
def deep(client: TestClient, company: Company) -> str:
    """hr/pay/old/a.md: hr for the collection; engineering of the past for pay; old breaks; its own rule names seniors,
    who lie inside engineering.
    """
    send = administering(client, company)
    send("POST", "/roles", {"name": "seniors", "inside": ["engineering"]})
    send("PUT", "/roles/seniors/members/mia", None)
    past = {"grants": [{"role": "engineering", "ends_at": PAST}]}
    send("PUT", "/collections/hr/access?folder=pay", past)
    send("PUT", "/collections/hr/access?folder=pay/old", {"grants": [{"user": "ben"}], "inherits": False})
    put(client, company, "pay/old/a.md")
    work_queued(company.db)
    listed = client.get("/api/v1/documents", headers=company.headers("cleo")).json()
    [document] = [d["id"] for d in listed if d["path"] == "pay/old/a.md"]
    own = {"grants": [{"role": "engineering"}, {"effect": "deny", "user": "ben"}], "label": "restricted"}
    answer = client.put(f"/api/v1/documents/{document}/access", json=own, headers=company.headers("cleo"))
    assert answer.status_code == 200, answer.text
    return str(document)


def test_every_level_and_grant_is_told_in_order(client: TestClient, company: Company, deep: str) -> None:
    """What breaks, whom a grant names and by which way, whether it is in time, which decided, whose label holds."""
    found = told(client, company, document=deep, user="mia")
    assert (found["allowed"], found["reason"], found["label"], found["clearance"]) == (
        True, "granted", "restricted", "restricted",
    )  # fmt: skip
    assert found["may"] == ["ask", "download"]
    levels = [(one["kind"], one["name"], one["counts"], one["labels"]) for one in found["levels"]]
    assert levels == [
        ("collection", "hr", False, False),
        ("folder", "pay", False, False),
        ("folder", "pay/old", True, False),
        ("document", "", True, True),
    ]

    def grants(number: int) -> list[tuple[Any, ...]]:
        names = ("effect", "principal", "names_them", "through", "in_time", "decided")
        return [tuple(grant[name] for name in names) for grant in found["levels"][number]["grants"]]

    by_nesting = ["seniors", "engineering"]
    assert grants(0) == [("allow", "hr", False, [], True, False)]
    assert grants(1) == [("allow", "engineering", True, by_nesting, False, False)]
    assert grants(2) == [("allow", "ben", False, [], True, False)]
    assert grants(3) == [
        ("allow", "engineering", True, by_nesting, True, True),
        ("deny", "ben", False, [], True, False),
    ]


def test_a_deny_decides_and_says_so(client: TestClient, company: Company, deep: str) -> None:
    found = told(client, company, document=deep, user="ben")
    assert (found["allowed"], found["reason"]) == (False, "denied")
    decided = [g for level in found["levels"] for g in level["grants"] if g["decided"]]
    assert [(g["effect"], g["kind"], g["principal"]) for g in decided] == [("deny", "user", "ben")]


def test_who_is_switched_off_reads_nothing_whatever_the_rules_say(client: TestClient, company: Company) -> None:
    administering(client, company)("PATCH", "/users/ada", {"active": False})
    query = {"document": company.documents["hr", "salaries.md"], "user": "ada"}
    found = decision(client, company, "cleo", **query).json()
    assert (found["allowed"], found["reason"]) == (False, "switched off")
    assert found["explanation"] == "ada is switched off, and reads nothing."


def test_the_past_is_told_as_it_was(client: TestClient, company: Company, deep: str) -> None:
    """With the nesting, the rule and the label of then; of what stood above the document all together."""
    send = administering(client, company)
    time.sleep(0.02)
    [moment] = company.rows("select now() as at")
    time.sleep(0.02)
    send("DELETE", "/roles/seniors/inside/engineering", None)
    client.put(f"/api/v1/documents/{deep}/access", json={"grants": []}, headers=company.headers("cleo"))
    now = told(client, company, document=deep, user="mia")
    assert (now["allowed"], now["reason"]) == (False, "nothing granted")
    found = told(client, company, document=deep, user="mia", at=moment["at"].isoformat())
    assert (found["allowed"], found["reason"], found["label"], found["may"]) == (True, "granted", "restricted", None)
    inherited, own = found["levels"]
    assert (inherited["kind"], [g["principal"] for g in inherited["grants"]]) == ("inherited", ["ben"])
    assert [(g["principal"], g["through"], g["decided"]) for g in own["grants"]] == [
        ("engineering", ["seniors", "engineering"], True),
        ("ben", [], False),
    ]
    before = told(client, company, document=deep, user="mia", at=PAST)
    assert (before["allowed"], before["reason"], before["levels"], before["label"]) == (False, "not there", [], None)


def test_who_may_not_change_the_rules_is_told_nothing(client: TestClient, company: Company, deep: str) -> None:
    """The document hidden and absent are the same; who reads it is no ruler for that; the past is its curators'."""
    for who in ("ben", "audrey", "root"):
        hidden = decision(client, company, who, document=deep, user="ada")
        absent = decision(client, company, who, document=ABSENT, user="ada")
        check_problem(hidden, 404, "NotFound")
        assert hidden.content == absent.content
    for user in ("ada", "mia", "nobody"):
        check_problem(decision(client, company, "mia", document=deep, user=user), 403, "MissingCapability")
    check_problem(decision(client, company, "mia", document=deep, user="mia", at=YEAR), 404, "NotFound")
    check_problem(decision(client, company, "cleo", document=deep, user="nobody"), 404, "NotFound")
    check_problem(
        decision(client, company, "cleo", document=deep, user="ada", at="2026-01-01T00:00:00"), 422, "InvalidInput"
    )
    # An administrator sees what they may read themselves.
    readable = company.documents["handbook", "leave.md"]
    found = decision(client, company, "root", document=readable, user="ben").json()
    counting = [(level["kind"], level["counts"]) for level in found["levels"]]
    assert counting == [("collection", False), ("document", True)]
