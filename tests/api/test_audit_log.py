"""The log as an auditor reads it over the API: queries, what a reading leaves in the log, one record and its proof."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.evidence.inclusion import root_by_path
from app.evidence.merkle import decode, encode, leaf_hash
from tests.api.problems import check_problem
from tests.api.services import Service
from tests.support.audit_order import sequence
from tests.support.company import Company
from tests.support.openings import opening

EVENTS = "/api/v1/audit/events"


@pytest.fixture
def talked(client: TestClient, company: Company, bot: Service) -> Company:
    """Ada asked, also by the bot; Ben searched; both read a document."""
    question = {"question": "How long is parental leave?", "mode": "quote"}
    for headers in (company.headers("ada"), bot.headers("ada")):
        assert client.post("/api/v1/ask", json=question, headers=headers).status_code == 200
    assert client.post("/api/v1/search", json={"query": "coffee"}, headers=company.headers("ben")).status_code == 200
    for who in ("ada", "ben"):
        leave = company.documents["handbook", "leave.md"]
        assert client.get(f"/api/v1/documents/{leave}", headers=company.headers(who)).status_code == 200
    sequence(company.db)
    return company


def read(client: TestClient, company: Company, q: str, **params: Any) -> list[dict[str, Any]]:
    answer = client.get(EVENTS, params={"q": q, "limit": 1000, **params}, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["record"]["kind"] for event in events]


ANSWER = ["answer.opened", "answer.closed"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("who:ada kind:answer", ANSWER * 2),
        ("who:ada kind:answer via:bot", ANSWER),
        ("who:ada kind:answer -via:bot", ANSWER),
        ("who:ada,ben kind:document", ["document.opened"] * 2),
        ("who:ben kind:search.done,document", ["search.done", "document.opened"]),
        ("kind:answer outcome:quoted who:ben", []),
        ("kind:answer address:testclient outcome:quoted", ["answer.closed"] * 2),
        ("document:LEAVE -kind:document,answer", ["search.done"]),
        ("document:LEAVE who:ada", [*ANSWER * 2, "document.opened"]),
        ("who:worker -kind:policy before:2000-01-01", []),
    ],
)
def test_a_query_asks_for_records(client: TestClient, talked: Company, q: str, found: list[str]) -> None:
    """By names, of whom and by whom; what a search found and an answer was made from is found by the document."""
    events = read(client, talked, q.replace("LEAVE", str(talked.documents["handbook", "leave.md"])))
    assert kinds(events) == found


def test_who_is_gone_is_found_by_the_name_that_records_know(client: TestClient, talked: Company) -> None:
    talked.execute("update app_user set name = 'ben-gone' where name = 'ben'")
    assert kinds(read(client, talked, "who:ben kind:search")) == ["search.done"]
    assert kinds(read(client, talked, "who:ben-gone kind:search")) == ["search.done"]


@pytest.mark.changes_nothing
@pytest.mark.parametrize(
    ("q", "says"),
    [
        ("freya", "At character 1: 'freya' stands alone"),
        ("who:ada kind:answr", "At character 14: there is no kind 'answr'"),
        ("who:nobody-of-this-name", "Nobody is named 'nobody-of-this-name', now or in any record."),
        ("who:ada after:yesterday", "At character 15: 'yesterday' is no date"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(client: TestClient, company: Company, q: str, says: str) -> None:
    for path in (EVENTS, "/api/v1/audit/export"):
        answer = client.get(path, params={"q": q}, headers=company.headers("audrey"))
        check_problem(answer, 422, "InvalidInput")
        assert says in answer.json()["detail"]


@pytest.mark.changes_nothing
def test_a_query_and_a_parameter_do_not_say_the_same(client: TestClient, company: Company) -> None:
    """One of the two would be ignored."""
    for params in ({"q": "who:ben", "user": "ada"}, {"q": "after:2026-11-01", "since": "2026-11-01T00:00:00Z"}):
        answer = client.get(EVENTS, params=params, headers=company.headers("audrey"))
        check_problem(answer, 422, "InvalidInput")


def test_parameters_and_query_together(client: TestClient, talked: Company) -> None:
    assert kinds(read(client, talked, "via:bot", user="ada", kind="answer.closed")) == ["answer.closed"]


def test_reading_is_recorded_with_the_query_and_says_as_what(client: TestClient, talked: Company) -> None:
    """With the ids that names stood for: names may be given to others."""
    params: dict[str, Any] = {"q": "-kind:search   who:ada", "limit": 2}
    answer = client.get(EVENTS, params=params, headers=talked.headers("audrey")).json()
    made = talked.records("audit.read")[-1]
    [ada] = talked.rows("select id from app_user where name = 'ada'")
    assert answer["recorded"] == made["id"]
    assert (made["filters"], made["rows"], made["opened"]) == ({"q": f"who:{ada['id']} -kind:search"}, 2, False)


def test_personal_words_are_opened_by_an_opening_alone_and_the_record_says_so(
    client: TestClient, talked: Company
) -> None:
    [event] = read(client, talked, "kind:search")
    assert event["opened"] == {}
    made = talked.records("audit.read")[-1]
    assert (made["opened"], made["opening"]) == (False, None)
    by = opening(client, talked, record=event["record"]["id"])
    events = read(client, talked, "", opening=by)
    assert [event["opened"]["query"]["text"] for event in events if event["opened"]] == ["coffee"], "of that one alone"
    made = talked.records("audit.read")[-1]
    assert (made["opened"], made["opening"]) == (True, by)


def test_an_export_takes_the_query_too(client: TestClient, talked: Company) -> None:
    answer = client.get("/api/v1/audit/export", params={"q": "kind:search"}, headers=talked.headers("audrey"))
    header, *lines, _ = [json.loads(line) for line in answer.text.splitlines()]
    assert (header["complete"], header["filters"]) == (False, {"q": "kind:search"})
    assert [json.loads(line["record"])["kind"] for line in lines] == ["search.done"]
    assert talked.records("audit.exported")[-1]["filters"] == {"q": "kind:search"}


def one(client: TestClient, company: Company, seq: int, **params: Any) -> dict[str, Any]:
    answer = client.get(f"{EVENTS}/{seq}", params=params, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_one_record_with_its_proof_its_trail_and_its_neighbours(client: TestClient, talked: Company) -> None:
    opened = next(e for e in read(client, talked, "who:ada kind:answer.opened"))
    found = one(client, talked, opened["seq"])
    assert found["event"] == opened
    assert found["holds"]
    assert kinds(found["trail"]) == ANSWER
    around = [event["seq"] for event in (*found["before"], *found["behind"])]
    assert around == [opened["seq"] + step for step in (-2, -1, 1, 2)]
    assert {event["opened"] == {} for event in (*found["trail"], *found["before"], *found["behind"])} == {True}
    made = talked.records("audit.read")[-1]
    assert found["recorded"] == made["id"]
    assert (made["filters"], made["rows"], made["opened"]) == ({"seq": str(opened["seq"])}, 5, False)


def test_a_proof_can_be_checked_by_anybody(client: TestClient, talked: Company) -> None:
    """With what the answer and the record itself say, and nothing of ours."""
    proof = one(client, talked, 5)["proof"]
    [row] = talked.rows("select l.body from audit_entry e join audit_leaf l on l.id = e.leaf_id where e.seq = 5")
    path = tuple(decode(step) for step in proof["path"])
    assert root_by_path(leaf_hash(row["body"]), proof["seq"], proof["size"], path) == decode(proof["root"])


def test_a_head_that_was_kept_is_what_a_record_is_proved_under(client: TestClient, talked: Company) -> None:
    [newest] = client.get("/api/v1/audit/heads?limit=1", headers=talked.headers("audrey")).json()
    client.post("/api/v1/search", json={"query": "later"}, headers=talked.headers("ben"))
    sequence(talked.db)
    kept = f"{newest['size']}:{newest['root']}"
    assert one(client, talked, 5, head=kept)["proof"]["size"] == newest["size"]
    assert not one(client, talked, newest["size"], head=kept)["holds"]
    forged = f"{newest['size']}:{encode(bytes(32))}"
    assert not one(client, talked, 5, head=forged)["holds"]
    answer = client.get(f"{EVENTS}/5?head=5", headers=talked.headers("audrey"))
    check_problem(answer, 422, "InvalidInput")


def test_sealed_words_of_a_record_stay_sealed_unless_asked_for(client: TestClient, talked: Company) -> None:
    seq = read(client, talked, "kind:search")[0]["seq"]
    found = one(client, talked, seq)["event"]
    assert found["opened"] == {}
    assert talked.records("audit.read")[-1]["opened"] is False
    by = opening(client, talked, record=found["record"]["id"])
    assert one(client, talked, seq, opening=by)["event"]["opened"]["query"]["text"] == "coffee"


@pytest.mark.parametrize("seq", ["100000", "-1", "x", "9" * 30, "٣"])
def test_a_number_of_no_record_is_not_there(client: TestClient, talked: Company, seq: str) -> None:
    check_problem(client.get(f"{EVENTS}/{seq}", headers=talked.headers("audrey")), 404, "NotFound")


def test_heads_are_listed_the_newest_first(client: TestClient, talked: Company) -> None:
    client.post("/api/v1/search", json={"query": "later"}, headers=talked.headers("ben"))
    sequence(talked.db)
    heads = client.get("/api/v1/audit/heads", headers=talked.headers("audrey")).json()
    assert len(heads) == 3, "the first that was signed stands over the record of its key as well"
    assert heads[0] == client.get("/api/v1/audit/head", headers=talked.headers("audrey")).json()
    assert [head["size"] for head in heads] == sorted((head["size"] for head in heads), reverse=True)
