"""Conversations: kept for their asker alone, read back as they were given, absent for everybody else."""

from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from tests.api.conversations import KITCHEN, ONE, SAID, Talk, root, talk
from tests.api.hang_up import hanging_up
from tests.api.problems import check_problem
from tests.api.services import make_service
from tests.support.company import SALARY, SECRETS, Company
from tests.support.questions import ON_LEAVE, ON_SALARY, OWN_KEY, ask, events, spoken
from tests.support.service import endpoint, parts_of, saying, serve
from tests.support.waiting import wait_for


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
    said = f"{SAID} {SAID} {SAID}"
    with talk(company, chat=saying(*said, "never", fail_after=len(said))) as ada:
        streamed = events(ada.ask(ON_SALARY, stream=True).text)
        assert streamed[-1][0] == "error"
        [turn] = ada.turns()
        assert (turn["outcome"], turn["answer"], turn["sources"]) == ("failed", spoken(streamed), [])
        assert turn["answer"]
        root(ada, "DELETE", "/roles/hr/members/ada")
        assert ada.turns()[0]["withheld"]


def test_who_hangs_up_finds_the_turn(company: Company) -> None:
    def words(_: Sequence[Message]) -> list[str]:
        return ["Twenty-six weeks of leave. ", *["word "] * 400]

    slow = ScriptedChat(endpoint(), words, delay=0.02)
    with serve(parts_of(company.db, chat=slow)) as url, talk(company, "ben") as ben:
        with hanging_up(url, company, after=b"event: delta", conversation=ben.id):
            pass
        [closed] = wait_for(lambda: company.records("answer.closed"), seconds=2)
        [turn] = ben.turns()
    assert (closed["outcome"], closed["kept"]) == ("hung_up", True)
    assert (turn["outcome"], turn["sources"]) == ("hung_up", [])
    assert turn["answer"].startswith("Twenty-six weeks of leave")
    assert company.rows("select made_from from turn_answer where turn_id = %s", [turn["id"]])[0]["made_from"] > 0


# --- For the asker alone.


def test_a_place_in_one_conversation_opens_nothing_in_another(company: Company) -> None:
    """A place is a moment, so it says where to go on and never whose."""
    with talk(company) as ada:
        for _ in range(2):
            ada.ask(ON_SALARY)
        mine = ada.client.get(f"/api/v1/conversations/{ada.id}?limit=1", headers=company.headers("ada"))
        place = mine.links["next"]["url"]
        other = Talk(ada.client, company, "ben")
        path = f"/api/v1/conversations/{other.id}"
        assert ada.client.get(f"{path}{place}", headers=company.headers("ben")).json()["turns"] == []
        check_problem(ada.client.get(f"{path}{place}", headers=company.headers("ada")), 404, "NotFound")


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
        assert ada.client.get("/api/v1/conversations", headers=company.headers("ben")).json() == []
        assert listed[0]["last_at"] is None
        assert listed[1]["last_at"] > listed[1]["created_at"]
        first = ada.client.get("/api/v1/conversations?limit=1", headers=headers)
        assert [c["id"] for c in first.json()] == [second.id]
        page = ada.client.get(f"/api/v1/conversations{first.links['next']['url']}", headers=headers)
        assert [c["id"] for c in page.json()] == [ada.id]
        assert "next" not in page.links
        turns = ada.turns()
        assert [t["question"] for t in turns] == [ON_SALARY, ON_LEAVE]
        path = f"/api/v1/conversations/{ada.id}"
        last = ada.client.get(f"{path}?limit=1", headers=headers)
        assert last.json()["turns"] == turns[1:]
        assert ada.client.get(f"{path}{last.links['next']['url']}", headers=headers).json()["turns"] == turns[:1]
        assert ada.client.delete(path, headers=headers).status_code == 204
        check_problem(ada.get(), 404, "NotFound")
        check_problem(ada.client.delete(path, headers=headers), 404, "NotFound")
    for table in ("turn", "turn_answer", "turn_source"):
        assert len(company.rows(f"select 1 from {table}")) == 1, "the canary's"
    [deleted] = company.records("conversation.deleted")
    assert deleted["conversation"] == ada.id


def test_a_title_stands_for_it(client: TestClient, company: Company) -> None:
    """To its asker alone; blanks are no title, and a credential in one is masked."""
    ada = Talk(client, company, "ada")
    path = f"/api/v1/conversations/{ada.id}"

    def name(title: str, who: str = "ada") -> Any:
        return client.patch(path, json={"title": title}, headers=company.headers(who))

    renamed = name(f"  Pay   {OWN_KEY} ")
    assert renamed.json()["title"] == "Pay [redacted: credential]"
    assert client.get("/api/v1/conversations", headers=company.headers("ada")).json() == [renamed.json()]
    check_problem(name("hers", "ben"), 404, "NotFound")
    for title in ("", " \t ", "x" * 201):
        check_problem(name(title), 422, "InvalidInput")
    assert name("x" * 200).json()["title"] == "x" * 200
    long = name(f"{'x' * 170} {OWN_KEY}").json()["title"]
    assert len(long) <= 200
    assert OWN_KEY[:8] not in long


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
        check_problem(client.patch(path, json={"title": "x"}, headers=headers), 403, "InPersonNeeded")
        for more in ({}, {"stream": True}, {"mode": "quote"}):
            check_problem(client.post("/api/v1/ask", json=into | more, headers=headers), 403, "InPersonNeeded")

    refused()
    monkeypatch.setattr("app.web.http.dependencies.require_in_person", lambda _: None)
    monkeypatch.setattr("app.web.api.ask.require_in_person", lambda _: None)
    refused()
    assert [turn["id"] for turn in own.turns()] == [trail]
