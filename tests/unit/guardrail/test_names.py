"""Names of a list: in the forms that texts have them, across layout, and nothing else."""

import re

import pytest

from app.guardrail.checks import checks_with
from app.guardrail.gate import redact
from app.guardrail.names.directory import DirectoryCheck, names_of
from app.guardrail.names.spelling import key

LISTED = (
    "Anna Müller", "Jean-Luc O'Neil", "Jan van den Berg", "García Márquez, Gabriel", "Maria Anna Huber", "Dr. Tom Weiß",
    "Will Power", "Mark Read", "Sukarno", "Grace", "Ling-Hui Chen", "Øystein Lærke", "Анна Петрова", "A", "", ",",
    "Lee, ",
)  # fmt: skip
CHECKS = checks_with(DirectoryCheck(names_of(LISTED)))


def hidden(text: str) -> str:
    return redact(text, CHECKS).text.replace("[redacted: name]", "#")


@pytest.mark.parametrize(
    "name",
    [
        "Anna Müller", "ANNA MÜLLER", "anna müller", "Anna Mueller", "Anna Muller", "anna.mueller", "Anna_Müller",
        "Müller, Anna", "MÜLLER Anna", "A. Müller", "A.Müller", "Müller, A", "Anna K. Müller", "Anna  Müller",
        "Anna Mu\u0308ller", "Anna M&uuml;ller", "M&uuml;ller, Anna", "Аnnа Müller", "Anna Mül-\nler", "Maria Huber",
        "**Anna** Müller", "Jean-Luc O'Neil", "Jean Luc O’Neil", "O'Neil, Jean-Luc", "J. O'Neil", "J.-L. O'Neil",
        "Jean-Luc ONeil", "Jan van den Berg", "Jan Van Den Berg", "J. van den Berg", "van den Berg, Jan",
        "Berg, Jan van den", "Jan Vandenberg", "Vandenberg, Jan", "Gabriel García Márquez", "Gabriel Garcia",
        "G. Márquez", "Maria A. Huber", "M. A. Huber", "Huber, Maria Anna", "Tom Weiss", "Will Power", "Sukarno",
        "Chen Ling-Hui", "Oystein Laerke", "Анна Петрова", "Петрова А",
    ],
)  # fmt: skip
def test_a_name_is_found_in_each_of_its_forms(name: str) -> None:
    for text in ("Ask {}, she knows.", "{}", "({})", "CV_{}_2024", '"{}"', "to:{}\n"):
        assert hidden(text.format(name)).replace("**", "") == text.format("#"), text


@pytest.mark.parametrize(
    "text",
    [
        "Anna\nMüller", "> by Anna\n> Müller", "| Anna | Müller |", "| Müller | Anna |", "- Anna\n  Müller",
        "<td>Anna</td><td>Müller</td>", "<b>Anna</b> Müller", "Anna<br>Müller", "Anna&nbsp;Müller", '"Müller";"Anna"',
        "Müller,Anna,42", "Anna\u00a0Müller", "Anna\u200b Müller", "Anna   Müller",
    ],
)  # fmt: skip
def test_a_name_is_found_across_layout(text: str) -> None:
    assert not re.search("anna|m.?ller", hidden(text), re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Herr Müller, Mrs. O'Neil and Dr Huber", "Herr #, Mrs. # and Dr #"),
        ("Anna Müller's plan, Anna Müllers Plan, Sukarnos Plan", "# plan, # Plan, # Plan"),
    ],
)
def test_titles_and_genitives(text: str, left: str) -> None:
    assert hidden(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Müller and Anna are not alone", "Anna said. Müller left", "Anna Müllerin", "Anna Müller2", "Susanna Müller",
        "there will power be, mark read what you read", "grace is given", "Grace is a word", "sukarno", "a few",
        "Anna and Müller", "Anna (Müller)", "Anna\n\nMüller", "A customer asks", "the van den Berg road", "Mr Anna",
        "Lee", "an annamüller", "O'Neil",
    ],
)  # fmt: skip
def test_what_is_no_listed_name_stays(text: str) -> None:
    assert hidden(text) == text


def test_a_list_that_changes_holds_from_then_on() -> None:
    check = DirectoryCheck()
    checks = checks_with(check)
    assert redact("Ask Ada Byron.", checks).text == "Ask Ada Byron."
    check.names = names_of(["Ada Byron"])
    assert redact("Ask Ada Byron.", checks).text == "Ask [redacted: name]."


def test_spellings_have_one_key() -> None:
    assert len({key(word) for word in ("Müller", "Mueller", "Muller", "MÜLLER", "Mu\u0308ller", "M&uuml;ller")}) == 1
    assert key("Straße") == key("Strasse")
    assert key("Ødegård") == key("Oedegaard") == key("Odegard")


def test_a_word_that_goes_on_beyond_what_is_read_ends_no_name() -> None:
    name = f"{'Wolfes' * 4} {'Bergers' * 6}"
    text = name[:65]
    checks = checks_with(DirectoryCheck(names_of([text])))
    assert redact(f"{text}dorff left", checks).text == f"{text}dorff left"
