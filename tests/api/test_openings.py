"""Sealed words are opened for a reason: of one record and its trail, or one export; by policy with a second person."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import DBAPIError

from app.admin.audit_log import AuditLog
from app.admin.background import BackgroundWork
from app.admin.log_exports import LogExports, download_log_export
from app.admin.openings import OpeningPolicy, Openings
from app.audit import listing
from app.errors import Conflict, MissingCapability
from app.settings import AuditSettings
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.cluster import AUDIT_KEY
from tests.support.company import Company, administering
from tests.support.openings import REASON, opening
from tests.support.service import client_of, parts_of, subject_named
from tests.support.waiting import wait_for

OPENINGS, EVENTS, EXPORT = "/api/v1/audit/openings", "/api/v1/audit/events", "/api/v1/audit/export"
MINE = "/api/v1/users/me/openings"
QUESTIONS = {"ada": "How long is parental leave?", "ben": "When is the coffee machine cleaned?"}


@pytest.fixture
def asked(client: TestClient, company: Company) -> Company:
    """Two people have asked, and there is a second auditor who may open words, and one who may not."""
    send = administering(client, company)
    for name, may in (("otto", ["audit", "open", "export"]), ("rita", ["audit"])):
        send("POST", "/users", {"name": name, "capabilities": may, "clearance": "internal"})
        company.keys[name] = send("POST", "/keys", {"user": name, "capabilities": may})["secret"]
    for name, question in QUESTIONS.items():
        body = {"question": question, "mode": "quote"}
        assert client.post("/api/v1/ask", json=body, headers=company.headers(name)).status_code == 200
    sequence(company.db)
    return company


@pytest.fixture
def strict(asked: Company) -> Iterator[TestClient]:
    """The service where a second person has to approve, and nobody is told."""
    with with_policy(asked, opening_needs_second=True, tell_askers=False) as client:
        yield client


def with_policy(company: Company, **policy: Any) -> Any:
    parts = parts_of(company.db)
    audit = AuditSettings.model_validate({"key": AUDIT_KEY, **policy})
    return client_of(dataclasses.replace(parts, settings=parts.settings.model_copy(update={"audit": audit})))


def record_of(company: Company, name: str, kind: str = "answer.opened") -> dict[str, Any]:
    return next(each for each in company.records(kind) if each["actor"]["name"] == name)


def read(client: TestClient, company: Company, by: str, who: str = "audrey", **more: Any) -> Any:
    return client.get(EVENTS, params={"opening": by, "limit": 1000, **more}, headers=company.headers(who))


def words(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    fields = [each for event in answer.json()["events"] for each in event["opened"].values()]
    return [each["text"] for each in fields if "text" in each]


def test_one_trail_is_opened_and_no_other(client: TestClient, asked: Company) -> None:
    by = opening(client, asked, record=record_of(asked, "ada")["id"])
    assert words(read(client, asked, by)) == [QUESTIONS["ada"]]
    requested = asked.records("opening.requested")[-1]
    assert (requested["opening"], requested["record"]) == (by, record_of(asked, "ada")["id"])
    assert requested["person"] == record_of(asked, "ada")["actor"]["user"]
    assert REASON not in json.dumps(requested)
    assert asked.unsealed(requested, "reason") == REASON


def test_the_log_says_opened_only_of_words_that_were_shown(client: TestClient, asked: Company) -> None:
    """By which opening somebody looked stands there in any case."""
    by, other = opening(client, asked, record=record_of(asked, "ada")["id"]), record_of(asked, "ben")["trail"]
    seq = read(client, asked, by, q="who:ben kind:answer").json()["events"][0]["seq"]
    looks = (
        (f"{EVENTS}?q=kind:user", False),
        (f"{EVENTS}/{seq}?", False),
        (f"/api/v1/audit/receipts/{other}?", False),
        (f"/api/v1/audit/receipts/{record_of(asked, 'ada')['trail']}?", True),
        (f"{EVENTS}?q=who:ada", True),
    )
    for place, shown in looks:
        answer = client.get(f"{place}&opening={by}", headers=asked.headers("audrey"))
        assert answer.status_code == 200, answer.text
        made = asked.records("audit.read")[-1]
        assert (made["opened"], made["opening"]) == (shown, by), place


def test_an_answer_that_ended_opens_its_whole_trail(client: TestClient, asked: Company) -> None:
    by = opening(client, asked, record=record_of(asked, "ben", "answer.closed")["id"])
    assert words(read(client, asked, by)) == [QUESTIONS["ben"]]


def test_what_was_recorded_later_stays_sealed(client: TestClient, asked: Company) -> None:
    """Else an opening would be a window on whatever is still asked."""
    by = opening(client, asked, q="kind:answer")
    client.post("/api/v1/ask", json={"question": "Is the kitchen open?"}, headers=asked.headers("ada"))
    sequence(asked.db)
    answer = client.get(EXPORT, params={"q": "kind:answer", "opening": by}, headers=asked.headers("audrey"))
    assert all(question in answer.text for question in QUESTIONS.values())
    assert "Is the kitchen open?" not in answer.text
    assert record_of(asked, "ada", "answer.closed")["trail"] in answer.text


def test_an_opening_of_a_query_is_for_an_export_of_exactly_that(client: TestClient, asked: Company) -> None:
    by = opening(client, asked, q="who:ada kind:answer")
    for q in ("who:ada", "", "who:ben kind:answer"):
        answer = client.get(EXPORT, params={"q": q, "opening": by}, headers=asked.headers("audrey"))
        check_problem(answer, 409, "Conflict")
    check_problem(read(client, asked, by), 409, "Conflict")
    trail = opening(client, asked, record=record_of(asked, "ada")["id"])
    check_problem(client.get(EXPORT, params={"opening": trail}, headers=asked.headers("audrey")), 409, "Conflict")
    body = {"q": "who:ben", "opening": by}
    check_problem(client.post("/api/v1/audit/exports", json=body, headers=asked.headers("audrey")), 409, "Conflict")
    same = client.get(EXPORT, params={"q": "kind:answer who:ada", "opening": by}, headers=asked.headers("audrey"))
    assert QUESTIONS["ada"] in same.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": "curious"}, 422, "RequestInvalid"),
        ({"reason": " " * 20}, 422, "InvalidInput"),
        ({"reason": "a reason\x07 with a bell"}, 422, "InvalidInput"),
        ({"reason": REASON}, 422, "InvalidInput"),
        ({"reason": REASON, "q": "", "record": "00000000-0000-0000-0000-000000000001"}, 422, "InvalidInput"),
        ({"reason": REASON, "record": "00000000-0000-0000-0000-000000000001"}, 404, "NotFound"),
        ({"reason": REASON, "q": "kind:nonsense"}, 422, "InvalidInput"),
    ],
)
def test_what_is_no_request(client: TestClient, asked: Company, body: dict[str, str], status: int, code: str) -> None:
    answer = client.post(OPENINGS, json=body, headers=asked.headers("audrey"))
    assert (answer.status_code, answer.json()["code"] if code != "RequestInvalid" else code) == (status, code)
    assert asked.records("opening.requested") == []


def test_a_record_without_words_has_none_to_open(client: TestClient, asked: Company) -> None:
    made = asked.records("user.made")[0]["id"]
    answer = client.post(OPENINGS, json={"reason": REASON, "record": made}, headers=asked.headers("audrey"))
    check_problem(answer, 422, "InvalidInput")


def test_who_may_read_the_log_may_not_open_words(client: TestClient, asked: Company) -> None:
    of = {"reason": REASON, "record": record_of(asked, "ada")["id"]}
    for who in ("rita", "ada"):
        check_problem(client.post(OPENINGS, json=of, headers=asked.headers(who)), 403, "MissingCapability")
    by = opening(client, asked, record=of["record"])
    check_problem(read(client, asked, by, "rita"), 403, "MissingCapability")
    check_problem(read(client, asked, by, "otto"), 404, "NotFound")
    [seen] = client.get(OPENINGS, headers=asked.headers("rita")).json()
    assert (seen["reason"], seen["requested_by"], seen["own"]) == (REASON, "audrey", False)


def test_a_second_person_approves(strict: TestClient, asked: Company) -> None:
    by = opening(strict, asked, record=record_of(asked, "ada")["id"])
    decision = f"{OPENINGS}/{by}/decision"
    check_problem(read(strict, asked, by), 409, "Conflict")
    for who, status, code in (("audrey", 409, "Conflict"), ("rita", 403, "MissingCapability")):
        check_problem(strict.post(decision, json={"approved": True}, headers=asked.headers(who)), status, code)
    check_problem(read(strict, asked, by), 409, "Conflict")
    assert strict.post(decision, json={"approved": True}, headers=asked.headers("otto")).status_code == 204
    approved = strict.get(f"{OPENINGS}/{by}", headers=asked.headers("otto")).json()
    assert (approved["state"], approved["decided_by"], approved["own"]) == ("approved", "otto", False)
    assert words(read(strict, asked, by)) == [QUESTIONS["ada"]]
    check_problem(read(strict, asked, by, "otto"), 404, "NotFound")
    again = strict.post(decision, json={"approved": False}, headers=asked.headers("otto"))
    check_problem(again, 409, "Conflict")
    decided = asked.records("opening.decided")[-1]
    assert (decided["opening"], decided["approved"], decided["actor"]["name"]) == (by, True, "otto")


def test_a_second_person_refuses(strict: TestClient, asked: Company) -> None:
    by = opening(strict, asked, q="")
    strict.post(f"{OPENINGS}/{by}/decision", json={"approved": False}, headers=asked.headers("otto"))
    answer = strict.get(EXPORT, params={"opening": by}, headers=asked.headers("audrey"))
    check_problem(answer, 409, "Conflict")
    assert "was refused" in answer.json()["detail"]


def test_a_stricter_policy_holds_for_openings_of_before(client: TestClient, asked: Company) -> None:
    by = opening(client, asked, record=record_of(asked, "ada")["id"])
    with with_policy(asked, opening_needs_second=True) as stricter:
        check_problem(read(stricter, asked, by), 409, "Conflict")
    decided = client.post(f"{OPENINGS}/{by}/decision", json={"approved": True}, headers=asked.headers("otto"))
    check_problem(decided, 409, "Conflict")


def test_it_ends(client: TestClient, asked: Company) -> None:
    by = opening(client, asked, record=record_of(asked, "ada")["id"])
    asked.execute("update opening set requested_at = now() - interval '25 hours'")
    answer = read(client, asked, by)
    check_problem(answer, 409, "Conflict")
    assert "has ended" in answer.json()["detail"]


def test_an_export_breaks_off_when_its_opening_ends_or_the_right_goes(
    asked: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pieces, as it is made and as it is downloaded: what was sent is then no whole file."""
    monkeypatch.setattr(listing, "FETCH", 5)
    parts = parts_of(asked.db)
    log = AuditLog(parts.database, parts.sealer, subject_named(parts, "audrey"))
    openings = Openings(log, OpeningPolicy(needs_second=False, hours=1))
    for change, error in (
        ("update opening set requested_at = now() - interval '2 hours'", Conflict),
        ("update app_user set capabilities = '{audit,export}' where name = 'audrey'", MissingCapability),
    ):
        made = openings.request(REASON, query=log.query(""))
        pieces = log.export(log.query(""), "jsonl", approved=openings.approved(made.id, log.query("")))
        assert next(pieces)
        asked.execute(change)
        with pytest.raises(error):
            list(pieces)
    asked.execute("update app_user set capabilities = '{audit,open,export}' where name = 'audrey'")
    made = openings.request(REASON, query=log.query(""))
    with contextlib.closing(BackgroundWork()) as background:
        exports = LogExports(background)
        export = exports.start(openings, "", "jsonl", made.id)
        wait_for(lambda: asked.rows("select 1 from log_export where state = 'ready'"), seconds=10)
    _, pieces = download_log_export(openings, export)
    assert next(pieces)
    asked.execute("update opening set requested_at = now() - interval '2 hours'")
    with pytest.raises(Conflict):
        list(pieces)
    parts.database.close()


def test_an_opened_export_that_is_kept_needs_its_opening_for_the_download(client: TestClient, asked: Company) -> None:
    by = opening(client, asked, q="")
    body = {"opening": by, "q": ""}
    export = client.post("/api/v1/audit/exports", json=body, headers=asked.headers("audrey")).json()["id"]
    place = f"/api/v1/audit/exports/{export}"
    wait_for(lambda: client.get(place, headers=asked.headers("audrey")).json()["state"] == "ready", seconds=10)
    assert QUESTIONS["ada"] in client.get(f"{place}/file", headers=asked.headers("audrey")).text
    asked.execute("update app_user set capabilities = '{audit,export}' where name = 'audrey'")
    check_problem(client.get(f"{place}/file", headers=asked.headers("audrey")), 403, "MissingCapability")
    asked.execute("update app_user set capabilities = '{audit,open,export}' where name = 'audrey'")
    asked.execute("update opening set requested_at = now() - interval '25 hours'")
    check_problem(client.get(f"{place}/file", headers=asked.headers("audrey")), 409, "Conflict")


def test_the_asker_is_told_of_their_own(client: TestClient, strict: TestClient, asked: Company) -> None:
    """When it is allowed, not when it is asked for; and not of others'; and not where the policy is silent."""
    by = opening(strict, asked, record=record_of(asked, "ada")["id"])
    assert client.get(MINE, headers=asked.headers("ada")).json() == []
    strict.post(f"{OPENINGS}/{by}/decision", json={"approved": True}, headers=asked.headers("otto"))
    [told] = client.get(MINE, headers=asked.headers("ada")).json()
    assert (told["requested_by"], told["decided_by"], told["reason"]) == ("audrey", "otto", REASON)
    for other in ("ben", "audrey"):
        assert client.get(MINE, headers=asked.headers(other)).json() == []
    assert strict.get(MINE, headers=asked.headers("ada")).json() == []


def test_the_database_itself_lets_nobody_decide_on_their_own(asked: Company) -> None:
    """Past the service: with its role and the identity of who asked, and of who may read the log alone."""
    parts = parts_of(asked.db)
    with with_policy(asked, opening_needs_second=True) as strict:
        by = opening(strict, asked, record=record_of(asked, "ada")["id"])
    statement = (
        f"update opening set decided_by = '%s', decided_at = now(), approved = true where id = '{by}' returning id"
    )
    for name in ("audrey", "rita", "ada"):
        user = subject_named(parts, name).user_id
        with parts.database.writing(user) as session:
            assert session.connection().exec_driver_sql(statement % user).all() == []
    otto, rita = subject_named(parts, "otto").user_id, subject_named(parts, "rita").user_id
    with pytest.raises(DBAPIError), parts.database.writing(otto) as session:
        session.connection().exec_driver_sql(statement % rita)
    with parts.database.writing(otto) as session:
        assert len(session.connection().exec_driver_sql(statement % otto).all()) == 1
    parts.database.close()
