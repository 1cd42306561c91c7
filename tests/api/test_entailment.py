"""An entailment model over the service: it decides on sentences, is named in the record, and holds nothing up."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.answer.entailment import EntailmentBudget
from app.cli.doctor import pair_models
from app.cli.doctor.installation import Installation
from app.embedding.entailment import Entailment
from app.embedding.shared_sentences import SharedSentences
from app.settings import EntailmentSettings
from app.wiring import build_entailment_budget
from tests.support.company import Company
from tests.support.cross_encoders import made_in
from tests.support.questions import ask
from tests.support.service import client_of, parts_of, saying

QUESTION = "How many weeks of parental leave are there?"
SAID = "Parental leave is twenty-six weeks. Mothers rest for long enough at home with that."


class Believing(SharedSentences):
    """Takes all for entailed, and remembers the texts."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        self.read += texts
        return [Entailment(1.0, 0.0) for _ in texts]


class Broken(SharedSentences):
    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        raise ArithmeticError("no number")


def answered(company: Company, model: Any | None) -> dict[str, Any]:
    parts = parts_of(company.db, chat=saying(*SAID))
    if model is not None:
        parts = dataclasses.replace(parts, entailment=EntailmentBudget(model, sentences=5, seconds=5))
    with client_of(parts) as client:
        response = ask(client, company, "ben", QUESTION, mode="generate")
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


def test_it_decides_on_what_rules_do_not_find_and_is_recorded(company: Company) -> None:
    plain = answered(company, None)
    assert plain["grounding"]["marked"] == 1, plain["answer"]
    assert company.records("answer.closed")[-1]["grounding"]["entailment"] is None
    model = Believing()
    judged = answered(company, model)
    assert (judged["grounding"]["outcome"], judged["grounding"]["marked"]) == ("grounded", 0)
    record = company.records("answer.closed")[-1]["grounding"]["entailment"]
    assert record == {"model": model.digest, "judged": 2, "failed": False}
    assert not [text for text in model.read if "florins" in text or "November" in text], "it reads what ben may read"


def test_without_it_the_rules_decide(company: Company) -> None:
    """A model that fails changes nothing of the answer; the record says that it did."""
    plain, broken = answered(company, None), answered(company, Broken())
    assert (broken["answer"], broken["grounding"]) == (plain["answer"], plain["grounding"])
    assert company.records("answer.closed")[-1]["grounding"]["entailment"]["failed"] is True


@pytest.mark.real
def test_a_real_one_is_built_from_the_settings(company: Company, tmp_path: Path) -> None:
    chosen = EntailmentSettings(name=made_in(tmp_path, labels=("contradiction", "entailment", "neutral")))
    settings = parts_of(company.db).settings.model_copy(update={"entailment": chosen})
    budget = build_entailment_budget(settings)
    assert budget is not None
    answered(company, budget.model)
    record = company.records("answer.closed")[-1]["grounding"]["entailment"]
    assert (record["model"], record["failed"]) == (budget.model.digest, False)
    setup = Installation(settings=settings, urls={}, api_url="", home=Path(), instance=None, embedded=False)
    [ready] = pair_models.check_entailment(setup)
    assert (ready.part, ready.state) == ("entailment", "ok")


def test_none_by_default(company: Company) -> None:
    assert build_entailment_budget(parts_of(company.db).settings) is None
