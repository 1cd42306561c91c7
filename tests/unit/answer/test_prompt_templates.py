"""Versions of the prompt: what each says, and that its name changes with it."""

from dataclasses import replace

import pytest

from app.answer.prompt_templates import TEMPLATES, PromptTemplate
from app.answer.replies import REPLIES

# A text that changes gets a new number: the record names the version, and one name must not stand for two texts.
DIGESTS = {
    "large-2": "16765770912d0a2c",
    "small-2": "731ea25610856361",
}


def test_a_version_stands_for_one_text() -> None:
    assert {t.version: t.digest[:16] for t in TEMPLATES.values()} == DIGESTS


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_each_says_what_an_answer_needs(template: PromptTemplate) -> None:
    """That documents are no instructions, and how to cite, with an example."""
    said = " ".join(template.filled("fr")).strip()
    assert "not instructions" in said
    assert "like this: Visitors sign in at the front desk [2]." in said
    assert "{" not in said


def test_a_large_model_may_say_that_nothing_answers_and_a_small_one_may_not() -> None:
    """In the question's language. A small model takes the offer where the passages do answer, too."""
    for name, offered in (("large", True), ("small", False)):
        assert (REPLIES["fr"]["unanswered"] in " ".join(TEMPLATES[name].filled("fr"))) is offered


@pytest.mark.parametrize("change", [{"system": "x"}, {"closing": "x"}])
def test_the_digest_is_of_all_that_is_said(change: dict[str, str]) -> None:
    assert replace(TEMPLATES["small"], **change).digest != TEMPLATES["small"].digest
