"""Conversations: kept for their asker alone; an answer goes as soon as one thing it was made from is lost, and comes
back with it; the next question's prompt is made from what is visible then.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.acl.rules import Label
from app.answer import conversation as conversations
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from app.settings import AnswerSettings
from app.web.conversations import WITHHELD
from tests.api.company import (
    LEAVE,
    SALARY,
    SECRETS,
    Company,
    client_of,
    endpoint,
    parts_of,
    prompts,
    saying,
    upload,
)
from tests.api.company import work_queued as work
from tests.api.conftest import Serve
from tests.api.services import make_service
from tests.api.test_ask import ON_LEAVE, ON_SALARY, OWN_KEY, ask, events, spoken
from tests.api.test_routes import ABSENT, check_problem
from tests.api.test_trail import closed_within, hanging_up

SAID = "The band of level five is ninety-one thousand florins [1]."
KITCHEN = "When is the coffee machine cleaned?"
# With more, every answer here would be made from all few documents there are.
ONE = AnswerSettings(passages=1)
# Nothing of these may stand where the salaries are lost.
LOST = ("florins", "ninety-one", "salaries.md", "Salary bands", "The band of")


class Talk:
    """A conversation of one person over HTTP."""

    def __init__(self, client: TestClient, company: Company, who: str) -> None:
        self.client, self.company, self.who = client, company, who
        made = client.post("/api/v1/conversations", headers=company.headers(who))
        assert made.status_code == 201
        self.id: str = made.json()["id"]

    def ask(self, question: str, **options: Any) -> Any:
        answer = ask(self.client, self.company, self.who, question, conversation=self.id, **options)
        assert answer.status_code == 200, answer.text
        return answer

    def get(self, who: str | None = None) -> Any:
        headers = self.company.headers(who or self.who)
        return self.client.get(f"/api/v1/conversations/{self.id}", headers=headers)

    def turns(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get().json()["turns"]
        return found


@contextlib.contextmanager
def talk(company: Company, who: str = "ada", *, chat: ScriptedChat | None = None, **parts: Any) -> Iterator[Talk]:
    """A conversation with a model that says what only readers of the salaries may know."""
    with client_of(parts_of(company.db, chat=chat or saying(SAID), **parts)) as client:
        yield Talk(client, company, who)


def root(conversation: Talk, method: str, path: str, body: Any = None, *, who: str = "root") -> None:
    headers = conversation.company.headers(who)
    answer = conversation.client.request(method, f"/api/v1{path}", json=body, headers=headers)
    assert answer.is_success, answer.text


# --- What is kept.


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("mode", "outcome"), [("generate", "answered"), ("quote", "quoted")])
def test_a_turn_reads_back_as_it_was_given(company: Company, stream: bool, mode: str, outcome: str) -> None:
    with talk(company) as ada:
        answer = ada.ask(f"{ON_SALARY} {OWN_KEY}", stream=stream, mode=mode)
        given = events(answer.text)[-1][1] if stream else answer.json()
        said = spoken(events(answer.text)) if stream else given["answer"]
        [turn] = ada.turns()
    assert given["conversation"] == ada.id
    assert turn["id"] == given["trail"]
    assert turn["question"] == f"{ON_SALARY} [redacted: credential]"
    assert (turn["answer"], turn["sources"], turn["redactions"]) == (said, given["sources"], given["redactions"])
    assert turn["answer"]
    assert SALARY in [s["quote"] for s in turn["sources"]]
    assert (turn["mode"], turn["outcome"], turn["withheld"], turn["notice"]) == (mode, outcome, False, None)
    [closed] = company.records("answer.closed")
    assert closed["kept"] is True
    assert company.records("answer.opened")[0]["conversation"] == ada.id
    assert company.rows("select 1 from turn where strpos(question, %s) > 0", [OWN_KEY]) == []


def test_without_a_conversation_nothing_is_kept(client: TestClient, company: Company) -> None:
    before = company.rows("select id from turn")
    answer = ask(client, company, "ada", ON_SALARY).json()
    assert answer["conversation"] is None
    assert company.rows("select id from turn") == before
    assert company.records("answer.closed")[0]["kept"] is None


def test_nothing_is_a_turn_too(company: Company) -> None:
    with talk(company) as ada:
        ada.ask("Which quasar hums below the glacier?")
        [turn] = ada.turns()
    assert (turn["outcome"], turn["withheld"], turn["sources"]) == ("nothing", False, [])


def test_a_refused_question_is_a_turn_without_an_answer(company: Company) -> None:
    with talk(company, "mia") as mia:
        refused = ask(mia.client, company, "mia", "When closes the merger with Quillfeather?", conversation=mia.id)
        check_problem(refused, 403, "LabelTooHigh")
        [turn] = mia.turns()
    assert (turn["outcome"], turn["answer"], turn["sources"]) == ("refused", "", [])


def test_what_broke_off_keeps_what_was_released(company: Company) -> None:
    with talk(company, chat=saying(*SAID, "never", fail_after=len(SAID))) as ada:
        streamed = events(ada.ask(ON_SALARY, stream=True).text)
        assert streamed[-1][0] == "error"
        [turn] = ada.turns()
        assert (turn["outcome"], turn["answer"], turn["sources"]) == ("failed", spoken(streamed), [])
        assert turn["answer"]
        root(ada, "DELETE", "/roles/hr/members/ada")
        assert ada.turns()[0]["withheld"]


def test_who_hangs_up_finds_the_turn(company: Company, server: Serve) -> None:
    def words(_: Sequence[Message]) -> list[str]:
        return ["word "] * 400

    slow = ScriptedChat(endpoint(), words, delay=0.02)
    with server(parts_of(company.db, chat=slow)) as url, talk(company, "ben") as ben:
        with hanging_up(url, company, after=b"event: delta", conversation=ben.id):
            pass
        [closed] = closed_within(company, 2.0)
        [turn] = ben.turns()
    assert (closed["outcome"], closed["kept"]) == ("hung_up", True)
    assert (turn["outcome"], turn["sources"]) == ("hung_up", [])
    assert turn["answer"].startswith("word ")
    assert company.rows("select made_from from turn_answer where turn_id = %s", [turn["id"]])[0]["made_from"] > 0


# --- For the asker alone.


@pytest.mark.parametrize("who", ["ben", "root", "max", "hank"])
def test_anothers_conversation_is_absent(company: Company, who: str) -> None:
    """For a colleague with the same role, an administrator, and one with every capability: the same bytes."""
    chat = saying(SAID)
    with talk(company, chat=chat) as ada:
        ada.ask(ON_SALARY)
        shown = len(chat.prompts)
        for conversation in (ada.id, str(ABSENT)):
            path = f"/api/v1/conversations/{conversation}"
            headers = company.headers(who)
            answers = [
                ada.client.get(path, headers=headers),
                ada.client.delete(path, headers=headers),
                ada.client.get(f"/api/v1/conversations?before={conversation}", headers=headers),
                ask(ada.client, company, who, ON_LEAVE, conversation=conversation),
                ask(ada.client, company, who, ON_LEAVE, conversation=conversation, mode="quote"),
                ask(ada.client, company, who, ON_LEAVE, conversation=conversation, stream=True),
            ]
            for answer in answers:
                check_problem(answer, 404, "NotFound")
            assert len({answer.content for answer in answers}) == 1
            assert {answer.content for answer in answers} == {ada.client.get("/api/v1/nothing").content}
        assert ada.client.get("/api/v1/conversations", headers=company.headers(who)).json() == []
        assert len(chat.prompts) == shown
        assert len(ada.turns()) == 1
    assert len(company.records("answer.opened")) == 1


def test_an_auditor_reads_the_log_and_no_conversation(company: Company) -> None:
    with talk(company) as ada:
        ada.ask(ON_SALARY)
        check_problem(ada.get("audrey"), 403, "MissingCapability")
        log = ada.client.get("/api/v1/audit/events", headers=company.headers("audrey")).text
    assert not [word for word in SECRETS if word in log]


def test_a_turn_of_one_conversation_is_no_page_mark_in_another(company: Company) -> None:
    with talk(company) as ada:
        trail = ada.ask(ON_SALARY).json()["trail"]
        other = Talk(ada.client, company, "ada")
        path = f"/api/v1/conversations/{other.id}?before={trail}"
        check_problem(ada.client.get(path, headers=company.headers("ada")), 404, "NotFound")


def test_reading_back_is_recorded_before_it_is_given_out(company: Company) -> None:
    with talk(company, answer=ONE) as ada:
        first = ada.ask(ON_SALARY).json()["trail"]
        second = ada.ask(KITCHEN, mode="quote").json()["trail"]
        root(ada, "DELETE", "/roles/hr/members/ada")
        ada.turns()
        [read] = company.records("conversation.read")
        assert (read["conversation"], read["shown"], read["withheld"]) == (ada.id, [second], [first])
        assert read["actor"]["name"] == "ada"
        assert not [word for word in SECRETS if word in str(read)]
        company.execute("revoke insert on audit_leaf from clearance_audit")
        unrecorded = ada.get()
    assert unrecorded.status_code >= 500
    assert "coffee" not in unrecorded.text


def test_lists_and_deletion(company: Company) -> None:
    with talk(company) as ada:
        second = Talk(ada.client, company, "ada")
        ada.ask(ON_SALARY)
        ada.ask(ON_LEAVE)
        headers = company.headers("ada")
        listed = ada.client.get("/api/v1/conversations", headers=headers).json()
        assert [c["id"] for c in listed] == [second.id, ada.id]
        assert [(c["first_question"], c["turns"]) for c in listed] == [(None, 0), (ON_SALARY, 2)]
        assert listed[0]["last_at"] is None
        assert listed[1]["last_at"] > listed[1]["created_at"]
        page = ada.client.get(f"/api/v1/conversations?before={second.id}&limit=1", headers=headers).json()
        assert [c["id"] for c in page] == [ada.id]
        turns = ada.turns()
        assert [t["question"] for t in turns] == [ON_SALARY, ON_LEAVE]
        path = f"/api/v1/conversations/{ada.id}"
        last = ada.client.get(f"{path}?limit=1", headers=headers).json()["turns"]
        assert last == turns[1:]
        assert ada.client.get(f"{path}?before={last[0]['id']}", headers=headers).json()["turns"] == turns[:1]
        assert ada.client.delete(path, headers=headers).status_code == 204
        check_problem(ada.get(), 404, "NotFound")
        check_problem(ada.client.delete(path, headers=headers), 404, "NotFound")
    for table in ("turn", "turn_answer", "turn_source"):
        assert len(company.rows(f"select 1 from {table}")) == 1, "the canary's"
    [deleted] = company.records("conversation.deleted")
    assert deleted["conversation"] == ada.id


def test_a_service_has_no_part_in_it(client: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through no route; nor below the routes, should one forget to ask."""
    service = make_service(client, company, "bot")
    service.let("ada")
    headers = service.headers("ada")
    own = Talk(client, company, "ada")
    trail = own.ask(ON_SALARY).json()["trail"]
    path = f"/api/v1/conversations/{own.id}"
    into = {"question": ON_SALARY, "conversation": own.id}

    def refused() -> None:
        check_problem(client.get("/api/v1/conversations", headers=headers), 403, "InPersonNeeded")
        check_problem(client.post("/api/v1/conversations", headers=headers), 403, "InPersonNeeded")
        check_problem(client.get(path, headers=headers), 403, "InPersonNeeded")
        check_problem(client.delete(path, headers=headers), 403, "InPersonNeeded")
        for more in ({}, {"stream": True}, {"mode": "quote"}):
            check_problem(client.post("/api/v1/ask", json=into | more, headers=headers), 403, "InPersonNeeded")

    refused()
    monkeypatch.setattr("app.web.access.in_person", lambda _: None)
    monkeypatch.setattr("app.web.ask.in_person", lambda _: None)
    refused()
    assert [turn["id"] for turn in own.turns()] == [trail]


# --- Losing and getting back.

Change = tuple[Callable[[Talk], None], Callable[[Talk], None] | None]


def membership(conversation: Talk, method: str) -> None:
    root(conversation, method, "/roles/hr/members/ada")


def shelf(conversation: Talk, *grants: dict[str, Any], label: str = "confidential") -> None:
    """Re-rule the shelf and the document on it, which stands under its own tags."""
    document = conversation.company.documents["hr", "salaries.md"]
    body = {"grants": list(grants), "label": label, "inherits": False}
    root(conversation, "PUT", f"/documents/{document}/access", body, who="cleo")


def soon(conversation: Talk) -> None:
    """A deny that begins by the clock, a moment after it was written."""
    [row] = conversation.company.rows("select now() + interval '1 second' as at")
    deny = {"effect": "deny", "user": "ada", "starts_at": row["at"].isoformat()}
    shelf(conversation, {"role": "hr"}, deny)
    assert not conversation.turns()[0]["withheld"]
    time.sleep(1.1)


def elsewhere(conversation: Talk) -> None:
    """The file again, under other tags: the document moves to another scope."""
    text = f"# Salary bands\n\n{SALARY}"
    given = {"collection": "hr", "path": "salaries.md", "content": text.encode(), "roles": ["managers"]}
    upload(conversation.client, conversation.company, "cleo", **given)
    work(conversation.company.db)


def gone(conversation: Talk) -> None:
    document = conversation.company.documents["hr", "salaries.md"]
    root(conversation, "DELETE", f"/documents/{document}", who="cleo")


def cleared(conversation: Talk, label: str) -> None:
    root(conversation, "PATCH", "/users/ada", {"clearance": label})


HR = {"role": "hr"}
CHANGES: dict[str, Change] = {
    "out of the role": (lambda c: membership(c, "DELETE"), lambda c: membership(c, "PUT")),
    "the grant ends": (lambda c: shelf(c, {"role": "managers"}), lambda c: shelf(c, HR)),
    "a deny": (lambda c: shelf(c, HR, {"effect": "deny", "user": "ada"}), lambda c: shelf(c, HR)),
    "a deny by the clock": (soon, lambda c: shelf(c, HR)),
    "the label rises": (lambda c: shelf(c, HR, label="restricted"), lambda c: shelf(c, HR)),
    "the clearance falls": (lambda c: cleared(c, "internal"), lambda c: cleared(c, "confidential")),
    "the document moves": (elsewhere, lambda c: shelf(c, HR)),
    "the document goes": (gone, None),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_lost_is_withheld_and_comes_back(company: Company, what: str) -> None:
    """From the conversation and from the next prompt; what was made from other documents stays."""
    lose, regain = CHANGES[what]
    chat = saying(SAID)
    with talk(company, chat=chat, answer=ONE) as ada:
        ada.ask(ON_SALARY)
        ada.ask(KITCHEN, mode="quote")
        given = ada.turns()
        assert not any(t["withheld"] for t in given)
        lose(ada)
        lost, kept = ada.turns()
        assert lost == given[0] | {"outcome": "withheld", "withheld": True, "notice": WITHHELD, "answer": "",
                                   "sources": [], "redactions": {}}  # fmt: skip
        assert kept == given[1]
        assert not [word for word in LOST if word in ada.get().text]
        ada.ask(ON_LEAVE)
        assert not [word for word in LOST if word in prompts(chat)[-1]]
        assert KITCHEN in prompts(chat)[-1], "a turn that is still whole is shown to the model"
        assert company.records("answer.opened")[-1]["history"] == [kept["id"]]
        if regain is not None:
            regain(ada)
            assert ada.turns()[:2] == given
            ada.ask(ON_LEAVE)
            assert "The band of level five" in prompts(chat)[-1]


def test_whoever_is_deactivated_loses_all(company: Company) -> None:
    with talk(company) as ada:
        ada.ask(ON_SALARY)
        root(ada, "PATCH", "/users/ada", {"active": False})
        check_problem(ada.get(), 401, "NotSignedIn")
        root(ada, "PATCH", "/users/ada", {"active": True})
        assert not ada.turns()[0]["withheld"]


def test_a_source_that_is_not_cited_counts(company: Company) -> None:
    """The model was shown it: the answer is made from it, whatever it cites."""
    with talk(company, chat=saying("Twenty-six weeks.")) as ada:
        answer = ada.ask(f"{ON_LEAVE} {ON_SALARY}").json()
        assert not any(s["cited"] for s in answer["sources"])
        assert "salaries.md" in {s["path"] for s in answer["sources"]}
        membership(ada, "DELETE")
        [turn] = ada.turns()
    assert turn["withheld"]


def test_an_answer_made_from_an_earlier_answer_goes_with_it(company: Company) -> None:
    """The second context holds no passage of the salaries; the model saw them in the earlier turn all the same."""
    chat = saying(SAID)
    with talk(company, chat=chat) as ada:
        ada.ask(ON_SALARY)
        move_salaries_out_of_search(company)
        second = ada.ask(ON_LEAVE).json()
        assert "salaries.md" not in {s["path"] for s in second["sources"]}
        assert "The band of level five" in prompts(chat)[-1]
        third = ada.ask(KITCHEN, mode="quote").json()
        assert company.records("answer.opened")[-1]["history"] == []
        membership(ada, "DELETE")
        turns = {t["id"]: t for t in ada.turns()}
    assert turns[second["trail"]]["withheld"]
    assert not turns[third["trail"]]["withheld"]


def move_salaries_out_of_search(company: Company) -> None:
    """Their passages are found no more, the document is still there to read."""
    document = company.documents["hr", "salaries.md"]
    company.execute(f"delete from chunk where document_id = (select id from document where public_id = '{document}')")


def test_a_new_version_changes_nothing_that_was_said(company: Company) -> None:
    with talk(company) as ada:
        ada.ask(ON_SALARY)
        given = ada.turns()
        text = b"# Salary bands\n\nThe salary band of level five is a secret now."
        upload(ada.client, company, "cleo", collection="hr", path="salaries.md", content=text, roles=["hr"])
        work(company.db)
        assert ada.turns() == given


def test_lost_while_the_answer_is_made(company: Company) -> None:
    """A stream that was begun before may finish; what is kept of it is withheld."""

    def look(_: Sequence[Message]) -> list[str]:
        company.execute("delete from membership where user_id = (select id from app_user where name = 'ada')")
        return [SAID]

    with talk(company, chat=ScriptedChat(endpoint(), look)) as ada:
        assert ada.ask(ON_SALARY).json()["answer"] == SAID
        [turn] = ada.turns()
    assert turn["withheld"]


def test_deleted_while_the_answer_is_made(company: Company) -> None:
    """The answer stands, nothing is kept, and the record says so."""

    def look(_: Sequence[Message]) -> list[str]:
        company.execute(f"delete from conversation where id = '{ada.id}'")
        return [SAID]

    with talk(company, chat=ScriptedChat(endpoint(), look)) as ada:
        assert ada.ask(ON_SALARY).json()["answer"] == SAID
        check_problem(ada.get(), 404, "NotFound")
    [closed] = company.records("answer.closed")
    assert (closed["outcome"], closed["kept"]) == ("answered", False)
    assert len(company.rows("select 1 from turn")) == 1, "the canary's"


# --- What the model sees of it.


def test_the_record_covers_the_history(company: Company) -> None:
    """The model sees the earlier turns without their citations; the log says which, and their label holds."""
    chat = saying(SAID)
    with talk(company, chat=chat) as ada:
        first = ada.ask(ON_SALARY).json()
        second = ada.ask(ON_LEAVE).json()
        ada.ask(KITCHEN)
    [opened] = [r for r in company.records("answer.opened") if r["trail"] not in {first["trail"], second["trail"]}]
    assert opened["history"] == [first["trail"], second["trail"]]
    shown = prompts(chat)[-1]
    said = SAID.replace(" [1]", "")
    assert f"<turn 1>\nQuestion: {ON_SALARY}\nAnswer: {said}\n</turn 1>\n\n<turn 2>\nQuestion: {ON_LEAVE}" in shown
    assert shown.index("</turn 2>") < shown.index("<passage 1>")


def test_the_label_of_an_earlier_turn_holds(company: Company) -> None:
    """An endpoint for internal text is not shown a confidential answer of before."""
    low = ScriptedChat(endpoint(Label.INTERNAL), lambda _: ["Weeks [1]."])
    with talk(company, chat=low) as ada:
        ada.ask(ON_SALARY, mode="quote")
        move_salaries_out_of_search(company)
        check_problem(ask(ada.client, company, "ada", ON_LEAVE, conversation=ada.id), 403, "LabelTooHigh")
        assert low.prompts == []
        [opened] = [r for r in company.records("answer.opened") if r["mode"] == "generate"]
        assert opened["label"] == "confidential"
        assert ask(ada.client, company, "ada", ON_LEAVE).json()["outcome"] == "answered"


@pytest.mark.parametrize(("tokens", "kept"), [(0, 0), (30, 1), (1000, 3)])
def test_the_history_has_a_budget(company: Company, tokens: int, kept: int) -> None:
    chat = saying("Weeks [1].")
    with talk(company, "ben", chat=chat, answer=AnswerSettings(history_tokens=tokens)) as ben:
        for _ in range(4):
            ben.ask(ON_LEAVE)
    assert len(company.records("answer.opened")[-1]["history"]) == kept
    assert prompts(chat)[-1].count("</turn") == kept


def test_the_first_turn_has_the_prompt_of_no_conversation(company: Company) -> None:
    chat = saying("Weeks [1].")
    with talk(company, "ben", chat=chat) as ben:
        ben.ask(ON_LEAVE)
        ask(ben.client, company, "ben", ON_LEAVE)
    assert prompts(chat)[0] == prompts(chat)[1]
    assert LEAVE in prompts(chat)[0]


def test_two_worlds_in_a_conversation(company: Company) -> None:
    """Whether or not hidden documents exist, a conversation says the same and shows the model the same."""
    said = []
    for _ in range(2):
        chat = saying(SAID)
        with talk(company, "ben", chat=chat) as ben:
            for question in (ON_LEAVE, ON_SALARY, KITCHEN, f"{ON_LEAVE} And the salary of level five?"):
                ben.ask(question)
            turns = [{k: v for k, v in t.items() if k not in {"id", "at"}} for t in ben.turns()]
        said.append((turns, chat.prompts))
        for document in (company.documents["hr", "salaries.md"], company.documents["board", "merger.md"]):
            company.execute(f"delete from document where public_id = '{document}'")
    assert said[0] == said[1]
    assert len(said[0][1]) == 3, "ben's question about the salary is answered by nothing"


# --- Tests of these tests: each lock by itself holds, and without both it is open.


def test_the_first_lock_alone(company: Company) -> None:
    """Row-level security wide open: the queries withhold what is lost."""
    with talk(company) as ada:
        ada.ask(ON_SALARY)
        for table in ("conversation", "turn", "turn_answer", "turn_source"):
            company.execute(f"create policy oops on {table} for select to clearance_app using (true)")
        assert not ada.turns()[0]["withheld"]
        membership(ada, "DELETE")
        assert ada.turns()[0]["withheld"]
        for who in ("ben", "root"):
            check_problem(ada.get(who), 404, "NotFound")


def test_the_second_lock_alone(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queries wide open: row-level security withholds; and without it the answer would be out."""
    with talk(company) as ada:
        ada.ask(ON_SALARY)
        membership(ada, "DELETE")
        every = tuple(row["id"] for row in company.rows("select id from scope"))
        real = conversations._turns
        monkeypatch.setattr(conversations, "_turns", lambda s, v, c: real(s, replace(v, scope_ids=every), c))
        assert ada.turns()[0]["withheld"]
        company.execute("create policy oops on turn_answer for select to clearance_app using (true)")
        company.execute("create policy oops on turn_source for select to clearance_app using (true)")
        assert ada.turns()[0]["answer"] == SAID


def test_the_mutation_that_lists_cited_sources_alone(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would show an answer whose uncited source is lost: what the test above is there for."""
    real = conversations.keep

    def cited(session: Any, subject: Any, turn: conversations.NewTurn) -> bool:
        documents = frozenset(s.document for s in turn.sources if s.cited)
        return real(session, subject, replace(turn, documents=documents))

    monkeypatch.setattr("app.answer.trail.keep", cited)
    with talk(company, chat=saying("Twenty-six weeks.")) as ada:
        ada.ask(f"{ON_LEAVE} {ON_SALARY}")
        membership(ada, "DELETE")
        assert not ada.turns()[0]["withheld"]


def test_a_conversation_of_no_id_is_invalid(client: TestClient, company: Company) -> None:
    check_problem(ask(client, company, "ada", ON_LEAVE, conversation="mine"), 422, "InvalidInput")
    check_problem(client.get("/api/v1/conversations/mine", headers=company.headers("ada")), 404, "NotFound")
    assert uuid.UUID(Talk(client, company, "ada").id).version == 4
