"""Passages that contradict each other, and those that only seem to."""

from collections.abc import Sequence

import pytest

from app.grounding.conflicts import MAX_CONFLICTS, conflicts
from app.grounding.evidence import Evidence
from app.retrieval.passage import Passage
from tests.support.passages import passage


def found(*texts: str) -> list[tuple[int, int, str, str]]:
    return among(texts, [passage(text, title=f"Page {n}") for n, text in enumerate(texts)])


def among(texts: Sequence[str], passages: Sequence[Passage]) -> list[tuple[int, int, str, str]]:
    return [
        (c.first, c.second, texts[c.first - 1][slice(*c.first_span)], texts[c.second - 1][slice(*c.second_span)])
        for c in conflicts(Evidence(passages))
    ]


def test_one_number_of_several_for_the_same() -> None:
    old, new = "A hotel in zone 2 may cost up to EUR 120 a night.", "A hotel in zone 2 may cost up to EUR 145 a night."
    assert found(old, new) == [(1, 2, old, new)]
    assert found(old, new.replace("zone 2", "zone 3")) == [], "it is about something else"


def test_the_rows_of_a_table_are_not_all_shown() -> None:
    rows = ["\n".join(f"The fee of a berth of size {n} is {n * k} euros a night." for n in range(40)) for k in (2, 3)]
    assert len(found(*rows)) == MAX_CONFLICTS


def test_two_sections_of_one_document_are_about_what_their_headings_say() -> None:
    texts = "A member on leave gets 60 % of the commission.", "A member on leave gets 20 % of the commission."
    full, part = (
        passage(text, title="Leave", heading_path=(name,)) for name, text in zip(("A", "B"), texts, strict=True)
    )
    assert among(texts, [full, part]) == []
    elsewhere = passage(texts[1], title="Commission", heading_path=("B",))
    assert among(texts, [full, elsewhere]) == [(1, 2, *texts)]


def test_another_number_for_the_same() -> None:
    old, new = "Hotels. A hotel may cost up to EUR 120 a night.", "A hotel may cost up to EUR 145 a night."
    assert found(old, "Something else.", new) == [(1, 3, old.removeprefix("Hotels. "), new)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Visitors may park in the garage behind the hall.", "Visitors may not park in the garage behind the hall."),
        ("Remote work abroad is never paid by the company.", "Remote work abroad is paid by the company."),
    ],
)
def test_a_denial_of_the_same(one: str, other: str) -> None:
    assert found(one, other) == [(1, 2, one, other)]
    assert found(other, one) == [(1, 2, other, one)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A hotel may cost up to EUR 145 a night.", "A hotel may cost up to 145 euros a night."),
        ("A hotel in Rome may cost up to EUR 145 a night.", "A meal in Bergen may cost up to EUR 45 a day."),
        ("Visitors may park in the garage behind the hall.", "Staff may not park in the yard behind the hall."),
        ("It is not only paid by the company in winter.", "It is paid by the company in winter."),
        ("1. Notify the customers of the new office hours.", "5. Notify the customers of the new office hours."),
        ("Step 6: Notify the customers of the new hours.", "Step 7: Notify the customers of the new hours."),
        ("The call takes 30 minutes on Mondays with the team.", "The call takes 3 people on Mondays with the team."),
    ],
)
def test_no_contradiction(one: str, other: str) -> None:
    assert found(one, other) == []
