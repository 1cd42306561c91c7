"""What layout cuts in two is one value, and what stands in rows, columns and lists are several."""

import pytest

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

CHECKS = default_checks()


@pytest.mark.parametrize(
    ("text", "released"),
    [
        ("Card <b>4111</b>-1111-1111-1111<b>and</b> more", "Card <b>[redacted: card]<b>and</b> more"),
        ("<b>DE89</b>370400440532013000<i>is</i> ours", "<b>[redacted: iban]<i>is</i> ours"),
        ("at <b>10.84</b>.113.27<i>and</i> on", "at <b>[redacted: ip]<i>and</i> on"),
    ],
)
def test_a_value_ends_where_the_next_word_is_glued_to_it(text: str, released: str) -> None:
    assert redact(text, CHECKS).text == released


@pytest.mark.parametrize(
    "text",
    [
        "Counts:\n4111\n1111\n1111\n1111\n2222\n",
        "Counts:\n2222\n4111\n1111\n1111\n1111\nThe end",
        "| 4111 1111 | 1111 1111 | 2222 2222 |",
        "| 2222 | 4111 1111 | 1111 1111 |",
        "| 415 | 555 | 0132 |",
        "030 90 | 1820 44",
        "Rows:\n12 345\n67 890\n12 345\n",
    ],
)
def test_numbers_of_a_table_are_not_put_together(text: str) -> None:
    assert redact(text, CHECKS).text == text


@pytest.mark.parametrize(
    "text",
    [
        "The card is 4111 1111\n1111 1111, she said.",
        "The card is 4111 1111 | 1111 1111, she said.",
        "The card is 4111 1111<br>1111 1111, she said.",
        "The card is 4111 1111  1111 1111, she said.",
        "The card is 4111 1111 [1] 1111 1111, she said.",
    ],
)
def test_a_number_that_a_break_cuts_is_one(text: str) -> None:
    assert redact(text, CHECKS).text == "The card is [redacted: card], she said."


@pytest.mark.parametrize(
    "text",
    [
        "The password:<br>{} and more",
        "The password is <b>{}</b> and more",
        "Pass<b>word</b>: {} and more",
        "The pass&shy;word is: {} and more",
    ],
)
def test_layout_before_a_value_does_not_hide_its_name(text: str) -> None:
    released = redact(text.format("Nebelkran22"), CHECKS).text
    assert "Nebelkran22" not in released
    assert released.endswith("and more")
