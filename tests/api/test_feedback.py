"""What askers say of answers: kept for the curators of what these were made from, without who said it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conversations import Talk, root, talk
from tests.api.problems import check_problem
from tests.api.services import make_service
from tests.support.company import CARD, Company
from tests.support.questions import ON_LEAVE, ON_SALARY, OWN_KEY, ask
from tests.support.service import saying

MODEL = "The salary band of level five is ninety-one thousand florins [1]."


def say(client: TestClient, company: Company, who: str, token: str, **said: Any) -> Any:
    body = {"token": token, "helpful": False, **said}
    return client.post("/api/v1/feedback", json=body, headers=company.headers(who))


def listed(client: TestClient, company: Company, who: str, collection: str, query: str = "") -> Any:
    return client.get(f"/api/v1/feedback?collection={collection}{query}", headers=company.headers(who))


def test_a_curator_sees_what_was_said_of_their_documents(company: Company) -> None:
    """Of the whole answer those that it cites, of a quote its own; by path and id, and nobody's name."""
    with talk(company, chat=saying(MODEL)) as ada:
        answer = ada.ask(ON_SALARY).json()
        assert len({source["document"] for source in answer["sources"]}) > 1
        quoted = ada.ask(ON_LEAVE, mode="quote").json()
        assert say(ada.client, company, "ada", answer["feedback"], reason="outdated").status_code == 201
        assert say(ada.client, company, "ada", quoted["blocks"][0]["feedback"], helpful=True).status_code == 201
        [of_hr] = listed(ada.client, company, "hank", "hr").json()
        [of_handbook] = listed(ada.client, company, "cleo", "handbook").json()
        whole = listed(ada.client, company, "hank", "hr").text
    salaries = {"document": str(company.documents["hr", "salaries.md"]), "path": "salaries.md"}
    assert {**of_hr, "id": "", "at": ""} == {
        "id": "", "at": "", "helpful": False, "reason": "outdated", "question": None, "sources": [salaries],
    }  # fmt: skip
    assert (of_handbook["helpful"], of_handbook["sources"][0]["path"]) == (True, "leave.md")
    [ada_id] = company.rows("select id from app_user where name = 'ada'")
    assert not [word for word in ("ada", str(ada_id["id"]), "florins", answer["trail"], ON_SALARY) if word in whole]
    assert [record["block"] for record in company.records("answer.feedback")] == [0, 1]


def test_the_question_is_shared_by_its_asker_alone(client: TestClient, company: Company) -> None:
    """In their own words, masked; a service that asks for them shares nothing."""
    service = make_service(client, company, "bot")
    service.let("ada")
    token = ask(client, company, "ada", ON_SALARY, mode="quote").json()["feedback"]
    for helpful in (True, False):
        said = say(client, company, "ada", token, helpful=helpful, question=f"{ON_SALARY} {OWN_KEY} {CARD}")
        assert said.status_code == 201
    [entry] = listed(client, company, "hank", "hr").json()
    assert (entry["helpful"], entry["question"]) == (
        False, f"{ON_SALARY} [redacted: credential] [redacted: card]",
    )  # fmt: skip
    assert company.rows("select 1 from answer_feedback where strpos(words, %s) > 0", [OWN_KEY]) == []
    body = {"token": token, "helpful": True}
    shared = client.post("/api/v1/feedback", json=body | {"question": "x"}, headers=service.headers("ada"))
    check_problem(shared, 403, "InPersonNeeded")
    assert client.post("/api/v1/feedback", json=body, headers=service.headers("ada")).status_code == 201
    [entry] = listed(client, company, "hank", "hr").json()
    assert (entry["helpful"], entry["question"]) == (True, None), "the last word counts, and takes the question back"


def test_it_is_for_curators_of_the_collection(client: TestClient, company: Company) -> None:
    """A reader is refused; a collection that one may not see is the same as one that is not there."""
    token = ask(client, company, "ada", ON_SALARY, mode="quote").json()["feedback"]
    say(client, company, "ada", token)
    check_problem(listed(client, company, "ada", "hr"), 403, "MissingCapability")
    check_problem(listed(client, company, "max", "hr"), 403, "MissingCapability")
    hidden = listed(client, company, "hank", "board")
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == listed(client, company, "hank", "nowhere").content
    check_problem(listed(client, company, "hank", "handbook"), 403, "MissingCapability")
    check_problem(client.get("/api/v1/feedback", headers=company.headers("hank")), 422, "InvalidInput")


def test_documents_that_are_lost_meanwhile_are_not_named(company: Company) -> None:
    """Of what the asker may no longer read nothing is said; it stays in the log."""
    with talk(company) as ada:
        token = ada.ask(ON_SALARY, mode="quote").json()["feedback"]
        root(ada, "DELETE", "/roles/hr/members/ada")
        assert say(ada.client, company, "ada", token).status_code == 201
        assert listed(ada.client, company, "hank", "hr").json() == []
    assert len(company.records("answer.feedback")) == 1


def test_pages(client: TestClient, company: Company) -> None:
    """Newest first; each once."""
    for reason in ("wrong", "hidden", "outdated"):
        token = ask(client, company, "ada", ON_SALARY, mode="quote").json()["feedback"]
        say(client, company, "ada", token, reason=reason)
    first = listed(client, company, "hank", "hr", "&limit=2")
    assert [entry["reason"] for entry in first.json()] == ["outdated", "hidden"]
    rest = client.get(f"/api/v1/feedback{first.links['next']['url']}", headers=company.headers("hank"))
    assert [entry["reason"] for entry in rest.json()] == ["wrong"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_token_of_a_whole_answer_is_its_askers_alone(company: Company, stream: bool) -> None:
    """As given and as read back; of an answer that nothing supports, too."""
    with talk(company) as ada:
        ada.ask(ON_SALARY, stream=stream)
        ada.ask("Which quasar hums below the glacier?", stream=stream)
        for turn in Talk.turns(ada):
            token = turn["feedback"]
            check_problem(say(ada.client, company, "ben", token), 404, "NotFound")
            longer = token[:24] + "A" * 22 + token[24:]
            check_problem(say(ada.client, company, "ada", longer), 404, "NotFound")
            check_problem(say(ada.client, company, "ada", token[:10]), 404, "NotFound")
            assert say(ada.client, company, "ada", token).status_code == 201
