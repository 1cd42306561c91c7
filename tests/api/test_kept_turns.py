"""A turn is kept whole: all that came with an answer reads back, and goes with it."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answer.conversation import read_turn
from app.answer.turns import AnswerDetails
from app.errors import NotFound
from app.llm.scripted import ScriptedChat
from tests.api.conversations import Talk, root, talk
from tests.support.company import Company, upload
from tests.support.questions import ON_LEAVE, ON_SALARY
from tests.support.service import app_of, endpoint, subject_named
from tests.support.worker import work_queued

HOTEL = "How much may a hotel in Bergen cost a night?"
Wire = dict[str, Any]
NOTHING: Wire = {"answer": "", "sources": [], "redactions": {}, "fallback": None, "blocks": [], "searched": None,
           "grounding": None, "conflicts": []}  # fmt: skip


def content(answer: Wire) -> Wire:
    return {name: answer[name] for name in NOTHING}


def kept(answer: Wire) -> Wire:
    """What a turn keeps of an answer: all but the words that an earlier answer added."""
    searched = answer["searched"]
    if searched is None:
        return content(answer)
    added = [{**more, "words": []} if more["part"] == "answer" else more for more in searched["added"]]
    return content(answer) | {"searched": {**searched, "added": added}}


def two_prices(client: TestClient, company: Company) -> None:
    for euros in (120, 145):
        text = f"# Hotels {euros}\n\nA hotel in Bergen may cost up to {euros} euros a night."
        given = {"collection": "handbook", "path": f"hotels-{euros}.md", "roles": ["everyone"]}
        upload(client, company, "cleo", content=text.encode(), **given)
    work_queued(company.db)


def test_it_reads_back_with_all_that_it_had(company: Company) -> None:
    """Each field is there in one of the turns: else equality would say nothing."""
    hotel, moon = "A hotel in Bergen may cost up to 145 euros a night [1].", "The moon is 77 cheeses [1]."
    chat = ScriptedChat(endpoint(), lambda messages: [hotel if HOTEL in messages[-1].content else moon])
    with talk(company, chat=chat) as ada:
        two_prices(ada.client, company)
        asked = [(ON_LEAVE, "quote"), (ON_SALARY, "generate"), (HOTEL, "generate"), (HOTEL, "quote")]
        answers = [ada.ask(question, mode=mode).json() for question, mode in asked]
        turns = ada.turns()
        assert [content(turn) for turn in turns] == [kept(answer) for answer in answers]
        assert any(kept(answer) != content(answer) for answer in answers)
        assert [turn["mode"] for turn in turns] == [answer["mode"] for answer in answers]
        assert {name for name in NOTHING if any(turn[name] != NOTHING[name] for turn in turns)} == set(NOTHING)
        root(ada, "PATCH", "/users/ada", {"clearance": "public"})
        assert all(turn["withheld"] and content(turn) == NOTHING for turn in ada.turns())


def follow_up_after_loss(company: Company) -> str:
    """A turn about the kitchen whose search was lent words of an answer about salaries, read when these are lost."""
    with talk(company) as ada:
        ada.ask(ON_SALARY, mode="quote")
        # Found no more, and there to read.
        company.execute("delete from chunk where document_id = (select id from document where path = 'salaries.md')")
        second = ada.ask("And by whom is the coffee machine cleaned?", mode="quote").json()
        assert "florins" in str(second["searched"])
        assert "salaries.md" not in {source["path"] for source in second["sources"]}
        root(ada, "DELETE", "/roles/hr/members/ada")
        assert [turn["withheld"] for turn in ada.turns()] == [True, False]
        text: str = ada.get().text
    return text


def test_words_of_an_earlier_answer_are_not_kept(company: Company) -> None:
    """They stand in documents that may be lost while those of the turn itself are not."""
    assert "florins" not in follow_up_after_loss(company)


def test_the_mutation_that_keeps_them(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnswerDetails, "to_keep", lambda self: self)
    assert "florins" in follow_up_after_loss(company)


def test_a_token_of_a_turn_that_was_read_back_is_good(company: Company) -> None:
    """It is not kept: a copy of the database gives nobody a say."""
    with talk(company) as ada:
        ada.ask(ON_LEAVE, mode="quote")
        [turn] = ada.turns()
        body = {"token": turn["blocks"][0]["feedback"], "helpful": True}
        given = ada.client.post("/api/v1/feedback", json=body, headers=company.headers("ada"))
    assert given.status_code == 201
    assert company.rows("select 1 from turn_answer where strpos(details::text, %s) > 0", [body["token"]]) == []


def test_one_turn_reads_back_and_is_recorded(company: Company) -> None:
    """In its own conversation, to its asker; recorded before it is given out."""
    with talk(company) as ada:
        trails = [uuid.UUID(ada.ask(question).json()["trail"]) for question in (ON_SALARY, ON_LEAVE)]
        parts, other = app_of(ada.client).state.parts, Talk(ada.client, company, "ada")
        subject, mine = subject_named(parts, "ada"), uuid.UUID(ada.id)
        turn = read_turn(parts, subject, mine, trails[0])
        assert turn.answer is not None
        assert (turn.id, turn.answer.text) == (trails[0], ada.turns()[0]["answer"])
        for who, conversation, wanted in (
            ("ada", uuid.UUID(other.id), trails[0]),
            ("ada", mine, uuid.uuid4()),
            ("ben", mine, trails[0]),
        ):
            with pytest.raises(NotFound):
                read_turn(parts, subject_named(parts, who), conversation, wanted)
        root(ada, "DELETE", "/roles/hr/members/ada")
        assert read_turn(parts, subject_named(parts, "ada"), mine, trails[0]).answer is None
    reads = [(read["shown"], read["withheld"]) for read in company.records("conversation.read")]
    lost = str(trails[0])
    assert [reads[0], reads[-1]] == [([lost], []), ([], [lost])]
    assert len(reads) == 3, "what is not there is not read"
