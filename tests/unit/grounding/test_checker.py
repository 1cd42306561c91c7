"""Verdicts on sentences: each row a way in which an answer can be right or wrong about two short passages."""

import pytest

from app.grounding.checker import Checker
from app.grounding.evidence import Evidence
from tests.support.passages import passage

QUESTION = "How much wind may the tug have?"
TUG = passage(
    "The tug Marlin sails up to a wind of 8 m/s. Above that, divers stay ashore. They "
    "report to Clara Brandt before 16:00. "
    "The crew has 12 members, 3 of them divers. It was relocated to Lisbon in 1971 and overhauled in Porto.",
    title="Tug handbook",
)
PARKING = passage(
    "Employees park in garage B. A permit costs 30 euros a month and is paid in advance.\n"
    "Parking overnight is not allowed. Guests do not need a permit.",
    title="Parking",
)
SUPPORTED = [
    ("The tug Marlin sails up to a wind of 8 m/s.", 1),
    ("The tug may sail in winds of up to eight m/s.", 1),
    ("Divers have to report to Clara Brandt by 4 pm.", 1),
    ("Three of the 12 crew members are divers.", 1),
    ("In 1971 it was relocated to Lisbon.", 1),
    ("A permit is €30 a month, paid in advance.", 2),
    ("You are not allowed to park overnight.", 2),
    ("No permit is needed for guests.", 2),
    ("**Employees** may park in garage B", 2),
]
WRONG = [
    ("The tug Marlin sails up to a wind of 10.5 m/s.", "number"),
    ("The tug Marlin sails up to a wind of 8 km/h.", "number"),
    ("The crew has 3 members.", "number"),
    ("Divers report to Clara Brandt before 17:00.", "date"),
    ("Divers report to Petra Brandt before 16:00.", "name"),
    ("In 1971 it was relocated to Porto.", "name"),
    ("A permit costs 30 dollars a month.", "number"),
    ("Parking overnight is allowed.", "negation"),
    ("Guests need a permit.", "negation"),
    ("A permit is not paid in advance.", "negation"),
    ("The tug does not sail up to a wind of 8 m/s.", "negation"),
]
NOT_FOUND = ["The cafeteria serves lunch on the first floor.", "Tugs are built by hand in small yards nearby.",
             # The number stands there, and counts something else; a denial claims something.
             "The crew of the tug Marlin has 12 cabins.", "No, no cafeteria."]  # fmt: skip
GLUE = [
    "Here is what the passages say:",
    "Let me know if you need more!",
    "The passages do not say how deep the harbour is.",
    "Yes.",
    "I'm sorry, I cannot answer this from the documents.",
]


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(Evidence([TUG, PARKING]), QUESTION)


@pytest.mark.parametrize(("sentence", "number"), SUPPORTED)
def test_supported_by_the_passage_that_says_it(checker: Checker, sentence: str, number: int) -> None:
    verdict = checker.check(sentence)
    assert (verdict.kind, verdict.reason, verdict.passages) == ("supported", None, (number,))


@pytest.mark.parametrize(("sentence", "reason"), WRONG)
def test_wrong_whatever_is_cited(checker: Checker, sentence: str, reason: str) -> None:
    for cited in ((), (1,), (2,)):
        verdict = checker.check(sentence, cited)
        assert (verdict.kind, verdict.reason, verdict.passages) == ("wrong", reason, ())


@pytest.mark.parametrize("sentence", NOT_FOUND)
def test_not_found(checker: Checker, sentence: str) -> None:
    assert checker.check(sentence, [1]).kind == "not_found"


@pytest.mark.parametrize("sentence", GLUE)
def test_what_claims_nothing(checker: Checker, sentence: str) -> None:
    assert checker.check(sentence).kind == "glue"


def test_a_passage_that_is_not_in_the_context_is_no_evidence() -> None:
    """The mutation "evidence from elsewhere": without its passage no sentence of it is supported."""
    alone = Checker(Evidence([TUG]), QUESTION)
    assert {alone.check(s).kind for s, n in SUPPORTED if n == 2} <= {"wrong", "not_found"}


def test_what_cannot_be_compared_is_not_supported() -> None:
    """Nothing is evidence: an empty context supports nothing, and a fact that is nowhere is wrong."""
    empty = Checker(Evidence([]), QUESTION)
    assert {empty.check(sentence).kind for sentence, _ in SUPPORTED} <= {"wrong", "not_found"}


BETWEEN = "Garages in warm valleys count the charging cycles of every single battery that customers bring in summer. "
BATTERIES = (
    "The packs of Toyota last longer than first claimed. Owners replace them late. {}The packs of Nissan lack fans."
)


@pytest.mark.parametrize(
    ("between", "sentence"),
    [
        # The closest sentence names another one.
        ("", "It is said of Nissan that its packs last longer than people had first claimed."),
        # The name stands in the passage, and nowhere near what supports the rest.
        (BETWEEN * 6, "Owners of cars replace what Nissan built rather late."),
    ],
)
def test_a_name_from_elsewhere_in_the_passage_is_marked_and_not_left_out(between: str, sentence: str) -> None:
    checker = Checker(Evidence([passage(BATTERIES.format(between), title="Batteries")]), "How long do they last?")
    assert checker.check(sentence.replace("Nissan", "Toyota")).kind == "supported"
    assert checker.check(sentence).kind == "not_found"
