"""A listed term is found whatever its layout, and no other word is."""

import random
import string
import time

import pytest

from app.guardrail.checks import checks_with
from app.guardrail.explain import explain
from app.guardrail.gate import Gate, redact
from app.guardrail.terms import LONGEST, ListedTerms, UnusableTerm

TERMS = ListedTerms(
    (term, "company term", f"number {number}")
    for number, term in enumerate(
        ("Project Nightjar", "AT&T", "C++", "C++ compiler", "Süßwasser", "nightjar@corp.example", "AC-4711-X", ".env",
         "Ночной козодой", "the blue door of it", "Kestrel")
    )
)  # fmt: skip
HIDDEN = "[redacted: company term]"


@pytest.mark.parametrize(
    "text",
    ["Project Nightjar", "project nightjar", "PROJECT NIGHTJAR", "project_nightjar", "project-nightjar",
     "ProjectNightjar", "Project  Nightjar", "Project\nNightjar", "Project\n> Nightjar", "Project\n- Nightjar",
     "Project | Nightjar", "Project **Nightjar", "Project `Nightjar", "Project \"Nightjar", "Project [Nightjar",
     "Project&nbsp;Nightjar", "Project<br>Nightjar", "Pro<b>ject</b> Nightjar", "Project Night-\njar",
     "Project Night-\n> jar", "Pro\\ject Nightjar", "Project <!-- not --> Nightjar", "Project[1] Nightjar",
     "Pro\u200bject Nightjar", "Pro\u00adject\u00a0Nightjar", "Projеct Nіghtjаr", "Ｐroject Nightjar",
     "Prójéct Nightjar", "Pro&shy;ject Nightjar", "AT&T", "at & t", "C++", "c++ compiler", "C++\ncompiler",
     "Süßwasser", "Su\u0308ßwasser",
     "SÜSSWASSER", "Suesswasser", "nightjar@corp.example", "Nightjar @ Corp.Example", "AC 4711 X", "ac_4711_x",
     "Ночной козодой", "НОЧНОЙ\nКОЗОДОЙ", "the blue\ndoor of it", "KESTREL"],
)  # fmt: skip
@pytest.mark.parametrize("around", [("", ""), ("(see ", "), ok"), ("The ", "."), ("x ", " and more of it")])
def test_a_term_is_found_in_any_layout(text: str, around: tuple[str, str]) -> None:
    before, behind = around
    assert redact(f"{before}{text}{behind}", [TERMS]).text == f"{before}{HIDDEN}{behind}"


@pytest.mark.parametrize(
    "text",
    ["the project. Nightjars sleep", "Project, Nightjar", "a project of Nightjar", "MyProject Nightjar",
     "Project Nightjars", "Project Nightj", "Project", "C", "C+", "C# compiler", "AT T", "att", "AT&TX",
     "nightjar.corp.example", "the blue door of its", "env", "Kestrels", "kest rel", "kes_trel",
     "[redacted: email] Nightjar"],
)  # fmt: skip
def test_other_words_are_left_alone(text: str) -> None:
    assert redact(text, [TERMS]).text == text


def test_an_element_in_a_term_is_none_of_its_words() -> None:
    terms = ListedTerms([("the desk <b>is</b> here[1] now", "company term", "")])
    assert redact("the desk is here now, the <i>desk</i> is here [2] now", [terms]).text == f"{HIDDEN}, {HIDDEN}"


def test_a_term_with_more_signs_between_than_are_looked_at_is_refused() -> None:
    with pytest.raises(UnusableTerm, match="too many signs"):
        ListedTerms([(f"a{'!' * 30}b", "company term", "")])


def test_signs_before_a_term_must_be_there_and_stay() -> None:
    assert redact("the .env and env", [TERMS]).text == f"the .{HIDDEN} and env"


def test_the_longest_term_says_its_own_kind_and_reason() -> None:
    terms = ListedTerms(
        [("Blue", "company term", "short"), ("Blue Door", "name", "long"), ("Blue Doorway", "pay", "else")]
    )
    assert redact("blue door, blue, blue doorway", [terms]).text == (f"[redacted: name], {HIDDEN}, [redacted: pay]")
    assert [span.reason for span in explain("blue door. blue.", [terms]).spans] == ["long", "short"]
    assert terms.kinds == {"company term", "name", "pay"}


def test_the_last_word_of_a_term_must_be_whole() -> None:
    """Wherever the stretch ends that a decision reads."""
    terms = ListedTerms([("Room B", "company term", "")])
    assert redact("room basement, room b, Room B", [terms]).text == f"room basement, {HIDDEN}, {HIDDEN}"


def test_of_terms_with_the_same_words_the_one_with_its_signs_counts() -> None:
    terms = ListedTerms([("Cee", "name", ""), ("Cee++", "company term", "")])
    assert redact("Cee++ and Cee", [terms]).text == f"{HIDDEN} and [redacted: name]"


def test_a_term_is_found_beside_what_other_checks_find() -> None:
    checks = checks_with(TERMS)
    text = "Project Nightjar: jane@example.com, Kestrel +49 30 901820"
    assert redact(text, checks).text == f"{HIDDEN}: [redacted: email], {HIDDEN} [redacted: phone]"


def test_a_text_waits_for_no_more_than_a_term_that_it_may_hold() -> None:
    gate = Gate([TERMS])
    assert gate.feed("the blue door is open ") == "the blue door is open "
    assert gate.feed("the blue door ") == ""
    assert gate.feed("is ") == "the blue door is "
    assert gate.feed("Kestrel is") == f"{HIDDEN} "


@pytest.mark.parametrize(
    ("term", "why"),
    [("", "letter or digit"), ("  ", "letter or digit"), ("§§", "letter or digit"), ("a", "from 2 to"),
     ("x" * (LONGEST + 1), "from 2 to"), ("第三計画", "without blanks"), ("Plan 第三", "without blanks")],
)  # fmt: skip
def test_a_term_that_cannot_be_looked_for_is_refused_with_its_place(term: str, why: str) -> None:
    """And is not in the message: what must never leave is no matter for a log."""
    with pytest.raises(UnusableTerm, match=f"^term 2 of the list .*{why}") as caught:
        ListedTerms([("Kestrel", "company term", ""), (term, "company term", "")])
    assert not term.strip() or term == "a" or term not in str(caught.value)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnusableTerm, match="its kind is not one of"):
        ListedTerms([("Kestrel", "secret bird", "")])


def test_ten_thousand_terms_cost_little() -> None:
    """Prose with them costs about as much as with one: each word is looked up, whatever the length of the list."""
    chosen = random.Random(7)
    words = ["".join(chosen.choices(string.ascii_lowercase, k=chosen.randint(5, 9))) for _ in range(6000)]
    many = ListedTerms((" ".join(chosen.choices(words, k=3)), "company term", "") for _ in range(10_000))
    text = "Whoever comes late tells the desk, and the desk writes it down for the day after. " * 200

    def cost(terms: ListedTerms) -> float:
        started = time.process_time()
        redact(text, [terms])
        return time.process_time() - started

    assert min(cost(many) for _ in range(3)) < 3 * min(cost(TERMS) for _ in range(3)) + 0.02
    assert redact(f"Whoever {' '.join(words[:1])} comes", [many]).text.startswith("Whoever")
