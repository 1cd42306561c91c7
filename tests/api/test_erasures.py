"""A person is erased by two people: nothing of theirs is left anywhere but what the log proves, which names nobody."""

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.client.api import Client
from app.evidence.verify import verify
from tests.api.log_exporting import download, ended, start
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.company import LEAVE, Company, administering, upload
from tests.support.openings import opening
from tests.support.postgres_programs import program
from tests.support.service import parts_of, serve, subject_named
from tests.support.worker import work_queued

ERASURES, HOLDS = "/api/v1/erasures", "/api/v1/holds"
WHY = "Request 2026-31 under article 17."
# Whatever of hers could stand somewhere, each as a word that nothing else has.
NAME, FULL_NAME, EXTERNAL = "wilhelmina.zwart", "Wilhelmina Zwartveld", "ext-7Qz4w"
ADDRESS, QUESTION, FEEDBACK, LABEL = "203.0.113.77", "How is the quokka sanctuary funded?", "pangolin", "axolotl laptop"
HERS = (NAME, "Wilhelmina", "Zwartveld", EXTERNAL, ADDRESS, "quokka", FEEDBACK, "axolotl")


@pytest.fixture
def zwart(client: TestClient, company: Company) -> Company:
    """She has done what leaves words, names and addresses of hers, others wrote of her, and she has left."""
    send = administering(client, company)
    for name in ("erna", "emil"):
        send("POST", "/users", {"name": name, "capabilities": ["erase", "hold"], "clearance": "internal"})
        company.keys[name] = send("POST", "/keys", {"user": name, "capabilities": ["erase", "hold"]})["secret"]
    person = {"name": NAME, "display_name": FULL_NAME, "capabilities": ["ask", "download"], "clearance": "internal"}
    send("POST", "/users", person)
    made = send("POST", "/keys", {"user": NAME, "capabilities": ["ask", "download"], "label": LABEL})
    send("PATCH", f"/keys/{made['id']}", {"label": f"{LABEL} 2"})
    send("PUT", f"/roles/engineering/members/{NAME}", None)
    _work(company, made["secret"])
    sequence(company.db)
    _speak_of_her(client, company)
    company.execute(f"update app_user set external_id = '{EXTERNAL}' where name = '{NAME}'")
    send("PATCH", f"/users/{NAME}", {"display_name": f"{FULL_NAME} (left)", "active": False})
    return company


def _work(company: Company, key: str) -> None:
    api = parts_of(company.db).settings.api.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with serve(parts_of(company.db, api=api)) as url, Client(url, key) as she:
        she._http.headers["X-Forwarded-For"] = ADDRESS
        conversation = she.post("/conversations", {})["id"]
        asked = she.post("/ask", {"question": QUESTION, "mode": "quote", "conversation": conversation})
        she.post("/feedback", {"token": asked["feedback"], "helpful": False, "question": FEEDBACK})
        she.post("/search", {"query": QUESTION})


def _speak_of_her(client: TestClient, company: Company) -> None:
    """An auditor keeps a query of her, opens her words for a reason that names her, and exports them."""
    headers = company.headers("audrey")
    query = {"name": f"of {NAME}", "q": f"who:{NAME}"}
    assert client.post("/api/v1/audit/queries", json=query, headers=headers).is_success
    [asked] = [each["id"] for each in company.records("answer.opened")]
    client.post(
        "/api/v1/audit/openings", json={"reason": f"Complaint of {FULL_NAME}.", "record": asked}, headers=headers
    )
    export = start(client, company, q="", format="csv", opening=opening(client, company, q="")).json()["id"]
    ended(client, company, export)
    assert QUESTION in download(client, company, export).text


def request(client: TestClient, company: Company, who: str = "erna", **body: Any) -> Any:
    return client.post(ERASURES, json={"user": NAME, "reason": WHY} | body, headers=company.headers(who))


def decide(client: TestClient, company: Company, erasure: str, who: str = "emil", *, approved: bool = True) -> Any:
    answer = {"approved": approved}
    return client.post(f"{ERASURES}/{erasure}/decision", json=answer, headers=company.headers(who))


def erased(client: TestClient, company: Company) -> dict[str, Any]:
    # Somebody refused it once, whose reason named her.
    before = request(client, company, reason=f"{FULL_NAME} asked for it.").json()["id"]
    assert decide(client, company, before, approved=False).status_code == 204
    rule = {"kind": "key", "days": 90, "reason": f"{FULL_NAME} wants it so."}
    assert client.post("/api/v1/retention", json=rule, headers=company.headers("erna")).status_code == 201
    asked = request(client, company)
    assert asked.status_code == 201, asked.text
    decided = decide(client, company, asked.json()["id"])
    assert decided.status_code == 204, decided.text
    found: dict[str, Any] = client.get(f"{ERASURES}/{asked.json()['id']}", headers=company.headers("audrey")).json()
    return found


def dumped(company: Company, folder: Path) -> str:
    """All that the database holds, as text."""
    file = folder / "dump.sql"
    command = [str(program("pg_dump")), f"--file={file}", f"--dbname={company.db.libpq('admin')}"]
    subprocess.run(command, check=True, capture_output=True)
    return file.read_text("utf-8", errors="replace")


def exported(client: TestClient, company: Company, folder: Path, format: str) -> Path:
    """The whole log with all its words opened, as it is exported now."""
    sequence(company.db)
    by = opening(client, company, q="")
    answer = client.get(
        "/api/v1/audit/export", params={"format": format, "opening": by}, headers=company.headers("audrey")
    )
    assert answer.status_code == 200, answer.text
    path = folder / f"log.{format}"
    path.write_bytes(answer.content)
    return path


def test_nothing_of_hers_is_left_and_the_log_still_verifies(client: TestClient, zwart: Company, tmp_path: Path) -> None:
    before = exported(client, zwart, tmp_path, "jsonl")
    head = verify(before).head
    said = dumped(zwart, tmp_path)
    # What seals is sealed before as well; the rest stands somewhere, or this test looks for nothing.
    assert [word for word in HERS if word not in said] == [ADDRESS]
    assert all(word in before.read_text() for word in (QUESTION, FULL_NAME, LABEL))

    found = erased(client, zwart)
    assert (found["state"], found["name"], found["reason"]) == ("erased", None, None)
    counts = found["counts"]
    assert {name: counts[name] for name in ("key", "conversations", "api_keys", "memberships", "feedback")} == {
        "key": 1, "conversations": 1, "api_keys": 1, "memberships": 1, "feedback": 1,
    }  # fmt: skip
    said = dumped(zwart, tmp_path)
    assert [word for word in HERS if word in said] == []
    for format in ("jsonl", "csv"):
        after = exported(client, zwart, tmp_path, format).read_text()
        # The reason that somebody else wrote is theirs, and sealed under their key.
        for reason in (f"Complaint of {FULL_NAME}.", f"{FULL_NAME} asked for it.", f"{FULL_NAME} wants it so."):
            after = after.replace(reason, "")
        assert [word for word in HERS if word in after] == []
    report = verify(tmp_path / "log.jsonl", head=head)
    assert report.ok, report.lines
    assert report.erased > 0


def test_the_erasure_is_recorded_with_what_went(client: TestClient, zwart: Company) -> None:
    [her] = zwart.rows(f"select id::text from app_user where name = '{NAME}'")
    found = erased(client, zwart)
    asked, decided = zwart.records("erasure.requested")[-1], zwart.records("erasure.decided")[-1]
    assert asked["person"] == decided["person"] == her["id"]
    assert zwart.unsealed(asked, "reason") == WHY
    assert (decided["approved"], decided["counts"]) == (True, found["counts"])
    assert (asked["actor"]["name"], decided["actor"]["name"]) == ("erna", "emil")
    sequence(zwart.db)
    events = client.get(
        "/api/v1/audit/events", params={"q": f"who:{her['id']}"}, headers=zwart.headers("audrey")
    ).json()["events"]
    assert {(e["name"], e["address"]) for e in events} == {(f"erased-{her['id'].replace('-', '')[:12]}", None)}


def test_one_person_alone_erases_nobody(client: TestClient, zwart: Company) -> None:
    asked = request(client, zwart).json()["id"]
    check_problem(decide(client, zwart, asked, "erna"), 409, "Conflict")
    check_problem(request(client, zwart), 409, "Conflict")
    for who in ("audrey", "ada", "cleo"):
        check_problem(decide(client, zwart, asked, who), 403, "MissingCapability")
        check_problem(request(client, zwart, who), 403, "MissingCapability")
    parts = parts_of(zwart.db)
    erna, ada = (subject_named(parts, name).user_id for name in ("erna", "ada"))
    statements = (
        f"select clearance.decide_erasure('{asked}', true)",
        f"update erasure set decided_by = '{erna}', decided_at = now(), approved = true, counts = '{{}}'",
        "delete from person_key",
        f"select clearance.erase_person((select person from erasure where id = '{asked}'))",
    )
    with contextlib.closing(parts.database):
        for statement in statements:
            with pytest.raises(DBAPIError), parts.database.writing(erna) as session:
                session.execute(text(statement))
        # Nor does who may not erase at all, past every route.
        mine = f"insert into erasure (person, reason, requested_by) values (gen_random_uuid(), '{WHY}', '{ada}')"
        for statement in (statements[0], mine):
            with pytest.raises(DBAPIError), parts.database.writing(ada) as session:
                session.execute(text(statement))
    assert zwart.rows("select 1 from erasure where decided_by is not null") == []
    assert decide(client, zwart, asked, "emil", approved=False).status_code == 204
    check_problem(decide(client, zwart, asked, "emil"), 409, "Conflict")
    assert NAME in json.dumps(client.get(ERASURES, headers=zwart.headers("erna")).json())
    assert zwart.rows(f"select 1 from person_key k join app_user u on u.id = k.user_id where u.name = '{NAME}'")


def test_what_a_leaver_of_the_desk_gave_as_a_reason_about_others_stays(client: TestClient, zwart: Company) -> None:
    """Why a hold is in force is the house's to know."""
    held = {"user": "mia", "reason": "Case 12 of the court."}
    assert client.post(HOLDS, json=held, headers=zwart.headers("erna")).status_code == 201
    administering(client, zwart)("PATCH", "/users/erna", {"active": False})
    asked = request(client, zwart, "emil", user="erna").json()["id"]
    assert decide(client, zwart, asked, "max").status_code == 204
    [hold] = client.get(HOLDS, headers=zwart.headers("emil")).json()
    assert hold["reason"] == "Case 12 of the court."
    assert hold["placed_by"].startswith("erased-")


def test_who_can_still_sign_in_is_not_erased(client: TestClient, zwart: Company) -> None:
    asked = request(client, zwart).json()["id"]
    send = administering(client, zwart)
    send("PATCH", f"/users/{NAME}", {"active": True})
    check_problem(decide(client, zwart, asked), 409, "Conflict")
    check_problem(request(client, zwart, user="ada"), 409, "Conflict")
    check_problem(request(client, zwart, user="erna"), 409, "Conflict")
    check_problem(request(client, zwart, user="nobody-here"), 404, "NotFound")
    check_problem(request(client, zwart, reason="  because   "), 422, "InvalidInput")


def test_a_hold_keeps_a_person_until_it_is_lifted(client: TestClient, zwart: Company) -> None:
    def place(**of: Any) -> Any:
        return client.post(HOLDS, json={"reason": "Case 12 of the court.", **of}, headers=zwart.headers("erna"))

    asked = request(client, zwart).json()["id"]
    hold = place(user=NAME)
    assert hold.status_code == 201, hold.text
    check_problem(place(user=NAME), 409, "Conflict")
    check_problem(decide(client, zwart, asked), 409, "Conflict")
    assert client.get(f"{ERASURES}/{asked}", headers=zwart.headers("emil")).json()["held"]
    for statement in ("delete from person_key", "delete from conversation"):
        with pytest.raises(Exception, match="legal hold"):
            zwart.execute(f"{statement} where user_id = (select id from app_user where name = '{NAME}')")
    lifted = client.post(f"{HOLDS}/{hold.json()['id']}/lift", json={}, headers=zwart.headers("emil"))
    assert lifted.status_code == 204
    check_problem(
        client.post(f"{HOLDS}/{hold.json()['id']}/lift", json={}, headers=zwart.headers("emil")), 409, "Conflict"
    )
    assert decide(client, zwart, asked).status_code == 204
    assert [r["person"] is not None for r in (*zwart.records("hold.placed"), *zwart.records("hold.lifted"))] == [
        True
    ] * 2


def test_a_held_document_stays(client: TestClient, zwart: Company) -> None:
    document = str(zwart.documents["handbook", "leave.md"])
    held = {"document": document, "reason": "Case 12 of the court."}
    hold = client.post(HOLDS, json=held, headers=zwart.headers("erna")).json()["id"]
    headers = zwart.headers("cleo")
    problem = client.delete(f"/api/v1/documents/{document}", headers=headers)
    check_problem(problem, 409, "Conflict")
    assert "legal hold" in problem.json()["detail"]
    job = upload(
        client, zwart, "cleo", collection="handbook", path="leave.md", content=b"# Leave\n\nNone.", roles=["everyone"]
    )
    work_queued(zwart.db)
    [ended] = zwart.rows("select state, reason from ingest_job where id = %s", [job["id"]])
    assert ended["state"] == "failed"
    assert "legal hold" in ended["reason"]
    assert LEAVE in client.get(f"/api/v1/documents/{document}", headers=zwart.headers("ben")).text
    client.post(f"{HOLDS}/{hold}/lift", json={}, headers=zwart.headers("erna"))
    assert client.delete(f"/api/v1/documents/{document}", headers=headers).status_code == 204


def test_what_kept_answers_hold_of_a_document_goes_when_the_document_has(client: TestClient, zwart: Company) -> None:
    document = zwart.documents["handbook", "leave.md"]
    zwart.execute(f"insert into document_key (document, wrapped) values ('{document}', 'x')")
    hold = client.post(
        HOLDS, json={"document": str(document), "reason": "Case 12 of the court."}, headers=zwart.headers("erna")
    ).json()["id"]

    def ask() -> Any:
        body = {"document": str(document), "reason": WHY}
        return client.post(ERASURES, json=body, headers=zwart.headers("erna"))

    check_problem(ask(), 409, "Conflict")
    client.post(f"{HOLDS}/{hold}/lift", json={}, headers=zwart.headers("emil"))
    asked = ask().json()["id"]
    check_problem(ask(), 409, "Conflict")
    assert "delete it first" in decide(client, zwart, asked).json()["detail"]
    client.delete(f"/api/v1/documents/{document}", headers=zwart.headers("cleo"))
    assert len(zwart.rows("select 1 from document_key where document = %s", [document])) == 1
    check_problem(decide(client, zwart, asked, "erna"), 409, "Conflict")
    assert decide(client, zwart, asked).status_code == 204
    assert zwart.rows("select 1 from document_key where document = %s", [document]) == []
    [decided] = zwart.records("erasure.decided")
    assert (decided["document"], decided["person"], decided["counts"]) == (str(document), None, {"key": 1})
    both = {"user": NAME, "document": str(document), "reason": WHY}
    check_problem(client.post(ERASURES, json=both, headers=zwart.headers("erna")), 422, "InvalidInput")


def test_every_table_that_knows_people_is_erased_or_keeps_ids_alone(company: Company) -> None:
    """A new table with a person in it goes into `clearance.erase_person`, or here if it holds an id and no word."""
    [function] = company.rows("select prosrc from pg_proc where proname = 'erase_person'")
    found = company.rows(
        "select distinct c.table_name as name from information_schema.columns c"
        " join information_schema.tables t using (table_schema, table_name)"
        " where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type = 'uuid'"
        " and c.column_name ~ '((^|_)(user|person|actor|author|service|asker|subject)(_id)?|_by)$'"
    )
    knows = {row["name"] for row in found}
    keeps = {
        "access_review", "access_review_item", "answer_feedback_source", "audit_day", "audit_entry", "audit_leaf",
        "audit_name", "ingest_job", "membership_history", "pseudonym_passage", "turn", "turn_answer", "turn_source",
        "user_history",
    }  # fmt: skip
    erased = {name for name in knows if f"public.{name}" in function["prosrc"]}
    assert knows - erased == keeps


def test_whoever_was_erased_gets_no_key_again(client: TestClient, zwart: Company) -> None:
    [her] = zwart.rows(f"select id from app_user where name = '{NAME}'")
    erased(client, zwart)
    with pytest.raises(Exception, match="was erased"):
        zwart.execute(f"insert into person_key (user_id, wrapped) values ('{her['id']}', 'x')")
    check_problem(
        client.patch(
            f"/api/v1/users/erased-{str(her['id']).replace('-', '')[:12]}",
            json={"active": True},
            headers=zwart.headers("root"),
        ),
        409,
        "Conflict",
    )
