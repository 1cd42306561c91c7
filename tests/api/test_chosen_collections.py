"""A question within chosen collections: hidden and absent ones are the same, and the log says which were chosen."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.llm.scripted import ScriptedChat
from tests.api.conversations import KITCHEN, Talk
from tests.api.problems import check_problem
from tests.support.company import LEAVE, Company
from tests.support.questions import ON_LEAVE, ON_SALARY, ask, events
from tests.support.service import client_of, parts_of, prompts, saying


def chosen_ids(company: Company) -> list[list[str]]:
    return [record["collections"] for record in company.records("answer.opened")]


@pytest.mark.parametrize("mode", ["quote", "generate"])
def test_it_is_answered_from_these_alone(company: Company, mode: str) -> None:
    """Also what the model is shown; all sources come from there, and without a choice they do not."""
    chat = saying("It says so [1].")
    with client_of(parts_of(company.db, chat=chat)) as client:

        def collections_of(question: str, *names: str) -> set[str]:
            answer = ask(client, company, "ada", question, mode=mode, collections=list(names))
            return {source["collection"] for source in answer.json()["sources"]}

        assert collections_of(ON_LEAVE, "handbook") == {"handbook"}
        assert collections_of(ON_SALARY, "hr") == {"hr"}
        for names in ([], ["hr", "handbook", "hr"]):
            assert collections_of(ON_LEAVE, *names) == {"hr", "handbook"}
    assert mode == "quote" or "florins" not in prompts(chat)[0]
    ids = {row["name"]: str(row["id"]) for row in company.rows("select id, name from collection")}
    both = sorted([ids["handbook"], ids["hr"]])
    assert chosen_ids(company) == [[ids["handbook"]], [ids["hr"]], [], both]


def test_hidden_and_absent_are_the_same(client: TestClient, company: Company) -> None:
    """Byte for byte, beside one that is visible too, streamed or not; and nothing is opened."""
    told = set()
    for names in (["hr"], ["nowhere"], ["_canary"], ["handbook", "hr"], ["handbook", "nowhere"]):
        for stream in (False, True):
            answer = ask(client, company, "ben", ON_SALARY, collections=names, stream=stream)
            check_problem(answer, 404, "NotFound")
            told.add(answer.content)
    assert len(told) == 1
    assert company.records("answer.opened") == []


@pytest.mark.parametrize("names", [["Not A Name"], ["handbook"] * 21])
def test_what_names_no_collection_is_refused(client: TestClient, company: Company, names: list[str]) -> None:
    check_problem(ask(client, company, "ben", ON_LEAVE, collections=names), 422, "InvalidInput")


def test_who_curates_one_and_may_not_read_it_gets_nothing_of_it(client: TestClient, company: Company) -> None:
    answer = ask(client, company, "cleo", ON_SALARY, mode="quote", collections=["hr"]).json()
    assert (answer["outcome"], answer["sources"]) == ("nothing", [])


def test_a_follow_up_leans_on_its_conversation_all_the_same(client: TestClient, company: Company) -> None:
    """Its earlier turns are the asker's, wherever they were answered from; what is found is not."""
    ada = Talk(client, company, "ada")
    ada.ask(KITCHEN, mode="quote")
    within = ada.ask("And by whom is it cleaned?", mode="quote", collections=["handbook"]).json()
    assert {word for added in within["searched"]["added"] for word in added["words"]} >= {"coffee", "machine"}
    assert within["sources"][0]["path"] == "kitchen.md"
    elsewhere = ada.ask("And by whom is it cleaned?", mode="quote", collections=["hr"]).json()
    assert {source["collection"] for source in elsewhere["sources"]} <= {"hr"}


def test_the_prompt_is_what_it_is_where_nothing_else_is(company: Company) -> None:
    """Byte for byte as for somebody who may read these alone."""
    seen = []
    for who, chosen in (("ada", ["handbook"]), ("ben", [])):
        chat = ScriptedChat(saying().endpoint, lambda _: ["It says so [1]."])
        with client_of(parts_of(company.db, chat=chat)) as client:
            ask(client, company, who, ON_LEAVE, collections=chosen)
        seen.append(prompts(chat))
    assert seen[0] == seen[1]
    assert LEAVE in str(seen[0])


def test_streamed_too(client: TestClient, company: Company) -> None:
    found: list[tuple[str, dict[str, Any]]] = events(
        ask(client, company, "ada", ON_SALARY, mode="quote", stream=True, collections=["hr"]).text
    )
    assert {source["collection"] for source in found[-1][1]["sources"]} == {"hr"}
