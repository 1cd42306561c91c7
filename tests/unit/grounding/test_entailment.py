"""What an entailment model may decide: supported or not found, and never against a number, date or name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from app.embedding.entailment import Entailment
from app.grounding.checker import Checker, Verdict
from app.grounding.entailment import EntailmentChecker
from app.grounding.evidence import Evidence
from tests.support.passages import passage

TUG = passage("The tug sails up to a wind of 8 m/s. The owner approves of each dive beforehand.", title="Tug")
CANTEEN = passage("Lunch is served from noon.", title="Canteen")
YES, NO, NEITHER = Entailment(0.9, 0.05), Entailment(0.05, 0.9), Entailment(0.3, 0.3)
STORM = "Stronger gusts keep that vessel at the quay."


@dataclass
class Told:
    """Says the same of the text that has `word`, and neither of all others."""

    word: str
    says: Entailment | None
    asked: list[str] = field(default_factory=list)

    def judge(self, texts: Sequence[str], sentence: str) -> Sequence[Entailment] | None:
        self.asked.append(sentence)
        return None if self.says is None else [self.says if self.word in text else NEITHER for text in texts]


def verdict(sentence: str, judge: Told, cited: Sequence[int] = ()) -> Verdict:
    rules = Checker(Evidence([TUG, CANTEEN]), "When may the tug sail?")
    return EntailmentChecker(rules, judge).check(sentence, cited)


def test_it_finds_what_the_words_do_not() -> None:
    said = "The boat with the divers sails when its owner agrees."
    assert verdict(said, Told("tug", NEITHER)).kind == "not_found"
    found = verdict(said, Told("tug", YES))
    assert (found.kind, found.passages) == ("supported", (1,))


@pytest.mark.parametrize(
    "said", ["The boat sails when 9 owners agree.", "The boat of Clara Brandt sails when its owner agrees."]
)
def test_it_lends_no_number_and_no_name(said: str) -> None:
    assert verdict(said, Told("tug", YES)).kind != "supported"


def test_what_is_wrong_is_not_asked() -> None:
    judge = Told("tug", YES)
    assert verdict("The tug sails up to a wind of 9 m/s.", judge).kind == "wrong"
    assert judge.asked == []


def test_a_text_without_the_number_entails_nothing_that_has_it() -> None:
    """The number stands in the first passage; the model takes the second for the one that entails."""
    said = "Lunch in the harbour is for 8 m/s sailors."
    assert verdict(said, Told("noon", YES)).kind != "supported"


def test_what_it_takes_for_contradicted_is_not_found() -> None:
    said = "The owner approves of each dive afterwards."
    assert verdict(said, Told("tug", NEITHER)).kind == "supported", "the words alone are the same"
    judged = verdict(said, Told("tug", NO))
    assert (judged.kind, judged.reason, judged.passages) == ("not_found", "entailment", ())


def test_a_contradiction_elsewhere_changes_nothing() -> None:
    assert verdict("The tug sails up to 8 m/s.", Told("noon", NO)).kind == "supported"


def test_where_it_does_not_judge_the_rules_stand() -> None:
    for said in ("The tug sails up to 8 m/s.", STORM, "The tug sails up to 9 m/s."):
        rules = Checker(Evidence([TUG, CANTEEN]), "When may the tug sail?")
        assert verdict(said, Told("tug", None)) == rules.check(said)


def test_glue_is_not_asked() -> None:
    judge = Told("tug", NO)
    assert verdict("Here is what I found:", judge).kind == "glue"
    assert judge.asked == []
