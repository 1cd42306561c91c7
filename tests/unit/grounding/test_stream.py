"""What is shown of an answer: sentences kept, marked and dropped, with their citations right."""

import pytest

from app.answer.replies import REPLIES
from app.grounding.checker import Checker
from app.grounding.evidence import Evidence
from app.grounding.report import GroundingReport, Policy
from app.grounding.stream import GroundingFilter
from tests.support.passages import passage

TUG = passage(
    "The tug sails up to a wind of 8 m/s. Divers report to Clara Brandt. Night sailing is not allowed.", title="Tug"
)
PARKING = passage("A permit costs 30 euros a month.", title="Parking")


def shown(text: str, policy: Policy = "drop") -> tuple[str, GroundingReport]:
    checker = Checker(Evidence([TUG, PARKING]), "How much wind may the tug have?")
    grounding = GroundingFilter(checker, policy=policy)
    return grounding.feed(text) + grounding.flush(), grounding.report([1, 2])


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("The tug sails up to 8 m/s.", "The tug sails up to 8 m/s [1]."),
        ("The tug sails up to 8 m/s [2].", "The tug sails up to 8 m/s [1]."),
        ("The tug sails up to 8 m/s [1][2].", "The tug sails up to 8 m/s [1]."),
        ("The tug sails up to 8 m/s. [1] A permit costs €30 a month.",
         "The tug sails up to 8 m/s. [1] A permit costs €30 a month [2]."),
        ("The tug sails up to 8 m/s.[1] It may sail at 12 m/s.[1]", "The tug sails up to 8 m/s.[1] "),
        ("Here you go:\n\n1. The tug sails up to 8 m/s.\n2. A permit costs 70 euros.\n3. Divers report to Clara Brandt."
         "",
         "Here you go:\n\n1. The tug sails up to 8 m/s [1].\n3. Divers report to Clara Brandt [1]."),
        ("- A permit costs 70 euros. A permit costs 30 euros a month.", "- A permit costs 30 euros a month [2]."),
        ("The tug sails up to 8 m/s [1]. Lunch is served daily in the canteen [1].",
         "The tug sails up to 8 m/s [1]. Lunch is served daily in the canteen. [not in the passages]"),
        # Behind a fence's marks nothing is shown but the name of a language.
        ("```A permit costs 70 euros\nThe tug sails up to 8 m/s.\n```",
         "```\nThe tug sails up to 8 m/s.\n```"),
        ("```yaml\nThe tug sails up to 8 m/s.\n```\n", "```yaml\nThe tug sails up to 8 m/s.\n```\n"),
        ("| Tug | wind up to 8 m/s |", "| Tug | wind up to 8 m/s [1] |"),
        # A bare reply goes with the sentence behind it, which must affirm or deny as it does.
        ("Yes. The tug sails up to 8 m/s.", "Yes. The tug sails up to 8 m/s [1]."),
        ("Yes [2].\n\nHere is why:\nThe tug sails up to 8 m/s.",
         "Yes [2].\n\nHere is why:\nThe tug sails up to 8 m/s [1]."),
        ("No. The tug sails up to 8 m/s.", "The tug sails up to 8 m/s [1]."),
        ("Yes. Night sailing is not allowed.", "Night sailing is not allowed [1]."),
        ("No. Night sailing is not allowed.", "No. Night sailing is not allowed [1]."),
        ("The tug sails up to 8 m/s. Yes. It may sail at 12 m/s.", "The tug sails up to 8 m/s [1]. "),
        ("The tug sails up to 8 m/s. Yes.", "The tug sails up to 8 m/s [1]. Yes. [not in the passages]"),
        ("Yes. A permit costs 70 euros a month.", ""),
        ("No. The passages do not say this.", "No. The passages do not say this."),
        ("A permit costs 70 euros a month.", ""),
        ("Here you go: Sure, let me help you.", ""),
    ],
)  # fmt: skip
def test_what_is_left_of_an_answer(said: str, left: str) -> None:
    assert shown(said)[0] == left


MIXED = "The tug sails up to 8 m/s. A permit costs 70 euros. Lunch is served daily in the canteen."


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("drop", "The tug sails up to 8 m/s [1]. Lunch is served daily in the canteen. [not in the passages]"),
        ("strict", "The tug sails up to 8 m/s [1]. "),
        ("quote", ""),
        ("mark", "The tug sails up to 8 m/s [1]. A permit costs 70 euros. [not in the passages] Lunch is served daily"
                 " in the canteen. [not in the passages]"),
    ],
)  # fmt: skip
def test_what_a_policy_does(policy: Policy, left: str) -> None:
    assert shown(MIXED, policy)[0] == left


def test_under_quote_an_answer_without_fault_comes_whole() -> None:
    assert shown("The tug sails up to 8 m/s.", "quote")[0] == "The tug sails up to 8 m/s [1]."


def test_the_report_counts_and_says_why() -> None:
    report = shown(f"Here you go:\n{MIXED}")[1]
    assert report.outcome == "partly"
    assert report.counts == {"kept": 1, "dropped": 1, "marked": 1}
    assert report.reasons == {"number": 1, "words": 1}
    assert [(s.index, s.verdict, s.action, s.sources) for s in report.sentences] == [
        (0, "glue", "kept", ()),
        (1, "supported", "kept", (1,)),
        (2, "wrong", "dropped", ()),
        (3, "not_found", "marked", ()),
    ]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("The tug sails up to 8 m/s.", "grounded"),
        ("A permit costs 70 euros.", "ungrounded"),
        ("Sure!", "ungrounded"),
        ("The passages do not say how deep the harbour is.", "declined"),
        ("I do not know. A permit costs 70 euros.", "ungrounded"),
    ],
)
def test_the_outcome(said: str, outcome: str) -> None:
    assert shown(said)[1].outcome == outcome


def test_nothing_goes_out_before_a_sentence_is_supported() -> None:
    checker = Checker(Evidence([TUG, PARKING]), "How much wind may the tug have?")
    grounding = GroundingFilter(checker)
    assert grounding.feed("Here you go: Lunch is served daily in the canteen.\n") == ""
    assert grounding.feed("The tug sails up to 8 m/s") == ""
    assert "8 m/s [1].\n" in grounding.feed(".\nDivers")


@pytest.mark.parametrize("language", sorted(REPLIES))
def test_a_model_that_says_what_it_was_told_to_declines(language: str) -> None:
    """The sentence for "the passages do not answer this", in every language of the catalogue."""
    said = REPLIES[language]["unanswered"]
    text, report = shown(said)
    assert (text, report.outcome) == (said, "declined")
