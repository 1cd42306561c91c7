"""No cell of the CSV runs as a formula, in whatever disguise."""

import pytest

from app.audit.export_forms.spreadsheet import safe_cell

BEFORE = ["", "\t", "\r", "\n", "  ", "\u00a0", "\u3000", "\ufeff", "\u200b", "\u202e", "\0"]


@pytest.mark.parametrize(
    "text", [*(f"{b}{sign}SUM(A1)" for b in BEFORE for sign in "=+-@＝＋－＠"), "\ttext", "\rtext"]
)
def test_formulas_are_quoted(text: str) -> None:
    assert safe_cell(text).startswith("'")
    assert safe_cell(text).lstrip("'").replace("'", "") == text


@pytest.mark.parametrize("separator", [";", ",", "\t", "\n", "\r\n", '"', "|"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_formulas_behind_a_separator_are_quoted(separator: str, sign: str) -> None:
    assert safe_cell(f"x{separator}{sign}cmd") == f"x{separator}'{sign}cmd"
    assert safe_cell(f"x{separator} {sign}cmd") == f"x{separator} '{sign}cmd"


@pytest.mark.parametrize("text", ["", "who earns what?", "a=b", "1-2", "mail@example.org", "naïve; yes", "'quoted'"])
def test_plain_text_is_left_alone(text: str) -> None:
    assert safe_cell(text) == text
