"""Beside a record stands what the documents and collections in it were called then, for who may know it now."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.admin.audit_log import AuditLog
from app.db.paging import Page
from tests.support.audit_order import sequence
from tests.support.browsers import signed_in
from tests.support.company import CARD, MERGER, SECRETS, Company, administering, upload
from tests.support.service import parts_of, subject_named
from tests.support.worker import work_queued

EVENTS = "/api/v1/audit/events"
ASKED = "What is the salary band of level five, and who gets twenty-six weeks of parental leave?"
LEAVE, MERGED = ("handbook", "leave.md"), ("board", "merger.md")


def page(client: TestClient, company: Company, who: str, q: str) -> list[dict[str, Any]]:
    """The records that a query finds, as this auditor is shown them."""
    sequence(company.db)
    answer = client.get(EVENTS, params={"q": q}, headers=company.headers(who))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def names(client: TestClient, company: Company, place: tuple[str, str], who: str = "audrey") -> list[str | None]:
    """What a document is called beside each record that names it as its own, the oldest first."""
    document = str(company.documents[place])
    return [e["names"].get(document) for e in page(client, company, who, f"document:{document} kind:document")]


def opened(client: TestClient, company: Company, who: str, place: tuple[str, str]) -> None:
    answer = client.get(f"/api/v1/documents/{company.documents[place]}", headers=company.headers(who))
    assert answer.status_code == 200, answer.text


@pytest.fixture(autouse=True)
def audrey_reads_the_handbook(client: TestClient, company: Company) -> None:
    """The auditor is an engineer too, and reads nothing of hr and of the board."""
    administering(client, company)("PUT", "/roles/engineering/members/audrey", None)


def auditor(client: TestClient, company: Company, name: str, *more: str, key: tuple[str, ...] = ("audit",)) -> None:
    """Let a person audit too, and give them a key that may do this."""
    send = administering(client, company)
    send("PATCH", f"/users/{name}", {"capabilities": [*more, "audit"]})
    company.keys[name] = send("POST", "/keys", {"user": name, "capabilities": list(key)})["secret"]


def test_each_record_has_the_title_and_path_of_its_moment(client: TestClient, company: Company) -> None:
    """Moved, and then another version with another title."""
    opened(client, company, "ben", LEAVE)
    document, cleo = company.documents[LEAVE], company.headers("cleo")
    moved = client.patch(f"/api/v1/documents/{document}", json={"path": "people/leave.md"}, headers=cleo)
    assert moved.status_code == 200, moved.text
    opened(client, company, "ben", LEAVE)
    upload(client, company, "cleo", collection="handbook", path="people/leave.md", content=b"# Leave\n\nText.",
           roles=["engineering"])  # fmt: skip
    work_queued(company.db)
    opened(client, company, "ben", LEAVE)
    assert names(client, company, LEAVE) == [
        "Parental leave (leave.md)", "Parental leave (leave.md)", "Parental leave (people/leave.md)",
        "Leave (people/leave.md)", "Leave (people/leave.md)",
    ]  # fmt: skip


def test_before_all_that_is_known_a_document_is_called_what_it_was_first(client: TestClient, company: Company) -> None:
    """As where the history begins later than the log."""
    opened(client, company, "ben", LEAVE)
    company.execute("update title_history set valid_from = now() + interval '1 hour'")
    assert set(names(client, company, LEAVE)) == {"Parental leave (leave.md)"}


def test_a_record_lists_many_documents_and_collections(client: TestClient, company: Company) -> None:
    """In searches, among passages, as targets of rules; a folder's rule stands under its collection."""
    for path, body in (("search", {"query": "leave"}), ("ask", {"question": ASKED, "mode": "quote"})):
        assert client.post(f"/api/v1/{path}", json=body, headers=company.headers("ada")).status_code == 200
    rule = {"grants": [], "inherits": True}
    ruled = client.put("/api/v1/collections/handbook/access", params={"folder": "people"}, json=rule,
                       headers=company.headers("cleo"))  # fmt: skip
    assert ruled.status_code == 200, ruled.text
    for kind in ("search", "answer.opened"):
        [found] = page(client, company, "audrey", f"kind:{kind}")
        assert found["names"][str(company.documents[LEAVE])] == "Parental leave (leave.md)"
        assert not any(word in str(found["names"]) for word in SECRETS)
    of_rules = [e for e in page(client, company, "audrey", "kind:policy") if "/people" in str(e["record"]["target"])]
    assert [set(each["names"].values()) for each in of_rules] == [{"cleo", "handbook"}]


def test_secrets_in_a_title_are_redacted_as_in_lists(client: TestClient, company: Company) -> None:
    found = names(client, company, ("handbook", "travel.md"))
    assert set(found) == {"Travel card [redacted: card] (travel.md)"}
    assert CARD not in str(found)


def test_a_name_leads_to_no_document_that_is_hidden(client: TestClient, company: Company) -> None:
    """The same bytes, whether the document and its collection are there or not."""
    opened(client, company, "mia", MERGED)
    document = company.documents[MERGED]

    def seen() -> list[str]:
        sequence(company.db)
        q = f"document:{document}"
        [seq] = [e["seq"] for e in page(client, company, "audrey", f"{q} kind:document.opened")]
        whole = client.get(EVENTS, params={"q": q}, headers=company.headers("audrey")).json()["events"]
        one = client.get(f"{EVENTS}/{seq}", headers=company.headers("audrey")).json()["event"]
        shown = signed_in(client, company, "audrey").get(f"/log?q={q}").text
        return [json.dumps(whole), json.dumps(one), shown[shown.index("<tbody") : shown.index("</tbody")]]

    there = seen()
    assert not any(word in text for word in SECRETS for text in there)
    company.execute(f"delete from document where public_id = '{document}'")
    company.execute("delete from collection where name = 'board'")
    assert seen() == there


@pytest.mark.parametrize(
    "loss",
    [
        "delete from membership where user_id = (select id from app_user where name = 'mia')",
        "update app_user set clearance = 2 where name = 'mia'",
        "select clearance.hold_epoch(); update document set scope_id = (select d.scope_id from document d"
        " where d.path = 'salaries.md'), collection_id = (select id from collection where name = 'hr')"
        " where path = 'merger.md'",
    ],
)
def test_who_may_read_it_no_more_is_shown_its_id(client: TestClient, company: Company, loss: str) -> None:
    opened(client, company, "mia", MERGED)
    auditor(client, company, "mia", "ask", "download")
    assert set(names(client, company, MERGED, "mia")) == {"Merger (merger.md)"}
    company.execute(loss)
    assert set(names(client, company, MERGED, "mia")) == {None}


def test_curators_are_told_paths_and_no_titles(client: TestClient, company: Company) -> None:
    """With a key that curates: one that only audits lists nothing of what they may not read."""
    opened(client, company, "mia", MERGED)
    auditor(client, company, "cleo", "ask", "curate", key=("audit", "curate"))
    assert set(names(client, company, MERGED, "cleo")) == {"merger.md"}
    [found] = page(client, company, "cleo", "kind:document.indexed document:" + str(company.documents[MERGED]))
    assert "board" in found["names"].values()
    auditor(client, company, "cleo", "ask", "curate")
    assert set(names(client, company, MERGED, "cleo")) == {None}
    [found] = page(client, company, "cleo", "kind:document.indexed document:" + str(company.documents[MERGED]))
    assert found["names"] == {}


def test_administrators_are_told_collections_alone(client: TestClient, company: Company) -> None:
    for key, told in ((("audit", "administer"), {"board"}), (("audit",), set[str]())):
        auditor(client, company, "nora", "administer", key=key)
        q = f"kind:document.indexed document:{company.documents[MERGED]}"
        [found] = page(client, company, "nora", q)
        assert set(found["names"].values()) == told


def test_what_is_deleted_is_called_nothing(client: TestClient, company: Company) -> None:
    """Nor by the name of another that is uploaded to the same path."""
    opened(client, company, "ben", LEAVE)
    gone = client.delete(f"/api/v1/documents/{company.documents[LEAVE]}", headers=company.headers("cleo"))
    assert gone.status_code == 204, gone.text
    upload(client, company, "cleo", collection="handbook", path="leave.md", content=b"# Again\n\nText.", roles=["hr"])
    work_queued(company.db)
    assert set(names(client, company, LEAVE)) == {None}


def test_a_collection_has_the_name_of_the_moment(client: TestClient, company: Company) -> None:
    company.execute("update collection set name = 'manual' where name = 'handbook'")
    upload(client, company, "cleo", collection="manual", path="new.md", content=b"# New\n\nText.", roles=["hr"])
    found = [e["names"] for e in page(client, company, "audrey", "kind:document.uploaded")]
    called = [name for each in found for name in each.values() if name in {"handbook", "manual"}]
    assert called == ["handbook"] * 3 + ["manual"]


def test_exports_have_ids_alone(client: TestClient, company: Company) -> None:
    sequence(company.db)
    company.execute("update app_user set clearance = 3 where name = 'audrey'")
    administering(client, company)("PUT", "/roles/managers/members/audrey", None)
    for format in ("jsonl", "csv"):
        export = client.get("/api/v1/audit/export", params={"format": format}, headers=company.headers("audrey"))
        assert str(company.documents[MERGED]) in export.text
        assert not any(word in export.text for word in ("Merger", "merger.md", "Parental leave", MERGER))


def test_a_page_costs_one_statement_for_all_its_names(client: TestClient, company: Company) -> None:
    for who in ("ada", "mia") * 10:
        client.post("/api/v1/search", json={"query": "leave merger"}, headers=company.headers(who))
    sequence(company.db)
    parts = parts_of(company.db)
    sent: list[str] = []
    event.listen(parts.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: sent.append(statement))
    log = AuditLog(parts.database, parts.sealer, subject_named(parts, "audrey"))
    counts = []
    for clean in (None, str):
        told = AuditLog(log.database, log.sealer, log.subject, clean)
        told.read(told.query(), Page(limit=2), newest_first=True)
        for limit in (2, 100):
            sent.clear()
            read = told.read(told.query(), Page(limit=limit), newest_first=True)
            counts.append(len(sent))
    parts.database.close()
    assert any("Parental leave (leave.md)" in each.names.values() for each in read.events)
    assert [counts[2] - counts[0], counts[3] - counts[1]] == [1, 1]


def test_pages_name_them(client: TestClient, company: Company) -> None:
    """In a line of the list, in the fields of a record, and in the table of its passages."""
    opened(client, company, "ben", LEAVE)
    body = {"question": ASKED, "mode": "quote"}
    assert client.post("/api/v1/ask", json=body, headers=company.headers("ada")).status_code == 200
    sequence(company.db)
    browser = signed_in(client, company, "audrey")
    [found] = page(client, company, "audrey", "kind:answer.opened")
    shown = browser.get(f"/log/{found['seq']}").text
    of_leave = page(client, company, "audrey", "kind:document.opened")[0]["seq"]
    assert "Parental leave (leave.md)" in browser.get("/log?q=kind:document.opened").text
    assert "Parental leave (leave.md)</a></dd>" in browser.get(f"/log/{of_leave}").text
    table = shown[shown.index('class="passages-of"') :].partition("</table>")[0]
    assert "Parental leave (leave.md)</a>" in table
    assert f"<code>{company.documents['hr', 'salaries.md']}</code>" in shown
    assert not any(word in shown for word in SECRETS)
