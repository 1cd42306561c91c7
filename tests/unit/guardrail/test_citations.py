"""Citations: what is a marker, what it becomes, and what stays as it stands."""

import pytest

from app.guardrail.citations import CitationFilter


def filtered(answer: str, sources: int = 5) -> str:
    citations = CitationFilter(sources)
    return citations.feed(answer) + citations.flush()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Ask first [3].", "Ask first [1]."),
        ("Ask first[3].", "Ask first[1]."),
        ("A [3], b [1], a [3].", "A [1], b [2], a [1]."),
        ("Both [1, 2] and [2;3].", "Both [1][2] and [2][3]."),
        ("Side by side [4][2].", "Side by side [1][2]."),
        ("A range [2-4].", "A range [1][2][3]."),
        ("A range [2–4].", "A range [1][2][3]."),
        ("Footnote [^1].", "Footnote [1]."),
        ("Heavy 【2】 and 【2†handbook】.", "Heavy [1] and [1]."),
        ("Twice in one [2, 2].", "Twice in one [1]."),
        # Invented numbers are dropped with their blank.
        ("Invented [9].", "Invented."),
        ("Invented [9] here.", "Invented here."),
        ("Partly [2, 9].", "Partly [1]."),
        ("After a real one [1][9].", "After a real one [1]."),
        ("[9] Invented.", "Invented."),
        ("- [9] Invented.", "- Invented."),
        ("Line\n[9] next", "Line\nnext"),
        ("None [0].", "None."),
        ("Heavy【9】.", "Heavy."),
        # Code ends where it ends.
        ("`a[9]` and [9].\n", "`a[9]` and.\n"),
        ("A stray ` tick\n[9] next [1]", "A stray ` tick\nnext [1]"),
        ("```\n[9]\n```\nafter [9]", "```\n[9]\n```\nafter"),
    ],
)
def test_markers_become_numbers_in_order_of_use(answer: str, shown: str) -> None:
    assert filtered(answer) == shown


@pytest.mark.parametrize(
    "answer",
    [
        "Call `arr[1]` twice.",
        "``a[1] ` b[2]``",
        "```python\nx = arr[1]\n```\n",
        "Then arr[0] is it.",
        "See [the policy](https://example.com/a[b]).",
        "See [1](https://example.com).",
        "![1](picture.png)",
        "Escaped \\[1\\].",
        "In [2024] it rained.",
        "A task [x] or [ ].",
        "An open [1",
        "An open [1, ",
        "[]",
        "[one]",
    ],
)
def test_what_is_no_marker_stays(answer: str) -> None:
    assert filtered(answer) == answer


def test_used_names_passages_as_the_prompt_numbered_them() -> None:
    citations = CitationFilter(5)
    citations.feed("A [4], b [9], c [1][4].")
    citations.flush()
    assert citations.used == (4, 1)


def test_without_sources_no_marker_stays() -> None:
    assert filtered("A [1] b.", sources=0) == "A b."


def test_a_marker_is_released_as_soon_as_it_is_known() -> None:
    citations = CitationFilter(5)
    assert citations.feed("Yes [") == "Yes"
    assert citations.feed("2") == ""
    assert citations.feed("]") == ""  # a parenthesis would make it a link
    assert citations.feed(".") == " [1]."
