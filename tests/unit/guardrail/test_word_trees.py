"""Trees of words match what a plain alternation of the words matches, the longest first."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.guardrail.word_trees import any_of, prefixes

WORDS = st.lists(st.text("ab.-é", min_size=1, max_size=6), min_size=1, max_size=8)
TEXTS = st.text("ab.-é", max_size=8)


@given(WORDS, TEXTS)
def test_any_of_is_the_longest_word_that_fits(words: list[str], text: str) -> None:
    plain = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    found, expected = re.match(any_of(words), text), plain.match(text)
    assert (found and found[0]) == (expected and expected[0])


@given(WORDS, TEXTS)
def test_prefixes_are_the_beginnings_of_words(words: list[str], text: str) -> None:
    expected = bool(text) and any(word.startswith(text) for word in words)
    assert (re.fullmatch(f"(?:{prefixes(words)})", text) is not None) == expected


def test_a_star_is_an_ending() -> None:
    assert re.fullmatch(any_of(["hasł*", "pass"]), "hasłami")
    assert not re.fullmatch(any_of(["hasł*", "pass"]), "hasłowanie")
    assert not re.fullmatch(any_of(["hasł*", "pass"]), "passed")


def test_no_words_match_nothing_but_nothing() -> None:
    assert (any_of([]), prefixes([])) == ("", "")
