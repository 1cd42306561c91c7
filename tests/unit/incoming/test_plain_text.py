"""A passage is folded to what a model reads in it."""

import pytest

from app.incoming.plain_text import plain
from app.lookalikes import LOOKALIKES, RESEMBLING


@pytest.mark.parametrize("disguised", ["insтruction", "instruсtion", "instrucτion", "iոstruction", "instrυction"])
def test_letters_of_another_alphabet_are_what_they_look_like(disguised: str) -> None:
    assert plain(disguised).text == "instruction"


def test_a_word_of_one_alphabet_stays() -> None:
    assert plain("Инструкция для νέων").text == "инструкция для νέων"


def test_every_letter_stands_for_one_that_is_latin() -> None:
    """In both tables, of which the wider one holds all of the other."""
    assert {**RESEMBLING, **LOOKALIKES} == RESEMBLING
    assert all(len(chr(latin)) == 1 and chr(latin).isascii() and chr(latin).isalpha() for latin in RESEMBLING.values())
    assert not any(chr(letter).isascii() for letter in RESEMBLING)
