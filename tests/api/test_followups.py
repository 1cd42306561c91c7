"""A question that leans on earlier ones is searched with them, as far as its asker may read them now."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answer import conversation_store as conversations
from app.answer.followups import RecentTurn
from tests.api.conversations import KITCHEN, ONE, SAID, Talk, root, talk
from tests.support.company import Company
from tests.support.questions import ON_SALARY, OWN_KEY, ask, events, spoken
from tests.support.service import saying

BY_WHOM = "And by whom?"
FLORIN_WORDS = {"florins", "ninety"}


def added(answer: dict[str, Any], part: str) -> set[str]:
    return {word for words in answer["searched"]["added"] if words["part"] == part for word in words["words"]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("mode", "outcome"), [("generate", "answered"), ("quote", "quoted")])
def test_a_follow_up_finds_what_the_question_before_named(
    company: Company, stream: bool, mode: str, outcome: str
) -> None:
    with talk(company, chat=saying("By the kitchen team [1]."), answer=ONE) as ada:
        first = ada.ask(KITCHEN, mode=mode).json()
        answer = ada.ask(BY_WHOM, mode=mode, stream=stream)
        given = events(answer.text)[-1][1] if stream else answer.json()
        assert first["searched"] is None
        assert (given["outcome"], [s["path"] for s in given["sources"]]) == (outcome, ["kitchen.md"])
        assert {"coffee", "machine", "cleaned"} <= added(given, "question")
        assert {"kitchen", "team"} <= added(given, "answer")
        assert {words["turn"] for words in given["searched"]["added"]} == {first["trail"]}
    opened = company.records("answer.opened")[-1]
    assert [(s["turn"], s["part"]) for s in opened["searched"]] == [
        (first["trail"], "question"),
        (first["trail"], "answer"),
    ]
    assert all(0 < s["words"] < 1000 and 0 < s["meaning"] < 1000 for s in opened["searched"])
    assert company.unsealed(opened, "added_words").split() == ["coffee", "machine", "cleaned"]
    assert opened["answer_words"], "of the answer's words, which are text of documents, there is a commitment"
    assert opened["topic_changed"] is False
    assert not [word for word in ("coffee", "kitchen") if word in str(opened)], "words are sealed"


def test_alone_it_is_asked_back(client: TestClient, company: Company) -> None:
    """Outside a conversation and as its first turn; recorded and kept, and no model is asked."""
    answer = ask(client, company, "ada", BY_WHOM).json()
    assert (answer["outcome"], answer["sources"], answer["searched"]) == ("asked_back", [], None)
    assert answer["answer"] == "What does your question refer to? Please ask it in whole."
    assert company.records("answer.closed")[-1]["outcome"] == "asked_back"
    assert company.records("answer.opened")[-1]["model"] is None
    mine = Talk(client, company, "ada")
    streamed = events(mine.ask("Und wie lange?", stream=True).text)
    assert streamed[-1][1]["outcome"] == "asked_back"
    assert spoken(streamed) == "Worauf bezieht sich Ihre Frage? Bitte stellen Sie sie vollständig."
    [turn] = mine.turns()
    assert (turn["outcome"], turn["withheld"]) == ("asked_back", False)


def test_another_topic_is_searched_alone(company: Company) -> None:
    """As if it were the first question; the asker is told, and the record says so."""
    question = "Reimbursement of parental leave paperwork?"
    with talk(company, answer=ONE) as ada:
        ada.ask(KITCHEN, mode="quote")
        changed = ada.ask(question, mode="quote").json()
        alone = ask(ada.client, company, "ada", question, mode="quote").json()
    assert changed["searched"]["topic_changed"]
    assert changed["searched"]["added"] == []
    assert (changed["answer"], changed["sources"]) == (alone["answer"], alone["sources"])
    opened = company.records("answer.opened")[-2]
    assert (opened["topic_changed"], opened["searched"], opened["added_words"]) == (True, [], None)


# --- As far as the asker may read it now (N2).


def follow_after_loss(company: Company) -> dict[str, Any]:
    """Ada asks about salaries, leaves the role that reads them, and asks on; then she comes back and asks again."""
    with talk(company, chat=saying(SAID)) as ada:
        ada.ask(ON_SALARY)
        before = ada.ask("And by whom is it paid?", mode="quote").json()
        assert added(before, "answer") | added(before, "question") >= FLORIN_WORDS
        root(ada, "DELETE", "/roles/hr/members/ada")
        conversation = Talk(ada.client, company, "ada")
        conversation.id = ada.id
        return dict(conversation.ask("And by whom is that paid?", mode="quote").json())


def test_words_of_an_answer_that_is_lost_are_not_searched_for(company: Company) -> None:
    after = follow_after_loss(company)
    assert not added(after, "answer")
    assert {"salary", "band"} <= added(after, "question"), "the asker's own words stay"
    assert not FLORIN_WORDS & added(after, "question")
    assert not [s for s in company.records("answer.opened")[-1]["searched"] if s["part"] == "answer"]


def test_the_mutation_that_reads_answers_past_the_filters(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would lend a search the words of an answer whose source may no longer be read."""
    real, whose = conversations.recent, "select answer from turn_answer where turn_id = %s"

    def careless(*given: Any, **options: Any) -> Sequence[RecentTurn]:
        found = real(*given, **options)
        return [replace(turn, answer=company.rows(whose, [turn.turn])[0]["answer"]) for turn in found]

    monkeypatch.setattr(conversations, "recent", careless)
    assert FLORIN_WORDS & added(follow_after_loss(company), "answer")


def test_a_vector_goes_with_its_text(company: Company) -> None:
    """Where the answer is not read, its vector is not either: not by the asker's own identity, and not once deleted."""
    with talk(company, answer=ONE) as ada:
        trail = ada.ask(ON_SALARY).json()["trail"]
        [turn] = company.rows("select octet_length(vector) as size, embedder from turn where id = %s", [trail])
        [answer] = company.rows("select octet_length(vector) as size from turn_answer where turn_id = %s", [trail])
        assert turn["size"] == answer["size"] == 4 * 384
        assert turn["embedder"] == company.records("answer.opened")[-1]["embedder"]
        ada.client.delete(f"/api/v1/conversations/{ada.id}", headers=company.headers("ada"))
    assert company.rows("select 1 from turn where vector is not null") == []
    assert company.rows("select 1 from turn_answer where vector is not null") == []


def test_of_another_embedder_vectors_are_made_anew(company: Company) -> None:
    with talk(company, answer=ONE) as ada:
        ada.ask(KITCHEN, mode="quote")
        company.execute("update turn set embedder = 'another', vector = '\\x00'")
        company.execute("update turn_answer set vector = '\\x00'")
        assert [s["path"] for s in ada.ask(BY_WHOM, mode="quote").json()["sources"]] == ["kitchen.md"]


def test_a_credential_in_an_earlier_question_is_nowhere(company: Company) -> None:
    with talk(company, answer=ONE) as ada:
        ada.ask(f"{KITCHEN} {OWN_KEY}", mode="quote")
        answer = ada.ask(BY_WHOM, mode="quote")
    assert OWN_KEY.lower() not in answer.text.lower()
    assert not {"redacted", "credential"} & added(answer.json(), "question")


def test_only_turns_of_the_own_conversation_count(company: Company) -> None:
    """Neither another conversation of the asker's, nor somebody else's."""
    with talk(company, answer=ONE) as ada:
        ada.ask(KITCHEN, mode="quote")
        assert Talk(ada.client, company, "ada").ask(BY_WHOM, mode="quote").json()["outcome"] == "asked_back"
        assert Talk(ada.client, company, "ben").ask(BY_WHOM, mode="quote").json()["outcome"] == "asked_back"


def test_a_long_conversation_is_searched_by_its_last_turns(company: Company) -> None:
    with talk(company, answer=ONE) as ada:
        for number in range(12):
            ada.ask(f"{KITCHEN} Number {number}x?", mode="quote")
        answer = ada.ask(BY_WHOM, mode="quote").json()
    words = added(answer, "question")
    assert "11x" in words
    assert not {"0x", "7x"} & words
