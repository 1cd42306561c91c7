"""Passages that contradict each other, and those that only seem to."""

import pytest

from app.grounding.conflicts import conflicts
from app.grounding.evidence import Evidence
from tests.support.passages import passage


def found(*texts: str) -> list[tuple[int, int, str, str]]:
    passages = [passage(text, title=f"Page {n}") for n, text in enumerate(texts)]
    return [
        (c.first, c.second, texts[c.first - 1][slice(*c.first_span)], texts[c.second - 1][slice(*c.second_span)])
        for c in conflicts(Evidence(passages))
    ]


def test_another_number_for_the_same() -> None:
    old, new = "Hotels. A hotel may cost up to EUR 120 a night.", "A hotel may cost up to EUR 145 a night."
    assert found(old, "Something else.", new) == [(1, 3, "120", "145")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A hotel may cost up to EUR 145 a night.", "A hotel may cost up to 145 euros a night."),
        ("A hotel in Rome may cost up to EUR 145 a night.", "A meal in Bergen may cost up to EUR 45 a day."),
        ("The call takes 30 minutes on Mondays with the team.", "The call takes 3 people on Mondays with the team."),
    ],
)
def test_no_contradiction(one: str, other: str) -> None:
    assert found(one, other) == []
