"""What is asked to measure answers: each question as its own role, and what should be refused. Pure.

To be refused are the questions as a role that may read no answer, where the dataset has roles; questions that the
dataset calls unanswerable or underspecified; and for handbooks some that nothing in a company's documents answers
(`unanswerable.json`), as people with something else in mind, or with a cat on the keyboard, would ask them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.evaluation.datasets import Dataset, Question

RIGHT_ROLE, WRONG_ROLE = "right role", "a wrong role"
REFUSED_LABELS = frozenset({"UNANSWERABLE", "UNDERSPECIFIED"})
# It wants no answer from documents, and no refusal either.
NOT_ASKED = frozenset({"CONVERSATIONAL"})
UNANSWERABLE = Path(__file__).with_name("unanswerable.json")


@dataclass(frozen=True)
class AskedQuestion:
    """A question, the group that it is counted in, and whether it should be refused."""

    question: Question
    group: str
    refusable: bool


def answer_questions(dataset: Dataset) -> list[AskedQuestion]:
    """All questions of a dataset as they are asked, with distinct ids; gold is what the asker may read.

    Of what is off topic no more than the dataset has questions: a sample is quick.
    """
    return [*_as_labelled(dataset), *_as_wrong_roles(dataset), *_off_topic(dataset)]


def _as_labelled(dataset: Dataset) -> Iterator[AskedQuestion]:
    seen = {role: dataset.readable(role) for role in dataset.roles}
    for question in dataset.questions:
        readable = replace(question, gold={d: g for d, g in question.gold.items() if d in seen[question.role]})
        refusable = question.label in REFUSED_LABELS
        if question.label not in NOT_ASKED and (readable.gold or refusable):
            yield AskedQuestion(readable, question.label or RIGHT_ROLE, refusable)


def _as_wrong_roles(dataset: Dataset) -> Iterator[AskedQuestion]:
    """Other roles in turn, of those that may read none of the answers."""
    seen = {role: dataset.readable(role) for role in dataset.roles}
    for number, question in enumerate(dataset.questions):
        others = [r for r in dataset.roles if r != dataset.common and seen[r].isdisjoint(question.gold)]
        if question.gold and others:
            role = others[number % len(others)]
            asked = replace(question, id=f"{question.id} as {role}", role=role, gold={}, section="")
            yield AskedQuestion(asked, WRONG_ROLE, refusable=True)


def _off_topic(dataset: Dataset) -> Iterator[AskedQuestion]:
    if dataset.layout != "handbook":
        return
    for group, texts in json.loads(UNANSWERABLE.read_text("utf-8")).items():
        for number, text in enumerate(texts[: len(dataset.questions)]):
            role = dataset.roles[number % len(dataset.roles)]
            yield AskedQuestion(Question(f"{group} {number}", text, role, {}), group, refusable=True)
