"""Dialogues with the sample company: what was asked before leads a question that names little to the right document."""

from typing import Any

import pytest

from app.cli.demo_output import all_text
from app.client.api import Client
from tests.e2e.sample_site import SampleSite

# Who asks; the questions one after the other; the document and the words that answer the last one. Each last question
# on its own is asked back, or finds something else first.
DIALOGUES = [
    ("freya", ["How soon does the tug firm react at the weekend?", "And divers?"],
     "operations/control-room/weekend-escalation.md", "Blue Ness Diving"),
    ("freya", ["How strong may the wind be for lifting a nacelle?", "And for diving?"],
     "operations/marine/weather-limits.md", "10 m/s"),
    ("callum", ["How much may a hotel cost per night?", "And in capitals?"],
     "handbook/travel-and-expenses.md", "EUR 190"),
    ("priya", ["How warm does fresh gearbox oil have to be when we pump it in?", "How often is it changed?"],
     "engineering/kelpie-500/gearbox-oil.md", "15,000 running hours"),
    ("theo", ["How many paid days off do I get for my own wedding?", "And for moving?"],
     "handbook/leave.md", "Moving house"),
]  # fmt: skip


def talk(client: Client, questions: list[str]) -> list[dict[str, Any]]:
    conversation = client.post("/conversations", {})["id"]
    asked = ({"question": q, "mode": "quote", "conversation": conversation} for q in questions)
    return [client.post("/ask", body) for body in asked]


def first(answer: dict[str, Any]) -> str | None:
    """The document of the first source."""
    return next((f"{s['collection']}/{s['path']}" for s in answer["sources"]), None)


@pytest.mark.parametrize(("asker", "questions", "source", "expected"), DIALOGUES, ids=[d[1][-1] for d in DIALOGUES])
def test_a_dialogue(sample: SampleSite, asker: str, questions: list[str], source: str, expected: str) -> None:
    with sample.client(asker) as client:
        answer = talk(client, questions)[-1]
        alone = client.post("/ask", {"question": questions[-1], "mode": "quote"})
    assert answer["outcome"] in {"quoted", "may_help"}
    assert source in {f"{s['collection']}/{s['path']}" for s in answer["sources"] if s["cited"]}
    assert expected in all_text(answer)
    assert first(alone) != source
    assert {words["part"] for words in answer["searched"]["added"]} >= {"question"}
    assert not answer["searched"]["topic_changed"]


def test_another_topic_is_noticed(sample: SampleSite) -> None:
    question = "Which colour of lanyard do contractors wear?"
    with sample.client("luca") as client:
        answer = talk(client, ["How many people make up the minimum dive crew?", question])[-1]
        alone = client.post("/ask", {"question": question, "mode": "quote"})
    assert answer["searched"]["topic_changed"]
    assert answer["answer"] == alone["answer"]
    assert answer["sources"] == alone["sources"]
