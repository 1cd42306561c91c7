"""Questions that are not answered, through `ask`: what the asker, the records, the metrics and the next turn say."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answer.components import Components
from app.embedding.hashed import HashedEmbedder
from app.refusals import judge as judging
from tests.api.conversations import Talk
from tests.api.problems import check_problem
from tests.support.browsers import signed_in
from tests.support.company import Company
from tests.support.questions import ON_LEAVE, ON_SALARY, OWN_KEY, ask, events, spoken
from tests.support.refusals import Guard, kept, llama, standing
from tests.support.service import METRICS_KEY, client_of, parts_of, saying

SAFE = "How do I open the green safe?"
RULES = """categories:
  - name: safes
    action: refuse
    message: {en: Safes are not talked about., de: Über Tresore wird nicht gesprochen.}
    phrases: [the green safe, den grünen Tresor]
    exempt_roles: [managers]
  - name: help
    action: redirect
    message: Please call 116 123.
    phrases: [I want to end it]
  - name: pay
    action: flag
    phrases: [salary band]
"""
WITH_MODEL = """models:
  - {{name: guard, form: llama-guard, url: "{url}/v1", model: tiny, seconds: {seconds}}}
categories:
  - name: violence
    action: refuse
    message: No violence.
    models: [{{name: guard, codes: [S1], when_out: {when_out}}}]
"""
UNCHECKED = "This question cannot be checked at the moment, so it is not answered. Please try again later."


class NeverEmbedded(HashedEmbedder):
    """An embedder that is not asked: for a question that is refused nothing is looked for."""

    def embed_query(self, text: str) -> Any:
        raise AssertionError(f"{text!r} is looked for")


def parts_with(company: Company, folder: Path, rules: str, **replaced: Any) -> Components:
    return dataclasses.replace(parts_of(company.db, **replaced), refusals=kept(folder, rules))


@pytest.fixture
def refusing(company: Company, tmp_path: Path) -> Iterator[TestClient]:
    with client_of(parts_with(company, tmp_path, RULES)) as client:
        yield client


@contextlib.contextmanager
def guarded_by(
    guard: Guard, company: Company, folder: Path, *, when_out: str = "refuse", **replaced: Any
) -> Iterator[TestClient]:
    with standing(guard):
        seconds = 0.3 if guard.hangs or guard.drips else 20
        rules = WITH_MODEL.format(url=guard.url, seconds=seconds, when_out=when_out)
        with client_of(parts_with(company, folder, rules, **replaced)) as client:
            yield client


def metric(client: TestClient, name: str) -> float:
    text = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    return float(next(line for line in text.splitlines() if line.startswith(name + " ")).rsplit(" ", 1)[1])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mode", ["generate", "quote"])
def test_a_refused_question_gets_the_message_and_nothing_is_looked_for(
    company: Company, tmp_path: Path, mode: str, stream: bool
) -> None:
    parts = parts_with(company, tmp_path, RULES, embedder=NeverEmbedded(), chat=saying("I would not know."))
    with client_of(parts) as client:
        answer = ask(client, company, "ben", f"{SAFE} My key is {OWN_KEY}", mode=mode, stream=stream)
        assert answer.status_code == 200
        count = metric(client, 'clearance_guardrail_refusals_total{action="refuse",category="safes"}')
    if stream:
        found = events(answer.text)
        assert [name for name, _ in found] == ["opened", "delta", "done"]
        given = found[-1][1] | {"answer": spoken(found)}
    else:
        given = answer.json()
    assert (given["outcome"], given["answer"]) == ("refused", "Safes are not talked about.")
    assert given["refusal"] == {"category": "safes", "action": "refuse", "outage": False}
    assert (given["sources"], given["blocks"], given["fallback"], given["mode"]) == ([], [], None, mode)
    [opened], [closed] = company.records("answer.opened"), company.records("answer.closed")
    assert opened["refusal"] == {
        "rules": parts.refusals and parts.refusals.rules.digest,
        "category": "safes",
        "action": "refuse",
        "rule": "phrase 1",
        "flags": [],
        "models": [],
    }
    assert (opened["passages"], opened["model"], opened["label"]) == ([], None, "public")
    assert (closed["outcome"], closed["reason"]) == ("refused", "Refusal:safes:phrase 1")
    assert OWN_KEY not in company.unsealed(opened, "question")
    assert "green safe" not in json.dumps([opened, closed])
    assert count == 1


def test_the_message_is_in_the_language_of_the_question(refusing: TestClient, company: Company) -> None:
    answer = ask(refusing, company, "ben", "Wie öffne ich denn nun den grünen Tresor?").json()
    assert answer["answer"] == "Über Tresore wird nicht gesprochen."


def test_a_question_may_be_sent_elsewhere(refusing: TestClient, company: Company) -> None:
    answer = ask(refusing, company, "ben", "Today I want to end it.").json()
    assert (answer["outcome"], answer["answer"]) == ("refused", "Please call 116 123.")
    assert answer["refusal"] == {"category": "help", "action": "redirect", "outage": False}
    assert metric(refusing, 'clearance_guardrail_refusals_total{action="redirect",category="help"}') == 1


def test_a_flag_is_for_the_record_alone(refusing: TestClient, company: Company) -> None:
    answer = ask(refusing, company, "ada", ON_SALARY, mode="quote").json()
    assert (answer["outcome"], answer["refusal"]) == ("quoted", None)
    assert "florins" in answer["answer"]
    refusal = company.records("answer.opened")[-1]["refusal"]
    assert (refusal["category"], refusal["flags"]) == (None, ["pay: phrase 1"])
    assert metric(refusing, 'clearance_guardrail_refusals_total{action="flag",category="pay"}') == 1


def test_other_questions_are_answered(refusing: TestClient, company: Company) -> None:
    answer = ask(refusing, company, "ben", ON_LEAVE, mode="quote").json()
    assert (answer["outcome"], answer["refusal"]) == ("quoted", None)
    refusal = company.records("answer.opened")[-1]["refusal"]
    assert (refusal["category"], refusal["flags"], len(refusal["rules"])) == (None, [], 64)


def test_without_a_file_nothing_is_recorded(client: TestClient, company: Company) -> None:
    assert ask(client, company, "ben", SAFE).json()["outcome"] != "refused"
    assert company.records("answer.opened")[-1]["refusal"] is None


def test_who_is_in_an_exempt_role_is_answered(refusing: TestClient, company: Company) -> None:
    assert ask(refusing, company, "mia", SAFE).json()["refusal"] is None
    assert ask(refusing, company, "ada", SAFE).json()["refusal"]["category"] == "safes"


def test_the_verdict_does_not_depend_on_what_the_asker_may_read(refusing: TestClient, company: Company) -> None:
    """The record of who reads the salaries and who does not is the same, but for who asked and what they may see."""
    seen = []
    for who in ("ada", "ben", "cleo"):
        answer = ask(refusing, company, who, f"{SAFE} And what is in {ON_SALARY}").json()
        record = company.records("answer.opened")[-1]
        assert record["collections"] == []
        seen.append((answer["answer"], answer["refusal"], json.dumps(record["refusal"], sort_keys=True)))
    assert len(set(map(str, seen))) == 1


def test_a_conversation_keeps_the_turn_and_the_next_question_does_not_lean_on_it(
    refusing: TestClient, company: Company
) -> None:
    ben = Talk(refusing, company, "ben")
    refused = ben.ask(SAFE).json()
    [turn] = refusing.get(f"/api/v1/conversations/{ben.id}", headers=company.headers("ben")).json()["turns"]
    assert (turn["question"], turn["outcome"], turn["answer"]) == (SAFE, "refused", "Safes are not talked about.")
    assert (turn["refusal"], turn["withheld"]) == (refused["refusal"], False)
    after = ben.ask("And by whom?", mode="quote").json()
    assert (after["outcome"], after["searched"]) == ("asked_back", None)
    assert company.records("answer.opened")[-1]["searched"] == []


def test_the_conversation_or_collection_of_others_is_not_found(refusing: TestClient, company: Company) -> None:
    ben = Talk(refusing, company, "ben")
    check_problem(ask(refusing, company, "ada", SAFE, conversation=ben.id), 404, "NotFound")
    known = ask(refusing, company, "ben", ON_LEAVE, collections=["nowhere"])
    answer = ask(refusing, company, "ben", SAFE, collections=["nowhere"])
    assert (answer.status_code, answer.json().get("code")) == (known.status_code, known.json().get("code"))
    assert [record["outcome"] for record in company.records("answer.closed") if record["outcome"] == "refused"] == []


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("en", "Questions of the category “safes” are not answered here."),
        ("de", "Fragen der Kategorie „safes“ werden hier nicht beantwortet."),
    ],
)
def test_the_console_says_it(refusing: TestClient, company: Company, language: str, note: str) -> None:
    ben = Talk(refusing, company, "ben")
    ben.ask(SAFE)
    page = signed_in(refusing, company, "ben").get(f"/conversations/{ben.id}", headers={"Accept-Language": language})
    assert page.status_code == 200
    assert "Safes are not talked about." in page.text
    assert note in page.text
    assert "Freigabestufe" not in page.text
    assert "documents of this label" not in page.text


def test_rules_that_fail_answer_nothing(
    refusing: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(ON_LEAVE)

    monkeypatch.setattr(judging, "views", broken)
    for stream in (False, True):
        check_problem(ask(refusing, company, "ben", ON_LEAVE, stream=stream), 500, "GuardrailFailed")
    assert metric(refusing, 'clearance_guardrail_failures_total{stage="refusals"}') == 2
    assert company.records("answer.opened") == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_refuses(company: Company, tmp_path: Path, stream: bool) -> None:
    guard = Guard(llama("unsafe\nS1"))
    with guarded_by(guard, company, tmp_path, embedder=NeverEmbedded()) as client:
        answer = ask(client, company, "ben", f"{ON_LEAVE} My key is {OWN_KEY}", stream=stream)
    given = events(answer.text)[-1][1] if stream else answer.json()
    assert given["refusal"] == {"category": "violence", "action": "refuse", "outage": False}
    [refusal] = [record["refusal"] for record in company.records("answer.opened")]
    [asked] = refusal.pop("models")
    assert asked["endpoint"] in guard.url
    assert (asked["name"], asked["said"]) == ("guard", "unsafe")
    assert asked["reason"] == "internal endpoint, internal within restricted"
    assert refusal["rule"] == "model guard"
    assert len(guard.asked) == 1
    assert "parental leave" in guard.texts[0]
    assert OWN_KEY not in guard.texts[0], "credentials go nowhere"


def test_a_model_lets_pass(company: Company, tmp_path: Path) -> None:
    with guarded_by(Guard(llama("safe")), company, tmp_path) as client:
        assert ask(client, company, "ben", ON_LEAVE, mode="quote").json()["outcome"] == "quoted"
    assert company.records("answer.opened")[-1]["refusal"]["models"][0]["said"] == "safe"


OUT: dict[str, tuple[Callable[[], Guard], str]] = {
    "crash": (lambda: Guard(b"Traceback", code=500), "Status500"),
    "hang": (lambda: Guard(hangs=True), "TimeLimit"),
    "drip": (lambda: Guard(drips=True), "TimeLimit"),
    "garbage": (lambda: Guard(b"<html>"), "NoJson"),
    "another answer": (lambda: Guard(llama("I cannot help with that")), "NoVerdict"),
}


@pytest.mark.parametrize("how", OUT)
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_out_refuses(
    company: Company, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str, stream: bool
) -> None:
    """Said, audited, counted and logged; not answered."""
    made, cause = OUT[how]
    with guarded_by(made(), company, tmp_path, embedder=NeverEmbedded()) as client:
        answer = ask(client, company, "ben", ON_LEAVE, stream=stream)
        assert metric(client, f'clearance_guardrail_model_failures_total{{cause="{cause}",model="guard"}}') == 1
        assert metric(client, 'clearance_guardrail_refusals_total{action="unchecked",category="violence"}') == 1
    found = events(answer.text) if stream else []
    given = found[-1][1] | {"answer": spoken(found)} if stream else answer.json()
    assert (given["outcome"], given["answer"]) == ("refused", UNCHECKED)
    assert given["refusal"] == {"category": "violence", "action": "refuse", "outage": True}
    [opened], [closed] = company.records("answer.opened"), company.records("answer.closed")
    assert opened["refusal"]["models"][0]["said"] == cause
    assert (closed["outcome"], closed["reason"]) == ("refused", "Refusal:violence:model guard out")
    said = capsys.readouterr().err
    assert len([line for line in said.splitlines() if "guardrail.model_out" in line]) == 1
    assert "parental" not in said


@pytest.mark.parametrize("how", OUT)
def test_a_category_may_let_pass_while_its_model_is_out(company: Company, tmp_path: Path, how: str) -> None:
    made, cause = OUT[how]
    with guarded_by(made(), company, tmp_path, when_out="pass") as client:
        assert ask(client, company, "ben", ON_LEAVE, mode="quote").json()["outcome"] == "quoted"
        assert metric(client, f'clearance_guardrail_model_failures_total{{cause="{cause}",model="guard"}}') == 1
    assert company.records("answer.opened")[-1]["refusal"]["models"][0]["said"] == cause
