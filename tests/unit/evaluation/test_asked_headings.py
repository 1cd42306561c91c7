"""Headings that a page's questions are made of: which lines go, and that nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.asked_headings import remove_questions

QUESTION = "Q. When do I get the 401(k) match?"


@pytest.mark.parametrize(
    "line",
    [
        "## Q. When do I get the 401(k) match?",
        "###### q: when do i get the **401(k)** match ##",
        "##When do I get the 401(k) match?",
        "## 3. When do I get the 401(k) match?",
        "## 2.1 When do I get the 401(k) match?",
        "**Q. When do I get the 401(k) match?**",
        "- __When do I get the 401(k) match?__ ",
        "**3) When do I get the 401(k) match**:",
        "## When do I get the `401(k)` match? {#match}",
        "## When do I get the [401(k)](https://example.com/401k) match? [](#match)",
        "## <a id='match'></a>When do I get the 401(k) match?",
        "## {% icon %} When do I get the 401(k) match? \U0001f4b0",
        '<h3 class="q">When do I get the 401(k) match?</h3>',
        "- [When do I get the 401(k) match?](#when-do-i-get-the-401k-match)",
        "1. [Q. When do I get the 401(k) match?](#match)",
        "## When do I get the ４０１(k) match？",
    ],
)
def test_a_heading_that_asks_goes_however_it_is_written(line: str) -> None:
    assert remove_questions(f"# Pay\n\n{line}\nAfter a year.\n", [QUESTION]) == "# Pay\n\nAfter a year.\n"


@pytest.mark.parametrize("underline", ["===", "---", "  -"])
def test_an_underlined_heading_goes_with_its_line(underline: str) -> None:
    page = f"Q. When do I get the 401(k) match?\n{underline}\nAfter a year.\n---\nMore."
    assert remove_questions(page, [QUESTION]) == "After a year.\n---\nMore."


@pytest.mark.parametrize(
    "line",
    [
        "When do I get the 401(k) match?",
        "- When do I get the 401(k) match?",
        "When do I get the 401(k) match? After a year.",
        "## When do I get the 403(b) match?",
        "## When do I get the 401(k) match, and who decides?",
        "See [When do I get the 401(k) match?](#match) above.",
        "- [When do I get the 401(k) match?](other.md#match)",
        "**After a year.**",
        "---",
    ],
)
def test_text_of_the_section_stays(line: str) -> None:
    """A sentence that repeats the question is text, another number is another question."""
    assert remove_questions(f"a\n{line}\nb", [QUESTION]) == f"a\n{line}\nb"


def test_an_answer_on_the_line_of_its_question_stays() -> None:
    page = "- **Q. When do I get the 401(k) match?** After a year, **not** before."
    assert remove_questions(page, [QUESTION]) == "- After a year, **not** before."


def test_a_question_without_letters_takes_nothing() -> None:
    assert remove_questions("## ?\n***\n---\n", ["???"]) == "## ?\n***\n---\n"


@given(st.text(alphabet="#*-= \nabc?[]()<>{}", max_size=80), st.text(alphabet="abc ?", max_size=6))
def test_the_rest_is_left_byte_for_byte_and_in_order(page: str, question: str) -> None:
    """What is left is the page's own lines, or the ends of them."""
    left, lines = remove_questions(page, [question]).split("\n"), iter(page.split("\n"))
    if left != [""]:
        assert all(any(line == kept or line.endswith(kept.lstrip(" -*")) for line in lines) for kept in left)
