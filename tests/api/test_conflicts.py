"""Sources that contradict each other are shown as such, in both modes, behind the guardrail and by their numbers."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.company import CARD, Company, upload
from tests.support.questions import ask, events
from tests.support.service import client_of, parts_of, saying
from tests.support.worker import work_queued

QUESTION = "How much may a hotel in Bergen cost a night?"
OLD = f"A hotel in Bergen may cost up to 120 euros a night, paid with the card {CARD} of the office."
NEW = f"A hotel in Bergen may cost up to 145 euros a night, paid with the card {CARD} of the office."


@pytest.fixture
def contradicting(company: Company, client: TestClient) -> Company:
    """The company with two pages that disagree, and one of the board that disagrees with both."""
    board = {"collection": "board", "roles": "managers"}
    for path, text, given in (
        ("hotels-2024.md", OLD, {"collection": "handbook", "roles": "everyone"}),
        ("hotels-2026.md", NEW, {"collection": "handbook", "roles": "everyone"}),
        ("hotels-board.md", NEW.replace("145", "390"), board),
    ):
        upload(client, company, "cleo", path=path, content=f"# {path}\n\n{text}", **given)
    work_queued(company.db)
    return company


def shown(company: Company, who: str, mode: str) -> dict[str, Any]:
    parts = parts_of(company.db, chat=saying(*"A hotel in Bergen may cost up to 145 euros a night [2]."))
    with client_of(parts) as client:
        response = ask(client, company, who, QUESTION, mode=mode)
        assert response.status_code == 200, response.text
        streamed = dict(events(ask(client, company, who, QUESTION, mode=mode, stream=True).text))
    answer: dict[str, Any] = response.json()
    assert streamed["done"]["conflicts"] == answer["conflicts"]
    return answer


@pytest.mark.parametrize("mode", ["quote", "generate"])
def test_both_sentences_are_shown(contradicting: Company, mode: str) -> None:
    answer = shown(contradicting, "ben", mode)
    [conflict] = answer["conflicts"]
    assert conflict["kind"] == "number"
    told = {conflict["first"]: conflict["first_text"], conflict["second"]: conflict["second_text"]}
    for number, text in told.items():
        path = answer["sources"][number - 1]["path"]
        assert ("120 euros" if path == "hotels-2024.md" else "145 euros") in text
        assert CARD not in text, "the guardrail masks here too"
    assert contradicting.records("answer.closed")[-1]["conflicts"] == 1
    assert "390 euros" not in str(answer), "what only the board may read contradicts nothing here"
