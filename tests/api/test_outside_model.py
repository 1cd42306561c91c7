"""A model out of the house: what a real server there is sent holds no value that the guardrail finds."""

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from app.answer.components import Components
from app.guardrail.check import KINDS, Finding, PatternCheck
from app.guardrail.terms import ListedTerms
from app.llm.endpoint import endpoint
from app.llm.openai_chat import OpenAIChat, Sampling
from app.settings import ModelSettings
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.company import Company, upload
from tests.support.guardrail_policy import with_checks
from tests.support.http_stub import Request, http_stub, status
from tests.support.questions import ask
from tests.support.service import METRICS_KEY, client_of, parts_of
from tests.support.worker import work_queued

# In the text of a page, in its title and in a heading.
IN_TEXT = {
    "phone": "+44 20 7946 0958",
    "card": "5412 7534 5678 9010",
    "iban": "NL91 ABNA 0417 1643 00",
    "ip": "10.20.30.41",
    "national id": "536-22-8731",
    "address": "12 Main St, Springfield, IL 62704",
    "credential": "Tulpe#Regen-4471",
    "company term": "Project Nightjar",
    "mac address": "00:1A:2B:3C:4D:5E",
}
IN_TITLE, IN_HEADING, IN_QUESTION = (
    "office@nordwind.example.org",
    "depot@nordwind.example.org",
    "maria@nordwind.example.org",
)
PAGE = f"""# Ferry desk {IN_TITLE}

## Ferry tickets {IN_HEADING}

The ferry desk sells tickets. Call {IN_TEXT["phone"]}. Its card is {IN_TEXT["card"]}, its account {IN_TEXT["iban"]}.
The printer of the ferry desk is {IN_TEXT["ip"]}, hardware {IN_TEXT["mac address"]}. Its clerk has the social security
number {IN_TEXT["national id"]} and lives at {IN_TEXT["address"]}.
The password of the ferry desk is {IN_TEXT["credential"]}.
The ferry desk belongs to {IN_TEXT["company term"]}.
"""
QUESTION = f"Who sells ferry tickets at the ferry desk, is it {IN_QUESTION}?"
VALUES = (*IN_TEXT.values(), IN_TITLE, IN_HEADING, IN_QUESTION)
LISTED = ListedTerms([(IN_TEXT["company term"], "company term", "listed")])


class Raising(PatternCheck):
    """A check that raises where it is asked."""

    def at(self, window: str, start: int) -> Finding | None:
        raise ZeroDivisionError(window)


class Outside:
    """A model server out of the house that keeps each byte it is sent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.url = ""

    def __call__(self, request: Request) -> None:
        self.received.append(request.requestline.encode() + bytes(request.headers) + request.body)
        said = {"index": 0, "delta": {"content": "The ferry desk sells tickets [1]."}, "finish_reason": None}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [said]}
        body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
        status(200, body, **{"Content-Type": "text/event-stream"})(request)

    @property
    def prompt(self) -> str:
        """The latest, as it was sent."""
        messages = json.loads(self.received[-1][self.received[-1].index(b"{") :])["messages"]
        return "\x1e".join(f"{message['role']}\x1f{message['content']}" for message in messages)

    def leaks(self) -> list[str]:
        said = b"".join(self.received).decode()
        said += json.loads(f'"{json.dumps(said)[1:-1]}"')
        return [value for value in VALUES if value in said or json.dumps(value)[1:-1] in said]


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    with http_stub(made) as url:
        made.url = f"{url}/v1"
        yield made


def parts_with(company: Company, outside: Outside, *, internal: bool = False) -> Components:
    """Parts whose model is that server, which may see what the company has."""
    where = endpoint(ModelSettings(base_url=outside.url, name="m", internal=internal, max_label="confidential"))
    chat = OpenAIChat(where, api_key="x", sampling=Sampling(max_tokens=50), timeout=openai.Timeout(5.0))
    parts = parts_of(company.db, chat=chat)
    return dataclasses.replace(parts, policy=with_checks((*parts.checks, LISTED)))


@pytest.fixture
def client(company: Company, outside: Outside) -> Iterator[TestClient]:
    with client_of(parts_with(company, outside)) as made:
        upload(made, company, "cleo", collection="handbook", path="ferry.md", content=PAGE.encode(), roles=["everyone"])
        work_queued(company.db)
        yield made


def asked(client: TestClient, company: Company, question: str = QUESTION, **options: Any) -> dict[str, Any]:
    answer = ask(client, company, "ben", question, mode="generate", **options)
    assert answer.status_code == 200, answer.text
    sequence(company.db)
    body: dict[str, Any] = answer.json()
    return body


def replayed(client: TestClient, company: Company, trail: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/audit/trails/{trail}/replay", headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_no_planted_value_leaves(client: TestClient, company: Company, outside: Outside) -> None:
    answer = asked(client, company)
    assert answer["mode"] == "generate"
    assert outside.leaks() == []
    for kind in (*IN_TEXT, "email"):
        assert f"[redacted: {kind}]" in outside.prompt
    [record] = company.records("answer.opened")
    said = {kind: outside.prompt.count(f"[redacted: {kind}]") for kind in KINDS}
    assert record["prompt_redactions"] == {kind: count for kind, count in said.items() if count}


def test_no_value_of_an_earlier_turn_leaves(client: TestClient, company: Company, outside: Outside) -> None:
    """Of its question; what was answered had passed the guardrail before it was kept."""
    made = client.post("/api/v1/conversations", headers=company.headers("ben")).json()["id"]
    for question in (QUESTION, "Who sells tickets at the ferry desk?"):
        asked(client, company, question, conversation=made)
    assert "<turn 1>\nQuestion: Who sells ferry tickets at the ferry desk, is it [redacted: email]?" in outside.prompt
    assert outside.leaks() == []


def test_a_model_in_the_house_sees_what_stands_there(client: TestClient, company: Company, outside: Outside) -> None:
    """Test of the test: the same server is sent the values where it is said to be in the house."""
    with client_of(parts_with(company, outside, internal=True)) as inside:
        asked(inside, company)
    assert set(VALUES) - set(outside.leaks()) == set()
    assert company.records("answer.opened")[-1]["prompt_redactions"] is None


def test_the_record_commits_to_the_prompt_as_it_was_sent(
    client: TestClient, company: Company, outside: Outside
) -> None:
    """And the prompt that is made again is redacted again."""
    conversation = client.post("/api/v1/conversations", headers=company.headers("ben")).json()["id"]
    asked(client, company, conversation=conversation)
    trail = asked(client, company, conversation=conversation)["trail"]
    found = replayed(client, company, trail)
    assert (found["result"], found["reasons"]) == ("same", [])


def test_other_checks_are_said_where_a_redacted_prompt_is_made_again(
    client: TestClient, company: Company, outside: Outside
) -> None:
    trail = asked(client, company)["trail"]
    parts = parts_with(company, outside)
    with client_of(dataclasses.replace(parts, policy=with_checks(parts.checks[:-1]))) as later:  # without the list
        found = replayed(later, company, trail)
    assert found["result"] == "not rebuilt"
    assert [reason["code"] for reason in found["reasons"]] == ["redacted otherwise"]
    assert replayed(client, company, trail)["result"] == "same"


def test_where_the_guardrail_fails_nothing_leaves(company: Company, outside: Outside, client: TestClient) -> None:
    parts = parts_with(company, outside)
    broken = Raising("email", "test", re.compile("x"), opener=re.compile("[A-Z]"))
    with client_of(dataclasses.replace(parts, policy=with_checks((*parts.checks, broken)))) as failing:
        answer = ask(failing, company, "ben", QUESTION, mode="generate")
        check_problem(answer, 500, "GuardrailFailed")
        sequence(company.db)
        metrics = failing.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert 'clearance_guardrail_failures_total{stage="prompt"} 1' in metrics
    assert outside.received == []
    [opened], [closed] = company.records("answer.opened"), company.records("answer.closed")
    assert (opened["passages"], opened["prompt"], opened["model"]) == ([], None, None)
    assert (closed["outcome"], closed["reason"]) == ("failed", "GuardrailFailed:prompt:ZeroDivisionError")
