"""An answer goes as soon as one thing it was made from is lost, and comes back with it; so for the next prompt."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answer import conversation_store as conversations
from app.answer.replies import reply
from app.answer.turns import NewTurn
from app.identity.subject import Label
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from app.settings import AnswerSettings
from tests.api.conversations import KITCHEN, LOST, ONE, SAID, Talk, root, talk
from tests.api.problems import check_problem
from tests.support.company import LEAVE, SALARY, Company, upload
from tests.support.questions import ON_LEAVE, ON_SALARY, ask
from tests.support.service import endpoint, prompts, saying
from tests.support.worker import work_queued as work

# How something is lost, and how it comes back, if it can.
Change = tuple[Callable[[Talk], None], Callable[[Talk], None] | None]


def membership(conversation: Talk, method: str) -> None:
    root(conversation, method, "/roles/hr/members/ada")


def tagged(conversation: Talk, role: str) -> None:
    """The file again, under other tags: the document moves to another scope."""
    text = f"# Salary bands\n\n{SALARY}"
    given = {"collection": "hr", "path": "salaries.md", "content": text.encode(), "roles": [role]}
    upload(conversation.client, conversation.company, "cleo", **given)
    work(conversation.company.db)


def gone(conversation: Talk) -> None:
    document = conversation.company.documents["hr", "salaries.md"]
    root(conversation, "DELETE", f"/documents/{document}", who="cleo")


# The other ways to lose a document are raced, with conversations among its surfaces (laws/test_r_revocation_race.py).
CHANGES: dict[str, Change] = {
    "out of the role": (lambda c: membership(c, "DELETE"), lambda c: membership(c, "PUT")),
    "the document moves": (lambda c: tagged(c, "managers"), lambda c: tagged(c, "hr")),
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
        notice = reply("withheld", "en")
        assert lost == given[0] | {"outcome": "withheld", "withheld": True, "notice": notice, "answer": "",
                                   "sources": [], "redactions": {}, "fallback": None, "blocks": [],
                                   "searched": None, "grounding": None, "conflicts": [], "feedback": ""}  # fmt: skip
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


def test_a_source_that_is_not_cited_counts(company: Company) -> None:
    """The model was shown it: the answer is made from it, whatever it cites."""
    with talk(company, chat=saying("Twenty-six weeks.")) as ada:
        answer = ada.ask(f"{ON_LEAVE} {ON_SALARY}").json()
        assert "salaries.md" in {s["path"] for s in answer["sources"] if not s["cited"]}
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
    low = ScriptedChat(endpoint(Label.INTERNAL), lambda _: ["Twenty-six weeks [1]."])
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
    chat = saying("Twenty-six weeks [1].")
    with talk(company, "ben", chat=chat, answer=AnswerSettings(history_tokens=tokens)) as ben:
        for _ in range(4):
            ben.ask(ON_LEAVE)
    assert len(company.records("answer.opened")[-1]["history"]) == kept
    assert prompts(chat)[-1].count("</turn") == kept


def test_the_first_turn_has_the_prompt_of_no_conversation(company: Company) -> None:
    chat = saying("Twenty-six weeks [1].")
    with talk(company, "ben", chat=chat) as ben:
        ben.ask(ON_LEAVE)
        ask(ben.client, company, "ben", ON_LEAVE)
    assert prompts(chat)[0] == prompts(chat)[1]
    assert LEAVE in prompts(chat)[0]


# --- Tests of these tests: each lock by itself holds, and without both it is open.


def test_the_scope_filter_alone(company: Company) -> None:
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


def test_the_mutation_that_lists_cited_sources_alone(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would show an answer whose uncited source is lost: what the test above is there for."""
    real = conversations.keep

    def cited(session: Any, subject: Any, turn: NewTurn) -> bool:
        documents = frozenset(s.document for s in turn.sources if s.cited)
        return real(session, subject, replace(turn, documents=documents))

    monkeypatch.setattr("app.answer.audit_trail.keep", cited)
    with talk(company, chat=saying("Twenty-six weeks.")) as ada:
        ada.ask(f"{ON_LEAVE} {ON_SALARY}")
        membership(ada, "DELETE")
        assert not ada.turns()[0]["withheld"]


def test_a_conversation_of_no_id_is_invalid(client: TestClient, company: Company) -> None:
    check_problem(ask(client, company, "ada", ON_LEAVE, conversation="mine"), 422, "InvalidInput")
    check_problem(client.get("/api/v1/conversations/mine", headers=company.headers("ada")), 404, "NotFound")
    assert uuid.UUID(Talk(client, company, "ada").id).version == 4
