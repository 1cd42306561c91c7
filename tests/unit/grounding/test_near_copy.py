"""What differs from a source sentence decides, even where the passage has the same word elsewhere."""

import pytest

from app.grounding.checker import Checker
from app.grounding.claim import Claim
from app.grounding.evidence import Evidence
from app.grounding.near_copy import difference
from tests.support.passages import passage

HARBOUR = passage(
    "No. The harbour office is open to crews from Monday to Friday, but visitors need a badge. "
    "The Plus berth costs 40 euros for 3 nights. The Basic berth costs 25 euros for 2 nights. "
    "Crews must not refuel at the quay, and the crane isn't used at night. "
    "The last deposit was 30,000,000 kronor, paid under Annex B by the Nordic Shipping Council. "
    "The pilot is no longer paid by the hour. "
    "Boats are measured at successive, though not necessarily equal, intervals. "
    "Some boats must report to Clara Brandt before leaving. All boats may use the slip. Maja Lind signs for Oslo.",
    title="Harbour",
)
CHANGED = [
    ("The Basic berth costs 40 euros for 2 nights.", "number"),
    ("The Plus berth costs 40 euros for 2 nights.", "number"),
    ("The last deposit was 30,000,002 kronor, paid under Annex B by the Nordic Shipping Council.", "number"),
    ("The harbour office is open to crews from Monday to Thursday, but visitors need a badge.", "date"),
    ("Some boats must report to Maja Lind before leaving.", "name"),
    ("The last deposit was 30,000,000 kronor, paid under Annex C by the Nordic Shipping Council.", "name"),
    ("The Basic berth costs 40 euros for 3 nights.", "name"),
    ("Crews must refuel at the quay, and the crane isn't used at night.", "negation"),
    ("Crews must not refuel at the quay, and the crane is used at night.", "negation"),
    ("The pilot is paid by the hour.", "negation"),
    ("Boats are measured at successive, though necessarily equal, intervals.", "negation"),
    ("Some boats may report to Clara Brandt before leaving.", "negation"),
    ("Some boats must report to Clara Brandt after leaving.", "negation"),
    ("All boats may not use the slip.", "negation"),
]
THE_SAME = [
    "The Basic berth costs 25 euros for two nights.",
    "The last deposit was 30 million kronor, paid under Annex B by the NSC.",
    "The crane is not used at night.",
    "The harbour office is open to crews from Monday to Friday.",
    "No, crews must not refuel at the quay, and the crane isn't used at night.",
    "They must report to Clara Brandt before leaving.",
    "All boats can use the slip.",
    "Crews mustn't refuel at the quay.",
]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence([HARBOUR])


@pytest.mark.parametrize(("sentence", "reason"), CHANGED)
def test_a_change_is_wrong_though_the_passage_has_the_word(evidence: Evidence, sentence: str, reason: str) -> None:
    assert difference(Claim.of(sentence), evidence) == reason
    verdict = Checker(evidence, "").check(sentence)
    assert (verdict.kind, verdict.reason, verdict.passages) == ("wrong", reason, ())


@pytest.mark.parametrize("sentence", THE_SAME)
def test_other_forms_and_shorter_sentences_change_nothing(evidence: Evidence, sentence: str) -> None:
    assert difference(Claim.of(sentence), evidence) is None


def test_a_copy_of_one_passage_stands_though_another_says_otherwise() -> None:
    other = passage("The Basic berth costs 25 euros for 4 nights.", title="Other harbour")
    evidence = Evidence([HARBOUR, other])
    for nights in (2, 4):
        assert difference(Claim.of(f"The Basic berth costs 25 euros for {nights} nights."), evidence) is None


def test_a_sentence_that_equals_one_source_stands_though_another_denies_it() -> None:
    denied = passage("All boats may not use the slip.", title="Other harbour")
    assert difference(Claim.of("All boats may use the slip."), Evidence([denied, HARBOUR])) is None


WINTER = "on Sundays and on all other holidays in winter and in early spring."


@pytest.mark.parametrize(
    "beside",
    [
        # As near as the one that is changed, about something else.
        f"The garden pier closes at 20:00 {WINTER}",
        # Less near, and nothing in it speaks against the hour.
        f"Some piers close at 20:00 {WINTER}",
    ],
)
def test_the_nearest_sentence_decides_and_not_one_beside_it(beside: str) -> None:
    piers = passage(f"The harbour pier closes at 18:00 {WINTER} {beside}")
    checker = Checker(Evidence([piers]), "When do the piers close?")
    assert checker.check(f"The harbour pier closes at 20:00 {WINTER}").kind == "wrong"
    assert checker.check(beside).kind == "supported"
