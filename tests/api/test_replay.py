"""A prompt is made again from what still stands and held to its record: the same bytes, or why not; no word of it."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.acl.visible import Visible
from app.admin.replay import REASONS
from app.answer.prompt_templates import TEMPLATES
from app.db.session import ReadSession
from app.retrieval.passage import Passage
from app.retrieval.passage_rows import find_passages
from app.web.console.evidence.replays import REASON_WORDS
from tests.api.problems import check_problem
from tests.api.services import Service
from tests.support.audit_order import sequence
from tests.support.company import LEAVE, SALARY, Company, upload
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

LEAVE_QUESTION = "How long is parental leave?"
SALARY_QUESTION = "What is the salary band of level five?"
# What an auditor could be shown by mistake.
WORDS = ("florins", "ninety-one", "parental", "salar", "twenty-six", "Parental leave", "level five", "How long")


class Desk:
    """The company's auditor, and askers of a model that says what it is told."""

    def __init__(self, client: TestClient, company: Company) -> None:
        self.client, self.company = client, company
        self.leave, self.salaries = (
            str(company.documents[place]) for place in (("handbook", "leave.md"), ("hr", "salaries.md"))
        )

    def send(self, method: str, path: str, who: str, body: Any = None) -> Any:
        answer = self.client.request(method, f"/api/v1{path}", json=body, headers=self.company.headers(who))
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def ask(self, question: str, mode: str = "generate", conversation: str | None = None, who: str = "ada") -> str:
        """The trail of an answer."""
        body = {"question": question, "mode": mode, "conversation": conversation}
        trail: str = self.send("POST", "/ask", who, {k: v for k, v in body.items() if v})["trail"]
        sequence(self.company.db)
        return trail

    def talk(self, *questions: str, who: str = "ada") -> tuple[str, str]:
        """The trail of the last of these questions in one conversation, and the conversation."""
        conversation = self.send("POST", "/conversations", who, {})["id"]
        trails = [self.ask(question, conversation=conversation, who=who) for question in questions]
        return trails[-1], conversation

    def replay(self, trail: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/audit/trails/{trail}/replay", headers=self.company.headers("audrey"))
        assert answer.status_code == 200, answer.text
        assert not [word for word in WORDS if word in answer.text]
        found: dict[str, Any] = answer.json()
        return found

    def why(self, trail: str) -> list[tuple[str, str | None]]:
        """The reasons why it was not rebuilt, with their documents."""
        found = self.replay(trail)
        assert found["result"] == "not rebuilt"
        assert all(each["explanation"] == REASONS[each["code"]] for each in found["reasons"])
        return [(each["code"], each["document"]) for each in found["reasons"]]

    def record(self, trail: str) -> dict[str, Any]:
        return next(each for each in self.company.records("answer.opened") if each["trail"] == trail)

    def passages(self, trail: str) -> list[str]:
        return [each["document"] for each in self.record(trail)["passages"]]


@pytest.fixture
def desk(client: TestClient, company: Company) -> Desk:
    return Desk(client, company)


def test_what_still_stands_gives_the_same_bytes(desk: Desk) -> None:
    """Of documents that the auditor does not read, and the question of somebody else."""
    trail = desk.ask(SALARY_QUESTION)
    assert desk.salaries in desk.passages(trail)
    found = desk.replay(trail)
    assert (found["trail"], found["result"], found["reasons"]) == (trail, "same", [])
    event = desk.send("GET", f"/audit/events/{found['seq']}", "audrey")["event"]
    assert (event["record"]["kind"], event["record"]["trail"]) == ("answer.opened", trail)


def test_with_the_earlier_turns_of_a_conversation_too(desk: Desk) -> None:
    trail, _ = desk.talk(SALARY_QUESTION, LEAVE_QUESTION, "When is the coffee machine cleaned?")
    assert len(desk.record(trail)["history"]) == 2
    assert desk.replay(trail)["result"] == "same"


def test_of_an_answer_that_a_service_asked_for(desk: Desk, bot: Service) -> None:
    answer = desk.client.post(
        "/api/v1/ask", json={"question": SALARY_QUESTION, "mode": "generate"}, headers=bot.headers("ada")
    )
    sequence(desk.company.db)
    assert desk.replay(answer.json()["trail"])["result"] == "same"


def test_documents_are_read_as_the_asker_and_as_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whose identity row-level security lets each passage through; the log is read as the auditor."""
    trail = desk.ask(SALARY_QUESTION)
    names = {row["id"]: row["name"] for row in desk.company.rows("select id, name from app_user")}
    read_as = list[str]()

    def watched(session: ReadSession, visible: Visible, chunks: Sequence[uuid.UUID], dimensions: int) -> list[Passage]:
        read_as.append(names[session.scalar(text("select clearance.signed_caller()"))])
        return find_passages(session, visible, chunks, dimensions)

    monkeypatch.setattr("app.answer.replay.find_passages", watched)
    assert desk.replay(trail)["result"] == "same"
    assert read_as == ["ada"]


def test_each_look_is_recorded(desk: Desk) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    found = desk.replay(trail)
    look = desk.company.records("audit.read")[-1]
    assert (look["id"], look["filters"], look["opened"]) == (found["recorded"], {"replay": trail}, False)
    assert look["actor"]["name"] == "audrey"


@pytest.mark.parametrize(
    "change",
    [
        "update chunk set text = replace(text, 'weeks', 'weekS') where text like '%twenty-six%'",
        "update chunk set text = text || ' ' where text like '%twenty-six%'",
        "update chunk set heading_path = heading_path || '{x}' where text like '%twenty-six%'",
        "update chunk set page = 7 where text like '%twenty-six%'",
        "update original set title = title || '!' where title like 'Parental%'",
    ],
)
def test_a_prompt_of_one_other_byte_is_different(desk: Desk, change: str) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    assert desk.replay(trail)["result"] == "same"
    desk.company.execute(change)
    found = desk.replay(trail)
    assert (found["result"], found["reasons"]) == ("different", [])


def test_a_turn_of_one_other_byte_is_different(desk: Desk) -> None:
    trail, _ = desk.talk(SALARY_QUESTION, LEAVE_QUESTION)
    first = desk.record(trail)["history"][0]
    desk.company.execute(f"update turn_answer set answer = answer || '.' where turn_id = '{first}'")
    assert desk.replay(trail)["result"] == "different"


def test_an_answer_without_a_model_has_no_prompt(desk: Desk) -> None:
    assert desk.why(desk.ask(LEAVE_QUESTION, mode="quote")) == [("no prompt", None)]
    assert desk.why(desk.ask("zyxwv qponm lkjih?")) == [("no prompt", None)]


def test_whose_key_was_destroyed_has_no_words(desk: Desk) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    desk.company.execute("delete from person_key where user_id = (select id from app_user where name = 'ada')")
    assert desk.why(trail) == [("words erased", None)]


def test_what_is_sealed_under_another_key_is_not_read(desk: Desk) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    desk.company.execute(
        "update person_key set wrapped = sha256('x') where user_id = (select id from app_user where name = 'ada')"
    )
    assert desk.why(trail) == [("unreadable", None)]


def test_nothing_is_read_in_the_name_of_who_is_not_there(desk: Desk) -> None:
    trail = desk.ask(SALARY_QUESTION)
    desk.send("PATCH", "/users/ada", "root", {"active": False})
    assert desk.why(trail) == [("asker switched off", None)]
    desk.send("DELETE", f"/documents/{desk.salaries}", "cleo")
    assert desk.why(trail) == [("asker switched off", None), ("document gone", desk.salaries)]
    desk.company.execute("delete from app_user where name = 'ada'")
    assert desk.why(trail) == [("asker gone", None), ("document gone", desk.salaries)]


def test_a_template_that_is_not_there_any_more_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    monkeypatch.setattr("app.answer.replay.TEMPLATES", {"small": TEMPLATES["small"]})
    assert desk.why(trail) == [("template gone", None)]


def test_a_document_that_is_gone_or_another_is_named(desk: Desk) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    content = f"# Parental leave\n\n{LEAVE} Or more."
    upload(desk.client, desk.company, "cleo", collection="handbook", path="leave.md", content=content, roles=["hr"])
    work_queued(desk.company.db)
    assert desk.why(trail) == [("another version", desk.leave)]
    desk.send("DELETE", f"/documents/{desk.leave}", "cleo")
    assert desk.why(trail) == [("document gone", desk.leave)]


def test_what_the_asker_may_not_read_any_more_is_not_read(desk: Desk) -> None:
    """Though it stands, and the auditor has asked for it."""
    trail = desk.ask(SALARY_QUESTION)
    desk.send("DELETE", "/roles/hr/members/ada", "root")
    assert desk.why(trail) == [("not readable", desk.salaries)]
    desk.send("PUT", "/roles/hr/members/ada", "root")
    assert desk.replay(trail)["result"] == "same"


def test_a_clearance_that_was_lowered_counts_too(desk: Desk) -> None:
    trail = desk.ask(SALARY_QUESTION)
    desk.send("PATCH", "/users/ada", "root", {"clearance": "internal"})
    assert desk.why(trail) == [("not readable", desk.salaries)]


def test_a_passage_that_was_cut_anew_is_not_there(desk: Desk) -> None:
    trail = desk.ask(LEAVE_QUESTION)
    desk.company.execute("update chunk set public_id = gen_random_uuid() where text like '%twenty-six%'")
    assert desk.why(trail) == [("passage gone", desk.leave)]


def test_a_conversation_that_was_deleted_took_the_turns_along(desk: Desk) -> None:
    trail, conversation = desk.talk(SALARY_QUESTION, LEAVE_QUESTION)
    desk.send("DELETE", f"/conversations/{conversation}", "ada")
    assert desk.why(trail) == [("conversation gone", None)]


def test_a_turn_that_is_withheld_is_named_and_none_of_its_documents(desk: Desk) -> None:
    trail, _ = desk.talk(SALARY_QUESTION, LEAVE_QUESTION)
    record = desk.record(trail)
    desk.send("DELETE", "/roles/hr/members/ada", "root")
    reasons = desk.replay(trail)["reasons"]
    assert [each["turn"] for each in reasons if each["code"] == "turn withheld"] == record["history"]
    assert {each["document"] for each in reasons} - {None} <= set(desk.passages(trail))


def test_a_record_that_is_none_of_ours_is_no_error(desk: Desk) -> None:
    """Whoever wrote it: a sealed prompt beside passages that are none."""
    trail = desk.ask(LEAVE_QUESTION)
    body = 'replace(body, \'"rank":1\', \'"rank":"x"\')'
    desk.company.execute(
        "alter table audit_leaf disable trigger all; alter table audit_leaf drop constraint audit_leaf_leaf_hash_check;"
        f"update audit_leaf set body = {body} where kind = 'answer.opened'"
    )
    assert desk.why(trail) == [("unreadable", None)]


def test_other_trails_are_not_there(desk: Desk) -> None:
    desk.send("POST", "/search", "ada", {"query": "parental leave"})
    desk.ask(LEAVE_QUESTION)
    for trail in (str(uuid.uuid4()), "x", str(desk.company.records("search.done")[-1]["id"])):
        answer = desk.client.get(f"/api/v1/audit/trails/{trail}/replay", headers=desk.company.headers("audrey"))
        check_problem(answer, 404, "NotFound")


def test_nobody_else_asks(desk: Desk) -> None:
    """Neither the asker nor an administrator; whether or not there is such a trail."""
    for trail in (desk.ask(LEAVE_QUESTION), str(uuid.uuid4())):
        for name in ("ada", "root", "cleo"):
            answer = desk.client.get(f"/api/v1/audit/trails/{trail}/replay", headers=desk.company.headers(name))
            check_problem(answer, 403, "MissingCapability")


def test_no_word_is_in_any_line_that_is_logged(capsys: pytest.CaptureFixture[str], company: Company) -> None:
    with client_of(parts_of(company.db)) as client:
        desk = Desk(client, company)
        trail = desk.ask(SALARY_QUESTION)
        capsys.readouterr()
        desk.replay(trail)
        said = "".join(capsys.readouterr())
    assert "/replay" in said
    assert not [word for word in (*WORDS, SALARY, trail) if word in said]


def test_the_page_says_each_reason_as_the_api_does() -> None:
    assert {code: words.replace("’", "'") for code, words in REASON_WORDS.items()} == REASONS
