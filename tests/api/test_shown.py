"""Who was shown a document, and what a person was shown: counted by hand beside what they did over the API."""

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.api.services import Service
from tests.support.audit_order import sequence
from tests.support.company import Company

SHOWN = "/api/v1/audit/shown"
QUESTION = {"question": "How long is parental leave?", "mode": "quote"}
NOTHING = dict.fromkeys(("answers", "searches", "opened", "downloaded", "read_back"), 0)


@pytest.fixture
def used(client: TestClient, company: Company, bot: Service) -> Company:
    """Ada asked twice about leave, once by the bot, opened it, and read her conversation back; Ben searched for it."""
    ada, ben = company.headers("ada"), company.headers("ben")
    leave = company.documents["handbook", "leave.md"]
    conversation = client.post("/api/v1/conversations", headers=ada).json()["id"]
    done = [
        client.post("/api/v1/ask", json=QUESTION | {"conversation": conversation}, headers=ada),
        client.post("/api/v1/ask", json=QUESTION, headers=bot.headers("ada")),
        client.get(f"/api/v1/documents/{leave}", headers=ada),
        client.get(f"/api/v1/conversations/{conversation}", headers=ada),
        client.post("/api/v1/search", json={"query": "parental leave"}, headers=ben),
    ]
    assert {answer.status_code for answer in done} == {200}
    sequence(company.db)
    return company


def shown(client: TestClient, company: Company, **params: Any) -> list[dict[str, Any]]:
    answer = client.get(SHOWN, params=params, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["found"]
    return rows


def test_who_was_shown_a_document(client: TestClient, used: Company) -> None:
    leave = str(used.documents["handbook", "leave.md"])
    rows = shown(client, used, document=leave)
    assert [(row["user"], row["times"]) for row in rows] == [
        ("ben", NOTHING | {"searches": 1}),
        ("ada", NOTHING | {"answers": 2, "opened": 1, "read_back": 1}),
    ]
    assert {row["document"] for row in rows} == {leave}
    [ada] = [row for row in rows if row["user"] == "ada"]
    assert ada["names"] == ["ada"]
    assert dt.datetime.fromisoformat(ada["first"]) < dt.datetime.fromisoformat(ada["last"])
    events = client.get("/api/v1/audit/events", params={"q": ada["q"]}, headers=used.headers("audrey")).json()["events"]
    kinds = [event["record"]["kind"] for event in events]
    assert kinds.count("answer.opened") == 2
    assert {"document.opened", "conversation.read"} < set(kinds)


def test_what_a_person_was_shown(client: TestClient, used: Company) -> None:
    leave = str(used.documents["handbook", "leave.md"])
    rows = shown(client, used, user="ada")
    assert leave in {row["document"] for row in rows}
    assert {row["user"] for row in rows} == {"ada"}
    times = [dt.datetime.fromisoformat(row["last"]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert shown(client, used, user="ada", document=leave) == [row for row in rows if row["document"] == leave]


def test_since_and_until_count_what_lies_between(client: TestClient, used: Company) -> None:
    leave = str(used.documents["handbook", "leave.md"])
    [ada] = [row for row in shown(client, used, document=leave) if row["user"] == "ada"]
    assert [row["user"] for row in shown(client, used, document=leave, since=ada["last"])] == ["ben", "ada"]
    [last] = shown(client, used, document=leave, user="ada", since=ada["last"])
    assert sum(last["times"].values()) == 1
    [before] = shown(client, used, document=leave, until=ada["last"])
    assert sum(before["times"].values()) == sum(ada["times"].values()) - 1
    assert shown(client, used, document=leave, until=ada["first"]) == []


def test_who_is_gone_is_still_named(client: TestClient, used: Company) -> None:
    leave = str(used.documents["handbook", "leave.md"])
    [ada] = [row for row in shown(client, used, document=leave) if row["user"] == "ada"]
    used.execute("delete from app_user where name = 'ada'")
    [gone] = [row for row in shown(client, used, document=leave) if row["person"] == ada["person"]]
    assert (gone["user"], gone["names"]) == (None, ["ada"])
    assert shown(client, used, user="ada") == shown(client, used, user=ada["person"])


def test_pages_together_are_the_list(client: TestClient, used: Company) -> None:
    whole = shown(client, used, user="ada")
    pages, url = [], f"{SHOWN}?user=ada&limit=1"
    while url:
        answer = client.get(url, headers=used.headers("audrey"))
        pages += answer.json()["found"]
        following = answer.links.get("next", {}).get("url", "")
        url = following and urljoin(url, following)
    assert len(whole) > 1
    assert pages == whole


def test_each_question_is_recorded(client: TestClient, used: Company) -> None:
    leave = str(used.documents["handbook", "leave.md"])
    rows = shown(client, used, document=leave, since="2026-01-01T00:00:00Z")
    made = used.records("audit.read")[-1]
    assert made["filters"] == {"shown": leave, "since": "2026-01-01T00:00:00+00:00"}
    assert (made["rows"], made["opened"]) == (len(rows), False)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "of which document, or of which user"),
        ({"user": "clearance-sequencer"}, "is no user"),
        ({"user": "ada", "since": "2026-01-01T00:00:00"}, "with its zone"),
        ({"user": "ada", "label": "secret"}, "label"),
        ({"document": "leave.md"}, "document"),
    ],
)
def test_a_question_that_is_not_understood_is_refused(
    client: TestClient, used: Company, params: dict[str, str], says: str
) -> None:
    answer = client.get(SHOWN, params=params, headers=used.headers("audrey"))
    check_problem(answer, 422, "InvalidInput")
    assert says in answer.text


@pytest.mark.parametrize("user", ["nobody", "_canary", "okta:ada"])
def test_a_name_of_nobody_is_not_there(client: TestClient, used: Company, user: str) -> None:
    answer = client.get(SHOWN, params={"user": user}, headers=used.headers("audrey"))
    check_problem(answer, 404, "NotFound")
    assert f"No user is named '{user}'" in answer.json()["detail"]


def test_nobody_else_asks(client: TestClient, used: Company) -> None:
    for who in ("ada", "ben", "root"):
        answer = client.get(SHOWN, params={"user": "ada"}, headers=used.headers(who))
        check_problem(answer, 403, "MissingCapability")


def test_an_unknown_document_was_shown_to_nobody(client: TestClient, used: Company) -> None:
    assert shown(client, used, document=str(uuid.UUID(int=5))) == []
