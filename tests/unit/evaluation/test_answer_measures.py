"""Measures of one answer, on answers that are written here."""

import pytest

from app.evaluation.answer_measures import ANSWER_MEASURES, Reply, blocks_of, broken_forms, from_section, measure_answer
from app.evaluation.datasets import Question

SECTION = "Salaries arrive on the [last Friday](#pay) of the month.\n\n- by bank transfer\n- never in cash"
ASKED = Question("q", "When is payday?", "people", {"pay": 1.0}, section=SECTION)


def reply(outcome: str = "quoted", *blocks: str, cited: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> Reply:
    return Reply(outcome, "\n".join(blocks), blocks, cited, sources)


def test_a_good_answer_has_everything() -> None:
    good = reply("quoted", "Salaries arrive on the last Friday.", "Soup is at noon.", cited=("pay",), sources=("pay",))
    measured = measure_answer(good, ASKED, refusable=False)
    assert measured == dict.fromkeys(ANSWER_MEASURES[:-1], 1.0)


def test_the_page_may_be_shown_and_not_cited_and_the_section_not_first() -> None:
    found = reply("may_help", "Soup is at noon.", "never in cash", cited=("lunch",), sources=("lunch", "pay"))
    measured = measure_answer(found, ASKED, refusable=False)
    assert (measured["page cited"], measured["page shown"]) == (0, 1)
    assert (measured["section shown"], measured["section first"]) == (1, 0)


@pytest.mark.parametrize("outcome", ["nothing", "asked_back"])
def test_a_refusal_is_right_or_a_loss(outcome: str) -> None:
    """What is offered beside a refusal is no answer: a model's own refusal has all its passages as sources."""
    refused = reply(outcome, "Nothing you may read answers this.", sources=("pay",))
    assert measure_answer(refused, ASKED, refusable=True) == {"refused": 1.0}
    lost = measure_answer(refused, ASKED, refusable=False)
    assert lost == dict.fromkeys(ANSWER_MEASURES[:5], 0.0)


def test_an_answer_to_what_should_be_refused_has_that_measure_alone() -> None:
    assert measure_answer(reply("answered", "x", cited=("pay",)), ASKED, refusable=True) == {"refused": 0.0}


def test_a_dataset_without_sections_has_no_measure_of_them() -> None:
    asked = Question("q", "?", "people", {"pay": 1.0})
    assert "section shown" not in measure_answer(reply("quoted", "x"), asked, refusable=False)


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("Salaries arrive on the last Friday of the month.", True),
        ("* by bank transfer\n* never in cash", True),
        ("never", True),
        ("Salaries arrive on Mondays in the canteen of the other house.", False),
        ("the month the last", False),
        ("", False),
        ("pay", False),
    ],
)
def test_a_block_is_of_the_section_by_its_words_in_a_row(block: str, found: bool) -> None:
    """Marks and link targets do not matter; single words that stand somewhere do not make it so."""
    assert from_section(block, SECTION) is found


@pytest.mark.parametrize(
    ("blocks", "forms"),
    [
        (["It is eight. (See the table.)"], {}),
        (["Bring:\n- a badge\n- a card"], {}),
        (["No."], {}),
        (["Who may? Everybody."], {}),
        (["List<String> a < b and c > d"], {"markup": 1}),
        (["Bring:"], {"colon": 1}),
        (["Who may?"], {"question": 1}),
        (["Use a tool, e.g."], {"cut": 1}),
        (["It is eight (see"], {"cut": 1}),
        (["It is eight,"], {"cut": 1}),
        (["See {% page %} now."], {"markup": 1}),
        (["See [this](/page)."], {"markup": 1}),
        (["See <b>this</b>."], {"markup": 1}),
        (["Pay {#pay}"], {"markup": 1}),
        (["Eight days.", "**Eight days**"], {"repeat": 1}),
        (["Bring:", "Bring:"], {"colon": 2, "repeat": 1}),
    ],
)
def test_broken_forms(blocks: list[str], forms: dict[str, int]) -> None:
    assert broken_forms(blocks) == forms


def test_blocks_of_a_text_are_its_lines_and_lists_without_numbers() -> None:
    text = "It is eight. [1]\nBring: [2]\n- a badge [2]\n- a card\n\nThat is all. [12]"
    assert blocks_of(text) == ("It is eight.", "Bring:\n- a badge\n- a card", "That is all.")
