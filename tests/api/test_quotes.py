"""Quotes over HTTP: their blocks, what the log says of them, and what their asker says of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.llm.protocol import ChatModel
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.questions import ON_LEAVE, ask, events
from tests.support.service import saying

Talk = Callable[[ChatModel], AbstractContextManager[TestClient]]


@pytest.fixture
def quoted(talking_to: Talk, company: Company) -> dict[str, Any]:
    with talking_to(saying("unused")) as client:
        answer: dict[str, Any] = ask(client, company, "ben", ON_LEAVE, mode="quote").json()
    return answer


def test_a_block_says_where_it_stands_and_what_decides(quoted: dict[str, Any], company: Company) -> None:
    assert quoted["outcome"] in {"quoted", "may_help"}
    block = quoted["blocks"][0]
    source = quoted["sources"][block["source_number"] - 1]
    assert (block["document"], block["chunk"]) == (source["document"], source["chunk"])
    assert block["document"] == str(company.documents["handbook", "leave.md"])
    assert f"{block['text']} [{block['source_number']}]" in quoted["answer"]
    marked = {block["text"][start:end].lower() for start, end in block["highlights"]}
    assert "leave" in marked
    assert block["date"] is not None


def test_streamed_and_whole_have_the_same_blocks(talking_to: Talk, company: Company, quoted: dict[str, Any]) -> None:
    with talking_to(saying("unused")) as client:
        streamed = events(ask(client, company, "ben", ON_LEAVE, mode="quote", stream=True).text)
    done = streamed[-1][1]
    assert [{**b, "feedback": ""} for b in done["blocks"]] == [{**b, "feedback": ""} for b in quoted["blocks"]]


def test_the_log_has_the_blocks_without_a_word_of_them(quoted: dict[str, Any], company: Company) -> None:
    [closed] = [r for r in company.records("answer.closed") if r["trail"] == quoted["trail"]]
    assert closed["outcome"] == quoted["outcome"]
    assert [(b["chunk"], b["form"], b["confidence"]) for b in closed["blocks"]] == [
        (b["chunk"], b["kind"], b["confidence"]) for b in quoted["blocks"]
    ]
    start, end = closed["blocks"][0]["pieces"][0]
    assert 0 <= start < end
    assert quoted["blocks"][0]["text"] not in str(closed)


def test_feedback_is_recorded_for_the_asker_alone(talking_to: Talk, company: Company, quoted: dict[str, Any]) -> None:
    token = quoted["blocks"][0]["feedback"]
    body = {"token": token, "helpful": False, "reason": "outdated"}
    with talking_to(saying("unused")) as client:
        other = client.post("/api/v1/feedback", json=body, headers=company.headers("ada"))
        # Another block of the same answer, under the same signature.
        other_block = f"{token[:22]}{'C' if token[22] != 'C' else 'D'}{token[23:]}"
        altered = {**body, "token": other_block}
        forged = client.post("/api/v1/feedback", json=altered, headers=company.headers("ben"))
        assert company.records("answer.feedback") == []
        own = client.post("/api/v1/feedback", json=body, headers=company.headers("ben"))
    check_problem(other, 404, "NotFound")
    check_problem(forged, 404, "NotFound")
    [record] = company.records("answer.feedback")
    assert own.json() == {"record": record["id"]}
    assert (record["trail"], record["block"], record["helpful"], record["reason"]) == (
        quoted["trail"], 1, False, "outdated",
    )  # fmt: skip
